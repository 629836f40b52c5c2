"""Answers with an output of every kind; every answer follows from an input. Standard library only."""

import json
import struct

from plugin_spec import CaseResult, hookimpl

HEADER_BYTES = 352


def voxels_of(path):
    """Header and int16 voxels of an uncompressed NIfTI-1 file."""
    data = path.read_bytes()
    count = (len(data) - HEADER_BYTES) // 2
    return bytearray(data[:HEADER_BYTES]), struct.unpack_from(f"<{count}h", data, HEADER_BYTES)


def read(path):
    return json.loads(path.read_text())


def answer(inputs, output_path):
    """The value or file of every output, from a mapping of port to path or list of paths."""
    assert "dwi" not in inputs, "nothing was given for it"
    visits = [inputs["t1"], *inputs["later"]]
    header, first = voxels_of(inputs["t1"])
    scans = [voxels_of(path)[1] for path in visits]
    instances = sorted(path.name for path in inputs["series"].iterdir())
    assert inputs["licence"].read_bytes() == b"licensed to nobody"
    earlier = read(inputs["earlier"])["rows"][0]["lesion_ml"]
    drawn = sum(inputs["drawn"].read_bytes()[HEADER_BYTES:])

    series = bytearray(header)
    struct.pack_into("<8h", series, 40, 4, *struct.unpack_from("<3h", header, 42), len(scans), 1, 1, 1)
    output_path("visits.nii").write_bytes(series + b"".join(struct.pack(f"<{len(s)}h", *s) for s in scans))
    mask = bytearray(header)
    struct.pack_into("<2h", mask, 70, 2, 8)  # uint8
    output_path("mask.nii").write_bytes(bytes(mask) + bytes(value >= 60 for value in first))
    page = f"<!doctype html><title>Every kind</title><p>{len(instances)} instances, {drawn} drawn voxels</p>"
    output_path("page.html").write_text(page)
    output_path("sheet.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    names = ["baseline", *(f"followup-{number}" for number in range(1, len(scans)))]
    rotation = [row[:3] for row in read(inputs["placed"])["matrix"][:3]]
    many = 0.9 if len(instances) > 3 else 0.1
    return {
        "means": [{"time_point": n, "mean": sum(s) / len(s)} for n, s in zip(names, scans, strict=True)],
        "call": {
            "label": "many" if many > 0.5 else "few",
            "probabilities": {"many": many, "few": 1.0 - many},
        },
        "found": [
            {**one, "score": 0.5, "track_id": f"seed-{number}"}
            for number, one in enumerate(read(inputs["seeds"])["detections"])
        ],
        "risk": {"value": earlier / 1000, "lower": 0.0, "upper": 1.0},
        "back": [[*(rotation[column][row] for column in range(3)), 0.0] for row in range(3)]
        + [[0.0, 0.0, 0.0, 1.0]],
        **{port: output_path(name) for port, name in FILES.items()},
    }


FILES = {"visits": "visits.nii", "mask": "mask.nii", "page": "page.html", "sheet": "sheet.pdf"}


@hookimpl
def run_case(case, state):
    return CaseResult(outputs=answer(case.inputs, case.output_path))
