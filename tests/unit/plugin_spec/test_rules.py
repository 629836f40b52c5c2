"""Rules across fields, at their edges: what each lets pass, and each way in which it does not."""

from typing import Any

import pytest

from plugin_spec.faults import Fault
from plugin_spec.manifest import Manifest
from plugin_spec.review import REVIEW
from plugin_spec.rules import COLLECT_FAULTS, RULES, faults_of
from tests.support.clean_plugin import CleanPlugin
from tests.support.rule_examples import COMMAND, GPU, LABELS, SERIES, SMOOTH

CALL = {
    "kind": "classification",
    "name": "call",
    "summary": "Sick or not.",
    "classes": [{"name": "sick", "summary": "Sick."}, {"name": "well", "summary": "Well."}],
}
FINDINGS = {
    "kind": "detections",
    "name": "findings",
    "summary": "Lesions.",
    "shape": "point",
    "classes": [{"name": "lesion", "summary": "One."}],
}
RISK = {
    "kind": "score",
    "name": "risk",
    "summary": "A risk.",
    "unit": "1",
    "minimum": 0.0,
    "maximum": 1.0,
    "interval": "none",
}
PAGE = {"kind": "report", "name": "page", "summary": "For people.", "format": "pdf"}
TRANSFORM = {
    "kind": "transform",
    "name": "move",
    "summary": "t1 to itself.",
    "model": "rigid",
    "from_port": "t1",
    "to_port": "t1",
}
EVERY_OUTPUT = [LABELS, SMOOTH, CALL, FINDINGS, RISK, PAGE, TRANSFORM]


def found(document: dict[str, Any], rules: Any = RULES) -> list[Fault]:
    """The faults by some rules of a document that fits the schema."""
    import json

    collected: list[Fault] = []
    context = {COLLECT_FAULTS: collected}
    manifest = Manifest.model_validate_json(json.dumps(document), context=context)
    assert collected == faults_of(manifest)
    return faults_of(manifest, rules)


def told(document: dict[str, Any], rules: Any = RULES) -> list[tuple[str, str]]:
    return [(one.rule, one.message) for one in found(document, rules)]


@pytest.fixture
def document() -> dict[str, Any]:
    return CleanPlugin().document


@pytest.mark.parametrize("field", ["grid_of", "within", "from_port", "to_port"])
def test_whatever_names_an_image_names_an_input_of_one_file(field: str, document: dict[str, Any]) -> None:
    port = {"grid_of": LABELS, "within": FINDINGS}.get(field, TRANSFORM)
    document["outputs"].append({**port, field: "t1"})
    assert found(document) == []
    document["outputs"][1][field] = "numbers"
    (only,) = found(document)
    assert (only.rule, only.path, only.fix) == ("C103", f"outputs.1.{field}", "name one of: t1")
    document["outputs"][1][field] = "t1"
    document["inputs"][0]["at_most"] = 2
    assert "C103" in {one.rule for one in found(document)}


def test_a_port_is_not_its_own_grid(document: dict[str, Any]) -> None:
    document["inputs"][0]["grid_of"] = "t1"
    (only,) = found(document)
    assert (only.path, only.fix) == (
        "inputs.0.grid_of",
        "declare an image input of one file, or remove grid_of",
    )
    document["inputs"].append({**document["inputs"][0], "name": "t2", "at_least": 0, "grid_of": "t1"})
    (only,) = found(document)
    assert (only.path, only.fix) == ("inputs.0.grid_of", "name one of: t2")


def test_a_series_is_one_folder_and_an_input_list_is_allowed(document: dict[str, Any]) -> None:
    document["inputs"][0]["at_most"] = 3
    assert found(document) == []
    document["inputs"].append({**SERIES, "at_least": 0, "at_most": 2})
    assert told(document) == [("C104", "port series: one series per port")]


def test_a_test_gives_as_many_files_as_the_port_takes(document: dict[str, Any]) -> None:
    document["inputs"][0]["at_least"] = document["inputs"][0]["at_most"] = 2
    document["tests"][0]["inputs"]["t1"] = ["tests/ramp.nii", "tests/empty.nii"]
    (only,) = found(document)
    assert (only.path, only.message, only.fix) == (
        "tests.1.inputs",
        "test refuses: t1 takes 2 files, not 1",
        "list 2 files",
    )


