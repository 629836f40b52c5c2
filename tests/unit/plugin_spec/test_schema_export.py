"""The exported schemas: as committed, valid themselves, and of one mind with the models."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

import plugin_spec
from plugin_spec.manifest import Manifest
from plugin_spec.schema_export import EXPORTED, Exported, schema_bytes, schema_of
from tests.support.clean_plugin import CleanPlugin
from tests.support.document_faults import CASES
from tests.support.rule_examples import EXAMPLES

ROOT = Path(__file__).parents[3]
FOLDER = Path(plugin_spec.__file__).parent / "schema"
GUIDE = (Path(plugin_spec.__file__).parent / "README.md").read_text(encoding="utf-8")
BY_NAME = {one.name: one for one in EXPORTED}
# What only a rule, or the model, can say: between two fields, or of a number that JSON does not have.
BETWEEN_FIELDS = {
    "a block that contradicts itself",
    "a number that is not finite",
    "a range without its unit",
    "braces in a command that are no placeholder",
}


def committed(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")))


def faults(name: str, document: object) -> list[str]:
    return [one.message for one in Draft202012Validator(committed(name)).iter_errors(document)]


@pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
def test_what_is_committed_is_what_the_models_say(one: Exported) -> None:
    assert (FOLDER / one.file_name).read_bytes() == schema_bytes(one), "run .ci/generate"


def test_nothing_else_is_committed() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(one.file_name for one in EXPORTED)


@pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
def test_a_schema_is_one_and_carries_its_dialect_name_and_version(one: Exported) -> None:
    schema = schema_of(one)
    Draft202012Validator.check_schema(schema)
    assert list(schema)[:3] == ["$schema", "$id", "title"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert re.fullmatch(r"urn:assay:[a-z]+:\d+", schema["$id"])
    assert one.contract.removeprefix("assay.").split("/") == schema["$id"].split(":")[2:]


def test_the_names_are_distinct() -> None:
    assert len({one.id for one in EXPORTED}) == len(EXPORTED)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("plugins/*/plugin.toml")), ids=lambda path: path.parent.name
)
def test_the_plugins_of_this_repository_fit(path: Path) -> None:
    assert faults("plugin", tomllib.loads(path.read_text(encoding="utf-8"))) == []


def test_a_manifest_that_breaks_rules_only_fits_the_schema() -> None:
    for number, change in EXAMPLES.items():
        if not number.startswith("C0"):
            plugin = CleanPlugin()
            change(plugin)
            assert faults("plugin", plugin.document) == [], number


@pytest.mark.parametrize("case", sorted(set(CASES) - BETWEEN_FIELDS))
def test_what_the_model_refuses_in_one_field_the_schema_refuses(case: str) -> None:
    document = CleanPlugin().document
    CASES[case][0](document)
    assert faults("plugin", document) != []
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(json.dumps(document))


@pytest.mark.parametrize("path", ["a/../b.py", "a/..", "../a", "/a", ".a", "a//../b"])
def test_a_path_out_of_the_folder_is_refused_by_both(path: str) -> None:
    document = CleanPlugin().document
    document["runtime"]["adapter"] = path
    assert faults("plugin", document) != []
    with pytest.raises(ValidationError):
        Manifest.model_validate_json(json.dumps(document))


@pytest.mark.parametrize("path", ["a.py", "a/b..py", "a..b/c.py", "_/x"])
def test_a_path_inside_the_folder_is_accepted_by_both(path: str) -> None:
    document = CleanPlugin().document
    document["runtime"]["adapter"] = path
    assert faults("plugin", document) == []
    assert Manifest.model_validate_json(json.dumps(document)).runtime.adapter == path


def documents() -> list[tuple[str, dict[str, Any]]]:
    """The guide's examples of every document."""
    blocks = re.findall(r"^```json\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)
    found = [json.loads(block) for block in blocks]
    return [
        (str(one["contract"]).removeprefix("assay.").split("/")[0], one) for one in found if "contract" in one
    ]


@pytest.mark.parametrize(("name", "document"), documents(), ids=[name for name, _ in documents()])
def test_the_examples_of_the_guide_fit_and_a_field_too_many_does_not(
    name: str, document: dict[str, Any]
) -> None:
    assert faults(name, document) == []
    assert faults(name, {**document, "more": 1}) != []


SPOILT: list[tuple[str, dict[str, Any]]] = [
    ("request", {"inputs": {"t1": 3}}),
    ("request", {"case_id": "../sub-01"}),
    ("result", {"outcome": "fine"}),
    ("result", {"outputs": [{"port": "t1", "path": "../t1.nii"}]}),
    ("result", {"qc": [{"id": "snr", "verdict": "good", "value": 1.0}]}),
    ("measurements", {"rows": [{"mean": True}]}),
    ("measurements", {"rows": [{"Mean": 1.0}]}),
    ("classification", {"probabilities": {"positive": 1.5}}),
    ("detections", {"frame": "RAS"}),
    ("detections", {"detections": [{"label": "lesion", "point": [1.0, 2.0]}]}),
    ("score", {"value": "0.3"}),
    ("transform", {"matrix": [[1, 0, 0, 0]] * 3}),
]


@pytest.mark.parametrize(
    ("name", "changes"), SPOILT, ids=[f"{name}-{next(iter(one))}" for name, one in SPOILT]
)
def test_a_document_that_its_model_refuses_the_schema_refuses(name: str, changes: dict[str, Any]) -> None:
    document = {**dict(documents())[name], **changes}
    assert faults(name, document) != []
    with pytest.raises(ValidationError):
        BY_NAME[name].model.model_validate_json(json.dumps(document))


SERVE = [
    {
        "contract": "assay.serve/1",
        "type": "setup",
        "seed": 0,
        "threads": 1,
        "gpu": [],
        "weights": {"net": "net"},
    },
    {"contract": "assay.serve/1", "type": "case", "order": "0" * 32},
    {"contract": "assay.serve/1", "type": "ready"},
    {"contract": "assay.serve/1", "type": "failed", "message": "no model"},
]


@pytest.mark.parametrize("message", SERVE, ids=lambda one: one["type"])
def test_a_message_of_a_warm_container_fits_and_a_strange_one_does_not(message: dict[str, Any]) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(BY_NAME["serve"].model)
    adapter.validate_json(json.dumps(message))
    assert faults("serve", message) == []
    for strange in ({**message, "type": "stop"}, {**message, "contract": "assay.serve/2"}):
        assert faults("serve", strange) != []


def test_an_editor_can_explain_every_field_of_the_manifest_and_its_ports() -> None:
    schema = committed("plugin")
    assert [name for name, one in schema["properties"].items() if not one.get("description")] == []
    for block in (
        "Runtime",
        "VolumePort",
        "Column",
        "DomainRule",
        "Resources",
        "Attribution",
        "EmbeddedTest",
    ):
        bare = [
            name
            for name, one in schema["$defs"][block]["properties"].items()
            if not one.get("description") and name not in {"kind", "modality"}
        ]
        assert bare == [], block


def test_the_manifests_schema_knows_no_null() -> None:
    assert "null" not in json.dumps(committed("plugin"))
