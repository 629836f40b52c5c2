"""The author's hooks: what the contract declares, and that the container side speaks Python 3.8."""

import ast
from pathlib import Path

import pluggy
import pytest

import plugin_spec
from plugin_spec import Case, Refuse, hookimpl
from plugin_spec.hookspecs import PROJECT, PluginHooks
from plugin_spec.host_hooks import HOST_PROJECT, HostHooks, MetricRegistration, host_hookimpl

PACKAGE = Path(plugin_spec.__file__).parent
CONTAINER_SIDE = [
    PACKAGE / "__init__.py",
    PACKAGE / "hookspecs.py",
    PACKAGE / "typed.py",
    *sorted((PACKAGE / "runtime").glob("*.py")),
]


@pytest.mark.parametrize("path", CONTAINER_SIDE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_container_side_keeps_to_the_grammar_of_python_3_8(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path), feature_version=(3, 8))
    assert ast.get_docstring(tree)


@pytest.mark.parametrize("path", CONTAINER_SIDE, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_the_container_side_uses_no_generics_that_python_3_8_lacks(path: Path) -> None:
    builtin = {"dict", "frozenset", "list", "set", "tuple", "type"}
    found = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in builtin
    ]
    assert found == []


def test_a_hook_with_an_argument_nobody_declared_is_refused() -> None:
    class Adapter:
        @hookimpl
        def run_case(self, case: Case, weather: str) -> None: ...

    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(PluginHooks)
    with pytest.raises(pluggy.PluginValidationError, match="weather"):
        manager.register(Adapter())


def test_a_host_extension_yields_its_registrations() -> None:
    dice = MetricRegistration(
        name="dice",
        definition="Overlap.",
        empty_case="not evaluable",
        operands="masks",
        unit="1",
        better="higher",
        worst=0.0,
        source="Dice 1945",
        load=lambda: max,
    )

    class Extension:
        @host_hookimpl
        def assay_metrics(self) -> list[MetricRegistration]:
            return [dice]

    manager = pluggy.PluginManager(HOST_PROJECT)
    manager.add_hookspecs(HostHooks)
    manager.register(Extension())
    assert manager.hook.assay_metrics() == [[dice]]
    assert manager.hook.assay_engines() == []


def test_an_output_path_lies_in_the_output_folder(tmp_path: Path) -> None:
    case = Case("sub-01", {}, {}, output_folder=tmp_path / "out", scratch_folder=tmp_path / "scratch")
    assert case.output_path("tissue.nii.gz") == tmp_path / "out" / "tissue.nii.gz"


def test_a_refusal_carries_its_reason_and_reads_as_its_message() -> None:
    refusal = Refuse("empty-image", "t1: every voxel is 0")
    assert (refusal.reason_code, str(refusal)) == ("empty-image", "t1: every voxel is 0")