def test_an_optional_input_may_be_left_out_of_a_test(document: dict[str, Any]) -> None:
    document["inputs"].append({**document["inputs"][0], "name": "flair", "at_least": 0})
    assert found(document) == []
    document["inputs"][1]["at_least"] = 1
    assert [one.rule for one in found(document)] == ["C302", "C302"]


def test_an_interval_is_counted_from_a_baseline(document: dict[str, Any]) -> None:
    later = {"time_point": "followup", "interval_days": {"minimum": 1.0, "maximum": 9.0}}
    document["inputs"].append({**document["inputs"][0], "name": "later", "at_least": 0, **later})
    assert [one.rule for one in found(document)] == ["C106"]
    document["inputs"][0]["time_point"] = "baseline"
    assert found(document) == []


def test_neither_adapter_nor_command_is_no_way_to_answer(document: dict[str, Any]) -> None:
    document["runtime"] = {"mode": "exec"}
    assert told(document) == [("C201", "give either an adapter or a command")]
    document["runtime"] = {"mode": "exec", "command": COMMAND}
    assert found(document) == []


def test_a_command_has_one_file_per_output_and_none_too_many(document: dict[str, Any]) -> None:
    document["outputs"].append(LABELS)
    document["runtime"] = {
        "mode": "exec",
        "command": {"argv": ["tool"], "outputs": {"numbers": "x.csv", "mask": "x.csv"}},
    }
    shared = ("C205", "two ports share a file name, or one takes that of result.json")
    assert told(document) == [shared]
    document["runtime"]["command"]["outputs"] = {"numbers": "result.json", "mask": "m.nii"}
    assert told(document) == [shared]
    document["runtime"]["command"]["outputs"] = {"numbers": "x.csv", "mask": "m.nii", "extra": "e.nii"}
    assert told(document) == [("C205", "extra is no output port")]


@pytest.mark.parametrize(
    ("port", "line"),
    [
        (LABELS, 'add mask = "mask.nii.gz"'),
        (CALL, 'add call = "call.json"'),
        (PAGE, 'add page = "page.pdf"'),
        (None, 'add numbers = "numbers.csv"'),
    ],
)
def test_the_file_that_is_proposed_is_of_its_ports_kind(
    port: dict[str, Any] | None, line: str, document: dict[str, Any]
) -> None:
    outputs = {"numbers": "x.csv"} if port else {}
    document["outputs"] += [port] if port else []
    document["runtime"] = {"mode": "exec", "command": {"argv": ["tool"], "outputs": outputs}}
    (only,) = found(document)
    assert (only.rule, only.fix) == ("C205", line)


def test_a_typing_error_in_the_table_of_files_is_not_offered_as_a_port(document: dict[str, Any]) -> None:
    command = {"argv": ["tool", "{outputs.numbers2}"], "outputs": {"numbers2": "x.csv"}}
    document["runtime"] = {"mode": "exec", "command": command}
    faults = [(one.rule, one.message, one.fix) for one in found(document)]
    assert faults == [
        ("C204", "{outputs.numbers2} is not declared", "did you mean numbers?"),
        ("C205", "output numbers has no file", 'add numbers = "numbers.csv"'),
        ("C205", "numbers2 is no output port", "did you mean numbers?"),
    ]


@pytest.mark.parametrize(
    "placeholder",
    ["{outputs.numbers}", "{parameters.level}", "{weights.net}", "{seed}", "{threads}", "{scratch}"],
)
def test_a_placeholder_may_name_what_is_declared(placeholder: str, document: dict[str, Any]) -> None:
    document["parameters"] = [
        {"kind": "int", "name": "level", "summary": "x", "default": 1, "minimum": 1, "maximum": 2}
    ]
    document["weights"] = [
        {"name": "net", "sha256": "sha256:" + "0" * 64, "bytes": 1, "licence": "MIT", "uri": "local:net"}
    ]
    document["runtime"] = {"mode": "exec", "command": {**COMMAND, "argv": ["tool", placeholder]}}
    assert found(document) == []
    if "." in placeholder:
        wrong = placeholder.replace("}", "x}")
        document["runtime"]["command"]["argv"] = ["tool", wrong]
        assert told(document) == [("C204", f"{wrong} is not declared")]


