"""Documents that do not fit the manifest's schema: one change each, and what the author then reads."""

from collections.abc import Callable
from typing import Any

Change = Callable[[dict[str, Any]], object]
# The change, and of the one fault: rule, path, message and fix.
CASES: dict[str, tuple[Change, tuple[str, str, str, str]]] = {
    "a near miss is answered with the right name": (
        lambda d: d["outputs"][0].update(rows_pre="case"),
        ("C002", "outputs.0.rows_pre", "unknown field", "did you mean rows_per?"),
    ),
    "a field of another block is sent there": (
        lambda d: d.update(licence="MIT"),
        ("C002", "licence", "unknown field", "it stands in [attribution]"),
    ),
    "a top-level field that slid into a table is sent back": (
        lambda d: d["runtime"].update(title="Mean"),
        ("C002", "runtime.title", "unknown field", "it stands at the top, before the first [table]"),
    ),
    "an invented field is answered with what there is": (
        lambda d: d["determinism"].update(colour=1),
        ("C002", "determinism.colour", "unknown field", "remove it; known here: claim, tolerances"),
    ),
    "a missing block is shown as it is written": (
        lambda d: d.pop("resources"),
        ("C003", "resources", "is missing", "add [resources]"),
    ),
    "a missing list of blocks too": (
        lambda d: d["outputs"][0].pop("columns"),
        ("C003", "outputs.0.columns", "is missing", "add [[outputs.columns]]"),
    ),
    "a missing word names the words there are": (
        lambda d: d["runtime"].pop("mode"),
        ("C003", "runtime.mode", "is missing", 'add mode = "exec" or "serve"'),
    ),
    "a missing kind is a missing field": (
        lambda d: d["inputs"][0].pop("kind"),
        ("C003", "inputs.0.kind", "is missing", 'add kind = "…"'),
    ),
    "text for a number": (
        lambda d: d["resources"].update(cpus="1"),
        ("C004", "resources.cpus", 'is the text "1"', "write a number"),
    ),
    "a union's members are one fault": (
        lambda d: d["tests"][0].update(parameters={"level": []}),
        (
            "C004",
            "tests.0.parameters.level",
            "is a list of 0",
            "write true or false or a whole number or a number or text in quotes",
        ),
    ),
    "a path out of the folder, where a list may stand too": (
        lambda d: d["tests"][0].update(inputs={"t1": "/etc/passwd"}),
        (
            "C005",
            "tests.0.inputs.t1",
            'the text "/etc/passwd" does not fit',
            "write a path inside the plugin's folder, such as tests/scan.nii.gz",
        ),
    ),
    "a DOI with its address": (
        lambda d: d["attribution"]["citations"][0].update(doi="https://doi.org/10.2307/1932409"),
        (
            "C005",
            "attribution.citations.0.doi",
            'the text "https://doi.org/10.2307/1932409" does not fit',
            "write the DOI alone, such as 10.1000/182, without https://doi.org/",
        ),
    ),
    "a unit in the wrong case": (
        lambda d: d["inputs"][0].update(unit="ML"),
        (
            "C005",
            "inputs.0.unit",
            "'ML' is not a known UCUM unit",
            "did you mean 'mL'? UCUM is case sensitive",
        ),
    ),
    "a number out of bounds": (
        lambda d: d["resources"].update(memory_mib=3),
        ("C005", "resources.memory_mib", "the number 3 is out of bounds", "write 32 or more"),
    ),
    "too few of a list": (
        lambda d: d["tests"].pop(),
        ("C005", "tests", "a list of 1 is out of bounds", "write at least 2 of them"),
    ),
    "a word that is nearly allowed": (
        lambda d: d["capabilities"].append("segmentaton"),
        ("C005", "capabilities.1", 'the text "segmentaton" is not allowed', "did you mean 'segmentation'?"),
    ),
    "a name that is no name": (
        lambda d: d["runtime"].update(environment={"A B": "x"}),
        (
            "C005",
            "runtime.environment.A B",
            "'A B' is no name",
            "write letters, digits and _, not beginning with a digit",
        ),
    ),
    "a number that is not finite": (
        lambda d: d["resources"].update(cpus=float("nan")),
        ("C005", "resources.cpus", "it should be a finite number", "write an allowed value"),
    ),
    "a kind of port that is nearly one": (
        lambda d: d["outputs"][0].update(kind="measurement"),
        ("C006", "outputs.0.kind", "there is no kind 'measurement' here", "did you mean 'measurements'?"),
    ),
    "a source of images that is none": (
        lambda d: d.update(image={"source": "hub"}),
        (
            "C006",
            "image.source",
            "there is no source 'hub' here",
            "one of: packages, dockerfile, archive, engine",
        ),
    ),
    "a block that contradicts itself": (
        lambda d: d["outputs"][0]["columns"][0].update(minimum=2e6),
        (
            "C007",
            "outputs.0.columns.0",
            "minimum 2000000.0 must be below maximum 1000000.0",
            "exchange or correct them",
        ),
    ),
    "a range without its unit": (
        lambda d: d.update(
            domain=[
                {
                    "port": "t1",
                    "tag": "MagneticFieldStrength",
                    "minimum": 1.5,
                    "missing": "flag",
                    "outside": "refuse",
                    "evidence": "x",
                }
            ]
        ),
        ("C007", "domain.0", "a range needs its unit", 'add unit = "T"'),
    ),
    "a reason that no program could give": (
        lambda d: d["tests"][1].update(reason_code="Negative Values"),
        (
            "C005",
            "tests.1.reason_code",
            'the text "Negative Values" does not fit',
            "write lower-case letters, digits and hyphens, such as brain-volumes or no-brain",
        ),
    ),
    "braces in a command that are no placeholder": (
        lambda d: d["runtime"].update(command={"argv": ["awk", "{print $1} {inputs.t1}"], "outputs": {}}),
        (
            "C005",
            "runtime.command.argv",
            "'{print $1}' is no placeholder",
            "write {{ and }} for braces the tool is to get, or one of {inputs.PORT} {outputs.PORT} "
            "{parameters.NAME} {parameters.NAME?WORD} {weights.NAME} {scratch} {threads} {seed}",
        ),
    ),
}
