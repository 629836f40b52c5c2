"""For every rule of kits, one change to a clean kit that breaks this rule and no other."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

Change = Callable[[Path], object]

REFUSED: Final = "two,p1,refused,phantom,no,baseline,source:scan,source:series,,\n"
_REQUIREMENTS: Final = '[generator]\nscript = "make_kit.py"\nrequirements = "requirements.txt"\n'
_CLASSES: Final = """
[[metrics]]
id = "call"
kind = "classes"
port = "call"
classes = ["low", "high"]
unit = "1"
definition = "The class."
failed_case_counts_as = "wrong"
"""
_PERTURBATION: Final = """
[[perturbations]]
id = "turned"
kind = "rotation"
level = 5.0
unit = "deg"
axis = "z"
inputs = ["scan"]
cases = ["three"]
"""
_CRITERION: Final = """
[[criteria]]
id = "average"
requirement = "Cubes are found on the average."
metric = "dice_bright"
statistic = "medium"
judged = "estimate"
comparator = ">="
bound = 0.5
scope = "overall"
min_cases = 1
rationale = "As good as any."
"""
_SURVIVAL: Final = """
[[metrics]]
id = "risk"
kind = "survival"
port = "risk"
column = "value"
higher_score_means = "earlier event"
unit = "1"
definition = "The risk."
failed_case_counts_as = "wrong"
"""
_MEASURAND: Final = """
[[measurands]]
column = "bright_ml"
title = "Volume"
unit = "mL"
operating_min = 0.0
operating_max = 9.0
"""


def _edit(name: str, old: str, new: str) -> Change:
    def change(kit: Path) -> None:
        text = (kit / name).read_text()
        assert old in text, f"{name} holds no {old!r}"
        (kit / name).write_text(text.replace(old, new, 1))

    return change


def _append(name: str, text: str) -> Change:
    return lambda kit: (kit / name).write_text((kit / name).read_text() + text)


def _write(name: str, text: str) -> Change:
    return lambda kit: (kit / name).write_text(text)


def _column(name: str, *cells: str) -> Change:
    """Add a column to cases.csv."""

    def change(kit: Path) -> None:
        lines = (kit / "cases.csv").read_text().splitlines()
        added = [f"{line},{cell}" for line, cell in zip(lines, (name, *cells), strict=True)]
        (kit / "cases.csv").write_text("\n".join(added) + "\n")

    return change


def _all(*changes: Change) -> Change:
    def change(kit: Path) -> None:
        for one in changes:
            one(kit)

    return change


def _remove(name: str) -> Change:
    return lambda kit: (kit / name).unlink()


EXAMPLES: Final[dict[str, Change]] = {
    "K001": _write("kit.toml", "contract = "),
    "K002": _edit("kit.toml", 'area = "every area"', 'area = "every area"\nareas = 3'),
    "K003": _edit("kit.toml", 'disease = "none: a kit for tests"\n', ""),
    "K004": _edit("kit.toml", 'title = "A kit without a generator"', "title = 3"),
    "K005": _edit("kit.toml", 'evidence = "phantom"', 'evidence = "patients"'),
    "K007": _edit("kit.toml", 'licence = "CC-BY-4.0"', 'licence = "CC BY 4.0, see the web page"'),
    "K008": _edit("cases.csv", "session", "visit"),
    "K009": _edit("cases.csv", "yes", "perhaps"),
    "K101": _edit("protocol.toml", 'version = "1.0.0"', 'version = "1.0.1"'),
    "K102": _edit(
        "cases.csv", REFUSED, f"{REFUSED}three,p1,ok,phantom,no,baseline,source:scan,source:series,,\n"
    ),
    "K103": _edit(
        "protocol.toml", 'scope = "overall"\nmin_cases = 1', 'scope = "each:vendor"\nmin_cases = 1'
    ),
    "K104": _edit("kit.toml", 'evidence = "phantom"', 'evidence = "derived"'),
    "K105": _all(
        _edit("protocol.toml", "assay.protocol/1", "assay.protocol/2"),
        _append("protocol.toml", _CLASSES),
        _column("class.call", "middling", ""),
    ),
    "K106": _all(
        _edit("protocol.toml", "assay.protocol/1", "assay.protocol/2"),
        _append("protocol.toml", _PERTURBATION),
    ),
    "K107": _edit("protocol.toml", 'function = "dice"', 'function = "dise"'),
    "K108": _all(
        _edit("protocol.toml", "assay.protocol/1", "assay.protocol/2"),
        _append("protocol.toml", _CRITERION),
    ),
    "K201": _edit("kit.toml", 'uri = "local:scan.nii"', 'uri = "url:http://example.org/scan.nii"'),
    "K202": _edit("kit.toml", 'licence = "MIT"', 'licence = "My own licence"'),
    "K203": _write("reference/mask.nii", "other voxels"),
    "K204": _all(
        _append("kit.toml", _REQUIREMENTS),
        _write("make_kit.py", "print('made')\n"),
        _write("requirements.txt", "numpy==1.0\n"),
    ),
    "K205": _edit("cases.csv", "local:reference", "reference"),
    "K206": _edit("series.csv", "1.dcm,100", "1.dcm,101"),
    "K701": _edit("protocol.toml", "min_cases = 2", "min_cases = 3"),
    "K702": _column("value.bright_ml", "8.0", ""),
    "K703": _all(_edit("cases.csv", "source:series", ""), _edit("cases.csv", "source:series", "")),
    "K704": _all(_edit("cases.csv", REFUSED, ""), _edit("protocol.toml", "min_cases = 2", "min_cases = 1")),
    "K705": _edit("kit.toml", "[dataset]", f"{_MEASURAND}\n[dataset]"),
    "K706": _edit("cases.csv", "yes", "no"),
    "K707": _edit("kit.toml", "readers = 0", "readers = 2"),
    "K708": _column("reader.r1.mask", "3", ""),
    "K709": _edit("kit.toml", "CC-BY-4.0", "LicenseRef-Mine"),
    "K710": _remove("LICENSE"),
    "K712": _all(
        _edit("protocol.toml", "assay.protocol/1", "assay.protocol/2"),
        _append("protocol.toml", _SURVIVAL),
        _column("time.risk", "12", ""),
        _column("event.risk", "yes", ""),
    ),
    "K711": _edit("protocol.toml", 'risk = "None."', 'risk = "FILL IN: what a wrong answer would cost"'),
}
