"""A document that does not fit the schema is answered in an author's words: one fault per field, each with a fix."""

from typing import Any

import pytest
import tomli_w

from plugin_spec.faults import Fault
from plugin_spec.patterns import MEANINGS
from plugin_spec.reading import read_for_author
from plugin_spec.toml_lines import located
from tests.support.document_faults import CASES, Change
from tests.support.manifests import manifest_document


def faults(change: Change) -> tuple[Fault, ...]:
    document = manifest_document()
    change(document)
    reading = read_for_author(tomli_w.dumps(document).encode())
    assert reading.model is None
    return tuple(located(reading.faults, reading.text))


@pytest.mark.parametrize("case", CASES)
def test_the_author_reads(case: str) -> None:
    change, expected = CASES[case]
    (only,) = faults(change)
    assert (only.rule, only.path, only.message, only.fix) == expected


def test_all_faults_are_told_at_once_and_each_with_its_line() -> None:
    found = faults(lambda d: [d.update(colour=1), d["inputs"][0].update(unit="ML"), d["runtime"].pop("mode")])
    assert [one.rule for one in found] == ["C003", "C005", "C002"]
    assert all(one.line for one in found)


def test_each_field_that_is_missing_is_named() -> None:
    found = faults(
        lambda d: [
            d.pop("outputs"),
            d.pop("tests"),
            d["inputs"][0].pop("unit"),
            d["inputs"][0].pop("modality"),
        ]
    )
    assert {one.path for one in found} == {"outputs", "tests", "inputs.0.unit", "inputs.0.modality"}


def test_elements_that_are_faulty_themselves_are_not_missed_in_their_list() -> None:
    (only,) = faults(lambda d: d["attribution"]["authors"].__setitem__(0, 7))
    assert only.path == "attribution.authors.0"


@pytest.mark.parametrize(
    ("data", "line"), [(b"id = \n", 1), (b'id = "x"\n\nbroken\n', 3), (b"\xff", None), (b"[" * 5000, 1)]
)
def test_what_is_no_toml_is_one_fault(data: bytes, line: int | None) -> None:
    (only,) = read_for_author(data).faults
    assert (only.rule, only.line) == ("C001", line)
    assert only.message.startswith("not valid TOML: ")


def test_every_pattern_of_a_manifest_has_a_meaning() -> None:
    from plugin_spec.manifest import Manifest

    def patterns(node: Any) -> set[str]:
        if isinstance(node, dict):
            # A schema can say of a path that it stays inside; the model says it apart from the pattern.
            pattern = node.get("pattern")
            own = {pattern.replace(r"(?!.*/\.\.(/|$))", "")} if isinstance(pattern, str) else set()
            return own.union(*(patterns(one) for one in node.values()))
        return set().union(*(patterns(one) for one in node)) if isinstance(node, list) else set()

    assert patterns(Manifest.model_json_schema()) - set(MEANINGS) == set()
