"""The schemas of a kit's documents are those of its models, and fit the kits of this repository."""

import json
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import host.kits
from host.kits.schema_export import EXPORTED
from plugin_spec.schema_export import Exported, schema_bytes, schema_of

ROOT = Path(__file__).parents[2]
FOLDER = Path(host.kits.__file__).parent / "schema"
KITS = sorted(path.parent for path in ROOT.glob("validation_kits/*/kit.toml"))


@pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
def test_what_is_committed_is_what_the_models_say(one: Exported) -> None:
    Draft202012Validator.check_schema(schema_of(one))
    assert (FOLDER / one.file_name).read_bytes() == schema_bytes(one), "run .ci/generate"


def test_nothing_else_is_committed() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(one.file_name for one in EXPORTED)


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.name)
@pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
def test_the_kits_of_this_repository_fit_and_a_misspelt_field_does_not(one: Exported, kit: Path) -> None:
    schema = json.loads((FOLDER / one.file_name).read_text(encoding="utf-8"))
    document = tomllib.loads((kit / f"{one.name}.toml").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    document["tidle"] = document.pop("title")
    assert len(list(Draft202012Validator(schema).iter_errors(document))) == 2
