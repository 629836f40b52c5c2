"""The author's guide shows what the contract accepts: its examples are read by the models they illustrate."""

import ast
import json
import re
import tomllib
import typing
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import plugin_spec
from host.images.image_rules import RULES as IMAGE_RULES
from plugin_spec.case import Request, Result
from plugin_spec.command import PLACEHOLDERS
from plugin_spec.documents import DOCUMENTS
from plugin_spec.domain import GEOMETRY_TAGS, DomainRule
from plugin_spec.image import ImageSource
from plugin_spec.manifest import Manifest
from plugin_spec.model import StrictModel
from plugin_spec.ports import Port
from plugin_spec.runtime import protocol
from plugin_spec.typed import OFFERED

GUIDE = (Path(plugin_spec.__file__).parent / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.MULTILINE | re.DOTALL)


def test_the_adapter_examples_are_a_function_and_the_hooks() -> None:
    by_function, by_hooks = (
        [node for node in ast.parse(example).body if isinstance(node, ast.FunctionDef)]
        for example in blocks("python")
    )
    assert [ast.unparse(one.decorator_list[0]) for one in by_function] == ["algorithm"]
    assert {one.name for one in by_hooks} == {"run_case", "describe_environment"}


def test_everything_a_function_may_ask_for_is_in_the_table() -> None:
    rows = "".join(line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `"))
    assert {name for name in OFFERED if f"`{name}`" not in rows} == set()


@pytest.mark.parametrize(("number", "model"), list(enumerate([Request, Result, *DOCUMENTS.values()])))
def test_a_document_example_fits_its_model(number: int, model: type[StrictModel]) -> None:
    document = model.model_validate_json(blocks("json")[number])
    assert document.model_fields_set == set(model.model_fields)


def test_every_kind_of_port_has_its_row() -> None:
    kinds = {
        kind
        for port in Port.__subclasses__()
        for kind in typing.get_args(port.model_fields["kind"].annotation)
    }
    assert set(re.findall(r"^\| `([a-z_]+)` \| [✓|]", GUIDE, flags=re.MULTILINE)) == kinds


def test_the_acceptance_domain_is_told_with_every_tag_the_host_measures() -> None:
    (example,) = (tomllib.loads(one)["domain"] for one in blocks("toml") if one.startswith("[[domain]]"))
    assert DomainRule.model_validate(example[0]).tag == "MagneticFieldStrength"
    assert {tag for tag in GEOMETRY_TAGS if f"`{tag}`" not in GUIDE} == set()


def test_every_placeholder_of_a_command_has_its_row() -> None:
    rows = "".join(line.split("|")[1] for line in GUIDE.splitlines() if line.startswith("| `{"))
    assert set(re.findall(r"`(\{.*?\})`", rows)) == set(PLACEHOLDERS.split())


def test_the_overview_leads_to_every_section() -> None:
    titles = re.findall(r"^###? (.*)", GUIDE.partition("## Invariants")[2], flags=re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", one.lower()).replace(" ", "-") for one in titles}
    assert anchors == set(re.findall(r"\]\(#(.*?)\)", GUIDE))


def test_every_block_of_the_manifest_is_named() -> None:
    named = set(re.findall(r"`\[*([a-z]+)\]*", GUIDE))
    assert set(Manifest.model_fields) - named == set()


def test_every_exit_code_has_its_row() -> None:
    codes = {value for name, value in vars(protocol).items() if name.startswith("EXIT_")}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", GUIDE, flags=re.MULTILINE)} == codes


def test_the_image_examples_are_the_four_ways() -> None:
    examples = [tomllib.loads(one)["image"] for one in blocks("toml") if one.startswith("[image]")]
    ways = [TypeAdapter(ImageSource).validate_json(json.dumps(one)) for one in examples]
    assert [one.source for one in ways] == ["packages", "dockerfile", "archive", "engine"]
    assert all(set(one) == set(type(way).model_fields) for one, way in zip(examples, ways, strict=True))


def test_every_image_rule_has_its_row() -> None:
    assert dict(re.findall(r"^\| (I\d{3}) \| (.*) \|$", GUIDE, flags=re.MULTILINE)) == IMAGE_RULES