def test_a_flag_stands_for_a_switch_only(document: dict[str, Any]) -> None:
    switch = {"kind": "bool", "name": "fast", "summary": "x", "default": False}
    document["parameters"] = [switch]
    document["runtime"] = {
        "mode": "exec",
        "command": {**COMMAND, "argv": ["tool", "{parameters.fast?--fast}"]},
    }
    assert found(document) == []
    document["parameters"] = [{**switch, "kind": "enum", "default": "a", "values": ["a", "b"]}]
    (only,) = found(document)
    assert (only.rule, only.fix) == ("C204", 'write "--fast" and {parameters.fast}')


FITTING: list[dict[str, Any]] = [
    {"port": "numbers", "column": "mean", "value": 1.0, "relative": 0.1},
    {"port": "risk", "value": 0.5, "absolute": 0.1},
    {"port": "call", "equals": "sick"},
    {"port": "findings", "count": 2},
    {"port": "mask", "reference": "m.nii", "dice": 0.9},
    {"port": "mask", "reference": "m.nii", "dice": 0.9, "label": "grey"},
    {"port": "smooth", "reference": "s.nii", "absolute": 0.5},
]
UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"port": "absent", "value": 1.0}, "no output 'absent'"),
    ({"port": "numbers", "value": 1.0, "absolute": 0.1}, "no column numbers."),
    (
        {"port": "numbers", "column": "mean", "value": 1.0},
        "numbers is compared by value and absolute or relative",
    ),
    (
        {"port": "numbers", "column": "mean", "value": 1.0, "absolute": 0.1, "relative": 0.1},
        "numbers is compared by value and absolute or relative",
    ),
    ({"port": "risk", "value": 0.5}, "risk is compared by value and absolute or relative"),
    ({"port": "call", "equals": "ill"}, "call is compared by equals, a declared class"),
    ({"port": "call", "count": 1}, "call is compared by equals, a declared class"),
    ({"port": "findings", "value": 1.0}, "findings is compared by count"),
    ({"port": "mask", "reference": "m.nii"}, "mask is compared by reference and dice, of a declared label"),
    (
        {"port": "mask", "reference": "m.nii", "dice": 0.9, "label": "white"},
        "mask is compared by reference and dice, of a declared label",
    ),
    ({"port": "smooth", "reference": "s.nii"}, "smooth is compared by reference and absolute"),
    ({"port": "page", "equals": "x"}, "page is compared by nothing: people look at it"),
]


@pytest.mark.parametrize("comparison", FITTING, ids=str)
def test_an_output_is_compared_by_what_its_kind_has(
    comparison: dict[str, Any], document: dict[str, Any]
) -> None:
    document["outputs"] += EVERY_OUTPUT
    document["tests"][0]["compare"] = [comparison]
    assert found(document) == []


@pytest.mark.parametrize(("comparison", "said"), UNFIT, ids=str)
def test_a_comparison_that_cannot_be_made_says_what_can(
    comparison: dict[str, Any], said: str, document: dict[str, Any]
) -> None:
    document["outputs"] += EVERY_OUTPUT
    document["tests"][0]["compare"] = [comparison]
    assert told(document) == [("C304", f"test answers: {said}")]


@pytest.mark.parametrize(
    ("tolerance", "fits"),
    [
        ({"column": "mean", "absolute": 0.1}, True),
        ({"port": "numbers", "column": "mean", "relative": 0.1}, True),
        ({"port": "mask", "dice": 0.9}, True),
        ({"port": "smooth", "relative": 0.1}, True),
        ({"port": "risk", "absolute": 0.1}, True),
        ({"port": "risk", "column": "mean", "absolute": 0.1}, False),
        ({"port": "mask", "absolute": 0.1}, False),
        ({"port": "smooth", "dice": 0.9}, False),
        ({"port": "call", "absolute": 0.1}, False),
        ({"port": "absent", "absolute": 0.1}, False),
    ],
    ids=str,
)
def test_a_tolerance_fits_its_output(tolerance: dict[str, Any], fits: bool, document: dict[str, Any]) -> None:
    document["outputs"] += EVERY_OUTPUT
    document["determinism"] = {"claim": "tolerance", "tolerances": [tolerance]}
    assert [one.rule for one in found(document)] == ([] if fits else ["C306"])


