"""The table of nouns says what the modules say, and loads each when it is called."""

import inspect
import pkgutil
from importlib import import_module

import pytest

import host.cli
from host.cli import nouns
from tests.support.cli import Cli


@pytest.mark.parametrize("noun", nouns.NOUNS)
def test_the_line_of_a_noun_is_the_first_line_of_its_own_help(noun: str) -> None:
    said = nouns.load(noun).help or ""
    assert said.splitlines()[0] == nouns.NOUNS[noun]


def test_every_module_with_verbs_is_in_the_table() -> None:
    modules = {
        one.name: import_module(f"host.cli.{one.name}") for one in pkgutil.iter_modules(host.cli.__path__)
    }
    with_verbs = {name for name, module in modules.items() if hasattr(module, "app") and name != "app"}
    alone = {name for name, module in modules.items() if inspect.isfunction(getattr(module, name, None))}
    assert with_verbs | alone == set(nouns.NOUNS)


def test_a_word_close_to_a_noun_is_told_the_noun(nowhere: Cli) -> None:
    assert "'catalogue'" in nowhere("catalog", "list").refused().message


def test_a_shell_completes_nouns_from_the_table_and_verbs_from_their_module() -> None:
    from typer._completion_classes import BashComplete

    complete = BashComplete(nouns.root(), {}, "assay", "_ASSAY_COMPLETE")
    assert [one.value for one in complete.get_completions([], "tr")] == ["trace", "trust", "trial"]
    assert "lock" in [one.value for one in complete.get_completions(["trial"], "")]
