"""Every rule is broken by one change to a plugin without faults, and that change breaks no other rule."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import plugin_spec
from host.check.plugin import check_for_submission, check_manifest, check_plugin, inspect_plugin
from host.check.rules import rule_texts
from host.cli.plugin.embedded import next_command
from plugin_spec.errors import ContractError
from plugin_spec.faults import Fault
from plugin_spec.review import REVIEW
from plugin_spec.rules import RULES
from tests.support.clean_plugin import CleanPlugin, spoilt
from tests.support.rule_examples import EXAMPLES

GUIDE = (Path(plugin_spec.__file__).parent / "README.md").read_text(encoding="utf-8")


def faults(folder: Path) -> tuple[Fault, ...]:
    return inspect_plugin(folder).faults


def test_in_a_clean_plugin_nothing_is_found(tmp_path: Path) -> None:
    assert faults(CleanPlugin().write(tmp_path)) == ()
    assert check_plugin(tmp_path).id == "mean-intensity"


@pytest.mark.parametrize("number", EXAMPLES)
def test_one_change_breaks_one_rule(number: str, tmp_path: Path) -> None:
    found = faults(spoilt(tmp_path, EXAMPLES[number]))
    assert {one.rule for one in found} == {number}, found
    assert all(one.message and one.fix for one in found)


@pytest.mark.parametrize("number", EXAMPLES)
def test_an_error_stops_a_build_and_a_warning_does_not(number: str, tmp_path: Path) -> None:
    folder = spoilt(tmp_path, EXAMPLES[number])
    if number.startswith("C7"):
        assert check_plugin(folder).id == "mean-intensity"
        return
    with pytest.raises(ContractError, match=rf"^{re.escape(str(folder))}/plugin\.toml: .* \[{number}\]"):
        check_plugin(folder)


def test_what_waits_for_a_human_is_not_submitted(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="attribution.not_for: a human must still type this") as refused:
        check_for_submission(spoilt(tmp_path / "draft", EXAMPLES["C711"]))
    assert refused.value.hint == "write what it must not be used for"
    assert check_for_submission(spoilt(tmp_path / "done", EXAMPLES["C703"])).id == "mean-intensity"


def test_only_what_a_human_has_typed_is_on_its_way_to_submission(tmp_path: Path) -> None:
    draft, done = spoilt(tmp_path / "draft", EXAMPLES["C711"]), spoilt(tmp_path / "done", EXAMPLES["C703"])
    assert next_command(draft) == f"assay plugin check {draft}"
    assert next_command(done) == f"assay plugin submit {done} --as PERSON"


def test_for_a_lock_the_manifest_counts_and_no_file_that_is_still_to_write(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"resources.memory_mib: .* \[C402\]") as refused:
        check_manifest(spoilt(tmp_path / "draft", EXAMPLES["C402"]))
    assert refused.value.hint == "both are shares of the memory limit: raise it, or lower them"
    assert check_manifest(spoilt(tmp_path / "unlocked", EXAMPLES["C503"])).id == "mean-intensity"


def test_every_rule_has_its_example_and_says_what_it_demands() -> None:
    texts = rule_texts()
    assert [one.number for one in texts] == sorted(EXAMPLES)
    assert all(one.demands and one.fix and "\n" not in one.demands + one.fix for one in texts)


@pytest.mark.parametrize("rules", [RULES, REVIEW])
def test_the_rules_of_a_module_are_all_in_its_list_under_their_own_numbers(rules: dict[str, object]) -> None:
    module = inspect.getmodule(next(iter(rules.values())))
    assert module is not None
    written = {
        (ast.get_docstring(node) or "")[:4]: node.name
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.FunctionDef) and re.match(r"C\d\d\d: ", ast.get_docstring(node) or "")
    }
    assert {number: rule.__name__ for number, rule in rules.items()} == written  # type: ignore[attr-defined]


def test_the_guide_lists_every_rule_as_it_is() -> None:
    rows = re.findall(r"^\| (C\d\d\d) \| (error|warning) \| (.*) \| (.*) \|$", GUIDE, flags=re.MULTILINE)
    expected = [(one.number, one.severity, one.demands, one.fix) for one in rule_texts()]
    assert rows == expected, "run .ci/generate"


def test_several_faults_are_counted_and_the_command_that_shows_them_is_named(tmp_path: Path) -> None:
    folder = spoilt(
        tmp_path, lambda plugin: [EXAMPLES[number](plugin) for number in ("C402", "C501", "C604")]
    )
    assert [one.rule for one in faults(folder)] == ["C501", "C402", "C604"]  # as they stand in the file
    with pytest.raises(ContractError, match=rf"and 2 more: assay plugin check {re.escape(str(folder))}\)"):
        check_plugin(folder)


def test_a_folder_without_a_manifest_has_one_fault(tmp_path: Path) -> None:
    (only,) = faults(tmp_path)
    assert (only.rule, only.message) == ("C001", "No such file or directory")


def test_a_manifest_that_is_too_large_is_not_parsed(tmp_path: Path) -> None:
    (tmp_path / "plugin.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    (only,) = faults(tmp_path)
    assert (only.rule, only.message) == ("C001", "larger than 1048576 bytes")
