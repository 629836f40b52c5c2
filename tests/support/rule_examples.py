"""For every rule of the contract, one change to a clean plugin that breaks this rule and no other."""

from collections.abc import Callable
from typing import Any

from host.images.base_lock import read_base_lock
from host.images.debian_lock import DebianLock
from tests.support.clean_plugin import CleanPlugin

Change = Callable[[CleanPlugin], object]
COMMAND = {"argv": ["tool", "{inputs.t1}", "{outputs.numbers}"], "outputs": {"numbers": "numbers.csv"}}
SMOOTH = {
    "kind": "volume", "name": "smooth", "summary": "A filtered scan.", "modality": "MR", "unit": "{arbitrary}",
}  # fmt: skip
LABELS = {
    "kind": "label_map",
    "name": "mask",
    "summary": "Tissue.",
    "labels": [{"value": 1, "name": "grey", "concept": {"value": "1", "scheme": "SCT", "meaning": "Grey"}}],
}
SERIES = {
    "kind": "dicom_series",
    "name": "series",
    "summary": "The scan as DICOM.",
    "modality": "MR",
    "sop_classes": ["1.2.840.10008.5.1.4.1.1.4"],
}
PINNED = b"FROM debian@sha256:" + b"a" * 64 + b"\n"
UNPINNED = b"FROM debian:12 AS base\nFROM base\n"
GPU = {
    "count": 1, "vram_mib": 4000, "compute_capability_min": "7.0", "driver_min": "525", "cpu_fallback": "no",
}  # fmt: skip


def _set(*path: str | int, to: Any) -> Change:
    """Set one field of the document."""

    def change(plugin: CleanPlugin) -> None:
        at: Any = plugin.document
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = to

    return change


def _drop(*path: str | int) -> Change:
    def change(plugin: CleanPlugin) -> None:
        at: Any = plugin.document
        for part in path[:-1]:
            at = at[part]
        del at[path[-1]]

    return change


def _write(name: str, data: bytes) -> Change:
    return lambda plugin: plugin.files.update({name: data})


def _all(*changes: Change) -> Change:
    return lambda plugin: [change(plugin) for change in changes]


def _add(what: str, one: dict[str, Any]) -> Change:
    return lambda plugin: plugin.document.setdefault(what, []).append(one)


def _runtime(**fields: Any) -> Change:
    return _set("runtime", to={"mode": "exec", **fields})


def _another_rule(**fields: Any) -> Change:
    """Add a second rule to the domain, so that the first goes on guarding the scan."""
    return lambda plugin: plugin.document["domain"].append({**plugin.document["domain"][0], **fields})


def _test_inputs(number: int, inputs: dict[str, Any]) -> Change:
    return _set("tests", number, "inputs", to=inputs)


def _parameter(name: str, default: int) -> Change:
    one = {"kind": "int", "name": name, "summary": "Repeats.", "minimum": 1, "maximum": 8}
    return _add("parameters", {**one, "default": default})


def _needs_reference(plugin: CleanPlugin) -> None:
    plugin.document["outputs"].append(SMOOTH)
    plugin.document["tests"][0]["compare"].append(
        {"port": "smooth", "reference": "tests/none.nii", "absolute": 1.0}
    )


def _both_positive(plugin: CleanPlugin) -> None:
    plugin.document["tests"][1] = {**plugin.document["tests"][0], "name": "answers-again"}


