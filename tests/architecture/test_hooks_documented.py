"""The guide of plugin_spec names every hook and every argument an author can implement."""

import inspect
from pathlib import Path

import pytest

import plugin_spec
from plugin_spec.hookspecs import PROJECT, PluginHooks
from plugin_spec.host_hooks import HOST_PROJECT, HostHooks

GUIDE = (Path(plugin_spec.__file__).parent / "README.md").read_text(encoding="utf-8")


def hooks_of(declared: type, project: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each hook of a hookspec class with its arguments."""
    return [
        (name, tuple(inspect.signature(function).parameters)[1:])
        for name, function in vars(declared).items()
        if hasattr(function, f"{project}_spec")
    ]


HOOKS = hooks_of(PluginHooks, PROJECT) + hooks_of(HostHooks, HOST_PROJECT)


def test_the_hooks_are_found() -> None:
    assert {"setup", "run_case", "describe_environment", "assay_engines"} <= {name for name, _ in HOOKS}


@pytest.mark.parametrize(("name", "arguments"), HOOKS, ids=[name for name, _ in HOOKS])
def test_a_hook_has_a_row_that_names_its_arguments(name: str, arguments: tuple[str, ...]) -> None:
    row = next((line for line in GUIDE.splitlines() if line.startswith(f"| `{name}` |")), "")
    assert row, f"plugin_spec/README.md has no row for the hook {name}"
    assert [argument for argument in arguments if f"`{argument}`" not in row] == []


@pytest.mark.parametrize("declared", [PluginHooks, HostHooks])
def test_a_hook_says_when_it_fires_and_shows_an_example(declared: type) -> None:
    for name, function in vars(declared).items():
        if name.startswith("_"):
            continue
        text = inspect.getdoc(function) or ""
        assert text.startswith("Fires "), name
        assert ">>> " in text, name
