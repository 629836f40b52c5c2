"""Marks bright voxels; the value of the first voxel picks a way to misbehave. Standard library only."""

import json
import os
import struct
import subprocess
import sys
import time

from plugin_spec import CaseResult, Refuse, hookimpl

HEADER_BYTES = 352
BRIGHT = 100
# The value of the scan's first voxel is an index into this tuple.
BEHAVIOURS = (
    "answer",
    "refuse",
    "raise_error",
    "sleep",
    "hog_memory",
    "wrong_grid",
    "unknown_label",
    "extra_file",
    "link",
    "missing_output",
    "not_a_number",
    "out_of_range",
    "forge_result",
    "no_result",
    "linger",
)


@hookimpl
def run_case(case, state):
    data = case.inputs["scan"].read_bytes()
    shape = struct.unpack_from("<3h", data, 42)
    spacing_mm = struct.unpack_from("<3f", data, 80)
    voxels = struct.unpack_from(f"<{shape[0] * shape[1] * shape[2]}h", data, HEADER_BYTES)
    behaviour = BEHAVIOURS[voxels[0]]
    mask = bytearray(value >= BRIGHT for value in voxels)
    volume_ml = sum(mask) * spacing_mm[0] * spacing_mm[1] * spacing_mm[2] / 1000
    _before(behaviour, case, mask)
    header = bytearray(data[:HEADER_BYTES])
    struct.pack_into("<2h", header, 70, 2, 8)  # uint8
    if behaviour == "wrong_grid":
        struct.pack_into("<f", header, 292, struct.unpack_from("<f", header, 292)[0] + 5)  # 5 mm to the right
    path = case.output_path("mask.nii")
    path.write_bytes(bytes(header) + bytes(mask))
    return _after(behaviour, case, path, volume_ml)


def _before(behaviour, case, mask):
    if behaviour == "refuse":
        raise Refuse("told-to-refuse", "the first voxel says so")
    if behaviour == "raise_error":
        raise RuntimeError("told to fail")
    if behaviour == "sleep":
        while True:
            time.sleep(60)
    if behaviour == "hog_memory":
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1024) * 1024))
    if behaviour == "unknown_label":
        mask[-1] = 7
    if behaviour == "no_result":
        os._exit(0)
    if behaviour == "forge_result":
        entry = {"port": "mask", "path": "../in/scan.nii"}
        forged = {
            "contract": "assay.result/1",
            "outcome": "ok",
            "reason_code": "",
            "message": "",
            "outputs": [entry],
        }
        forged.update(qc=[], warnings=[], environment={})
        case.output_path("result.json").write_text(json.dumps(forged))
        os._exit(0)


def _after(behaviour, case, path, volume_ml):
    if behaviour == "linger":
        lingering = [sys.executable, "-c", "import time; time.sleep(600)", case.id]
        subprocess.Popen(lingering, start_new_session=True)
    if behaviour == "extra_file":
        case.output_path("notes.txt").write_text("nobody declared this")
    if behaviour == "link":
        path.unlink()
        path.symlink_to(case.inputs["scan"])
    if behaviour == "missing_output":
        return CaseResult(outputs={"volumes": [{"bright_ml": volume_ml}]})
    if behaviour == "not_a_number":
        numbers = case.output_path("volumes.json")
        numbers.write_text('{"contract": "assay.measurements/1", "rows": [{"bright_ml": NaN}]}')
        return CaseResult(outputs={"mask": path, "volumes": numbers})
    if behaviour == "out_of_range":
        volume_ml = -1.0
    return CaseResult(outputs={"mask": path, "volumes": [{"bright_ml": volume_ml}]})