EXAMPLES: dict[str, Change] = {
    "C001": _write("plugin.toml", b"id = \n"),
    "C002": _set("colour", to="red"),
    "C003": _drop("title"),
    "C004": _set("title", to=3),
    "C005": _set("version", to="1"),
    "C006": _set("inputs", 0, "kind", to="volum"),
    "C007": _set("outputs", 0, "columns", 0, "minimum", to=1e9),
    "C101": _parameter("t1", 2),
    "C102": _set("tests", 1, "name", to="answers"),
    "C103": _add("outputs", {**SMOOTH, "grid_of": "t2"}),
    "C104": _set("outputs", 0, "at_most", to=2),
    "C105": _set("outputs", 0, "at_least", to=0),
    "C106": lambda plugin: plugin.document["inputs"][0].update(
        time_point="followup", interval_days={"minimum": 1.0, "maximum": 9.0}
    ),
    "C107": _parameter("rounds", 9),
    "C201": _runtime(adapter="adapter.py", command=COMMAND),
    "C202": _all(_runtime(command=COMMAND), _set("runtime", "mode", to="serve")),
    "C203": _all(
        _runtime(adapter="adapter.py", requirements="requirements.txt"),
        _set("image", to={"source": "dockerfile"}),
        _write("Dockerfile", PINNED),
        _write("requirements.txt", b""),
    ),
    "C204": _runtime(command={**COMMAND, "argv": ["tool", "{inputs.t2}"]}),
    "C205": _runtime(command={**COMMAND, "outputs": {}, "argv": ["tool", "{inputs.t1}"]}),
    "C301": _both_positive,
    "C302": _test_inputs(0, {"t1": "tests/ramp.nii", "t2": "tests/ramp.nii"}),
    "C303": _set("tests", 0, "parameters", to={"rounds": 2}),
    "C304": _set("tests", 0, "compare", 0, "column", to="median"),
    "C305": lambda plugin: plugin.document["tests"][1].update(compare=plugin.document["tests"][0]["compare"]),
    "C306": _set(
        "determinism", to={"claim": "tolerance", "tolerances": [{"column": "median", "absolute": 1.0}]}
    ),
    "C307": _set("determinism", "claim", to="tolerance"),
    "C401": _another_rule(port="t2"),
    "C402": _set("resources", "scratch_mib", to=500),
    "C501": _write("adapter.py", b"def run_case(:\n"),
    "C502": _write("adapter.py", b"def run_case(case, state):\n    return None\n"),
    "C503": _all(
        _runtime(adapter="adapter.py", requirements="requirements.txt"),
        _write("requirements.txt", b"numpy>=1\n"),
    ),
    "C504": _test_inputs(0, {"t1": "tests/none.nii"}),
    "C505": _write("tests/ramp.nii", b"no image"),
    "C506": _needs_reference,
    "C507": _set("image", to={"source": "dockerfile"}),
    "C508": _add(
        "weights",
        {"name": "net", "sha256": "sha256:" + "0" * 64, "bytes": 1, "licence": "MIT", "uri": "ftp://x/net"},
    ),
    "C509": _set("attribution", "licence", to="Freeware"),
    "C510": _all(_set("image", to={"source": "dockerfile"}), _write("Dockerfile", UNPINNED)),
    "C511": _all(
        _set("image", to={"source": "packages", "debian": ["bc"], "debian_lock": "debian.lock.json"}),
        _write(
            "debian.lock.json",
            DebianLock(base=read_base_lock().digest, asked=("dc",), packages=()).to_bytes(),
        ),
    ),
    "C601": _set("attribution", "intended_use", to="TODO"),
    "C602": _runtime(adapter="adapter.py", environment={"HUB_TOKEN": "x"}),
    "C603": _runtime(adapter="adapter.py", environment={"HOME": "/data"}),
    "C604": _set("attribution", "citations", 0, "doi", to="10.2307/1932409."),
    "C605": _set("domain", 0, "evidence", to="n/a"),
    "C606": _test_inputs(1, {"t1": "tests/ramp.nii"}),
    "C607": _another_rule(tag="EchoTime", unit="mm", maximum=1.0),
    "C701": _set("domain", to=[]),
    "C702": lambda plugin: plugin.document["domain"][0].update(outside="flag", missing="flag", maximum=9e6),
    "C703": _drop("outputs", 0, "columns", 0, "repeatability"),
    "C704": _drop("outputs", 0, "columns", 0, "concept"),
    "C705": _set("determinism", "claim", to="stochastic"),
    "C706": _set("resources", "gpu", to=GPU),
    "C707": lambda plugin: plugin.document["resources"].update(memory_mib=64, scratch_mib=0x10, shm_mib=16),
    "C708": _set("tests", 0, "compare", to=[]),
    "C709": _set("attribution", "training_data", to="A thousand scans of one hospital."),
    "C710": _set("runtime", "threads", to=4),
    "C711": _set("attribution", "not_for", to="FILL IN: what it must not be used for"),
    "C712": _another_rule(tag="MagneticFieldStrenght", unit="T", maximum=3.0),
    "C751": _write(
        "adapter.py",
        b"from plugin_spec import hookimpl\n\n\n@hookimpl\ndef run_case(case):\n    return case.inputs['t2']\n",
    ),
}