def test_tolerances_stand_where_something_may_differ(document: dict[str, Any]) -> None:
    tolerances = [{"column": "mean", "absolute": 0.1}]
    document["determinism"] = {"claim": "bitwise", "tolerances": tolerances}
    assert told(document) == [("C307", "a bitwise claim has no tolerance")]
    document["resources"]["gpu"] = {**GPU, "cpu_fallback": "within_tolerance"}
    assert found(document) == []
    document["determinism"] = {"claim": "bitwise"}
    assert told(document) == [("C307", "the claim is a tolerance, but none is given")]
    document["resources"].pop("gpu")
    document["determinism"] = {"claim": "stochastic", "tolerances": tolerances}
    assert found(document) == []


def test_a_manifest_is_refused_with_its_first_fault_and_a_count(document: dict[str, Any]) -> None:
    import json

    from pydantic import ValidationError

    document["determinism"]["claim"] = "tolerance"
    document["domain"][0]["port"] = "t2"
    with pytest.raises(ValidationError, match=r"determinism\.tolerances: .* \(and 1 more\)"):
        Manifest.model_validate_json(json.dumps(document))


# ---- what a review finds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["TODO", "Adults. TBD: age range", "FIXME", "Lorem ipsum dolor"])
def test_text_that_waits_for_a_human_is_found_wherever_it_stands(text: str, document: dict[str, Any]) -> None:
    document["outputs"][0]["columns"][0]["summary"] = text
    (only,) = found(document, REVIEW)
    assert (only.rule, only.path) == ("C601", "outputs.0.columns.0.summary")


@pytest.mark.parametrize("text", ["Volumen de todo el cerebro", "TODOS", "Not to be done"])
def test_words_that_only_look_like_it_are_left_alone(text: str, document: dict[str, Any]) -> None:
    document["outputs"][0]["columns"][0]["summary"] = text
    assert found(document, REVIEW) == []


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("API_KEY", "1", True),
        ("hub_token", "1", True),
        ("X", "ghp_" + "a" * 36, True),
        ("X", "-----BEGIN " + "OPENSSH PRIVATE KEY-----", True),
        ("TOKENIZERS_PARALLELISM", "false", False),
        ("OMP_NUM_THREADS", "1", False),
        ("KEYBOARD", "de", False),
    ],
)
def test_a_secret_is_told_from_a_setting(
    name: str, value: str, secret: bool, document: dict[str, Any]
) -> None:
    document["runtime"]["environment"] = {name: value}
    assert [one.rule for one in found(document, REVIEW)] == (["C602"] if secret else [])


@pytest.mark.parametrize(
    ("doi", "fault"),
    [
        ("10.1016/S0140-6736(05)74229-2", False),
        ("10.1002/(SICI)1522-2594(199910)", False),
        ("10.1000/182)", True),
        ("10.1000/182,", True),
    ],
)
def test_a_doi_may_hold_brackets_and_not_end_with_a_stray_one(
    doi: str, fault: bool, document: dict[str, Any]
) -> None:
    document["attribution"]["citations"][0]["doi"] = doi
    assert bool(found(document, REVIEW)) is fault


def test_two_tests_on_one_input_may_differ_in_their_parameters(document: dict[str, Any]) -> None:
    document["parameters"] = [{"kind": "bool", "name": "strict", "summary": "x", "default": False}]
    document["tests"][1]["inputs"] = document["tests"][0]["inputs"]
    assert [one.rule for one in found(document, REVIEW)] == ["C606"]
    document["tests"][1]["parameters"] = {"strict": True}
    assert found(document, REVIEW) == []


def test_memory_is_weighed_against_the_largest_image_that_is_let_in(document: dict[str, Any]) -> None:
    document["resources"].update(memory_mib=128)
    assert found(document, REVIEW) == []  # 10 million voxels take 38 MiB
    document["domain"][0]["maximum"] = 50e6
    (only,) = found(document, REVIEW)
    assert only.message.startswith("128 MiB for 1 volume(s) of 50000000 voxels, which alone take 255 MiB")
    document["resources"]["memory_per_input_mib"] = 2.0
    assert found(document, REVIEW) == []


def test_training_data_that_are_none_need_no_list(document: dict[str, Any]) -> None:
    document["attribution"]["training_data"] = "None: the method is not trained."
    assert found(document, REVIEW) == []
    document["attribution"]["training_data"] = "ADNI"
    assert [one.rule for one in found(document, REVIEW)] == ["C709"]
    document["attribution"]["training_datasets"] = [{"name": "ADNI", "source": "adni.loni.usc.edu"}]
    assert found(document, REVIEW) == []
