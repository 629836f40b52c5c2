"""The files of a new kit, out of templates: one kit.toml and protocol.toml for all, a part for each capability."""

import csv
import io
import json
from dataclasses import dataclass
from typing import Final

from host.scaffold.patterns import TEMPLATES, Pattern
from host.scaffold.phantom import Balls, bright_ml, bright_voxels, centres_lps_mm, mask_image, phantom_image
from plugin_spec.model import FILL_IN
from registry.canonical import digest

KIT_TEMPLATES: Final = TEMPLATES / "kit"
_CLASS_FROM_VOXELS: Final = 41  # 1 % of the image, from where on the example plugin is to call it bright


@dataclass(frozen=True)
class Drawn:
    """A case of a new kit: a phantom, and what is true of it.

    Attributes
    ----------
    name, size : str
        Its id, and the level of its stratum.
    balls : tuple
        Centre (voxel indices) and radius (voxels) of each.
    months, event
        Of the made-up follow-up: larger balls have their event earlier.
    """

    name: str
    size: str
    balls: Balls
    months: float
    event: bool


CASES: Final = (
    Drawn("one-small", "small", (((5, 5, 8), 1.0),), 60.0, event=False),
    Drawn("two-small", "small", (((4, 4, 4), 1.5), ((11, 11, 11), 1.0)), 48.0, event=True),
    Drawn("two-large", "large", (((5, 5, 8), 3.0), ((11, 11, 6), 2.0)), 24.0, event=True),
    Drawn("one-large", "large", (((8, 8, 8), 4.0),), 12.0, event=True),
)
REFUSED: Final = "negative-values"
REFERENCES: Final = {
    "detection": "the centres of the balls as they were drawn.",
    "segmentation": "the voxels of the balls as they were drawn.",
    "classification": "whether the balls as they were drawn fill 1 % of the image.",
    "quantification": "the volume of the balls' voxels as they were drawn.",
    "prediction": "made-up times to a made-up event.",
}
_TIME_UNIT: Final = 'time_unit = "mo" # of the times of cases, and of horizons in the protocol\n'
_MEASURAND: Final = """
[[measurands]]
column = "bright_ml"
title = "Volume of the bright voxels"
unit = "mL"
operating_min = @low
operating_max = @high
"""


def kit_files(kit_id: str, capability: str) -> dict[str, bytes]:
    """Every file of a new kit, by its path in the folder.

    Parameters
    ----------
    kit_id : str
        The kit's identifier, which also gives its title.
    capability : str
        A capability of the contract; the kit fits what ``assay plugin new`` writes for the same.
    """
    metrics, _, criteria = (KIT_TEMPLATES / f"{capability}.toml").read_text("utf-8").partition("---\n")
    words = {
        "id": kit_id,
        "title": kit_id.replace("-", " ").capitalize(),
        "fill_in": FILL_IN,
        "capability": capability,
        "reference": REFERENCES[capability],
        "measurands": _measurands(capability),
        "time_unit": _TIME_UNIT if capability == "prediction" else "",
        "metrics": metrics.rstrip("\n"),
    }
    words["criteria"] = Pattern(criteria.rstrip("\n")).substitute(words)
    files = {name: _filled(name, words) for name in ("kit.toml", "protocol.toml", "README.md", "LICENSE")}
    files |= {f"images/{case.name}.nii.gz": phantom_image(case.balls) for case in CASES}
    files[f"images/{REFUSED}.nii.gz"] = phantom_image(CASES[2].balls, below_zero=True)
    files |= _references(capability)
    return {**files, "cases.csv": _table(capability, files)}


def _filled(name: str, words: dict[str, str]) -> bytes:
    return Pattern((KIT_TEMPLATES / name).read_text(encoding="utf-8")).substitute(words).encode()


def _measurands(capability: str) -> str:
    if capability != "quantification":
        return ""
    volumes = sorted(bright_ml(case.balls) for case in CASES)
    return Pattern(_MEASURAND).substitute({"low": f"{volumes[0]:.3f}", "high": f"{volumes[-1]:.3f}"})


def _references(capability: str) -> dict[str, bytes]:
    """The reference files of the capabilities that have some."""
    if capability == "segmentation":
        return {f"reference/{case.name}.nii.gz": mask_image(case.balls) for case in CASES}
    if capability == "detection":
        return {f"reference/{case.name}.json": _findings(case) for case in CASES}
    return {}


def _findings(case: Drawn) -> bytes:
    found = [{"label": "bright_spot", "point": list(point)} for point in centres_lps_mm(case.balls)]
    document = {"contract": "assay.detections/1", "frame": "LPS", "detections": found}
    return json.dumps(document, indent=1).encode() + b"\n"


def _table(capability: str, files: dict[str, bytes]) -> bytes:
    rows = [_row(case, capability, files) for case in CASES]
    refused = dict.fromkeys(rows[0], "") | {
        "case_id": REFUSED,
        "subject_id": f"phantom-{REFUSED}",
        "expected": "refused",
        "evidence": "phantom",
        "smoke": "yes",
        "stratum.size": "large",
        **_file("in.image", f"images/{REFUSED}.nii.gz", files),
    }
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows([*rows, refused])
    return text.getvalue().encode()


def _row(case: Drawn, capability: str, files: dict[str, bytes]) -> dict[str, str]:
    return {
        "case_id": case.name,
        "subject_id": f"phantom-{case.name}",
        "expected": "ok",
        "evidence": "phantom",
        "smoke": "yes" if case is CASES[0] else "no",
        "stratum.size": case.size,
        **_file("in.image", f"images/{case.name}.nii.gz", files),
        **_truth(case, capability, files),
    }


def _truth(case: Drawn, capability: str, files: dict[str, bytes]) -> dict[str, str]:
    """The columns that hold what is true of a case."""
    if capability == "segmentation":
        return _file("ref.mask", f"reference/{case.name}.nii.gz", files)
    if capability == "detection":
        return _file("ref.spots", f"reference/{case.name}.json", files)
    if capability == "classification":
        bright = bright_voxels(case.balls) >= _CLASS_FROM_VOXELS
        return {"class.finding": "bright_part" if bright else "none"}
    if capability == "quantification":
        return {"value.bright_ml": f"{bright_ml(case.balls):.3f}"}
    return {"time.risk": f"{case.months:g}", "event.risk": "yes" if case.event else "no"}


def _file(column: str, path: str, files: dict[str, bytes]) -> dict[str, str]:
    return {column: f"local:{path}", f"{column}.sha256": digest(files[path])}
