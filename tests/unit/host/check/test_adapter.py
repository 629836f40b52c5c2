"""Adapters are read and never imported: what the contract gives a function, and what it asks for."""

from pathlib import Path

import pytest

from host.check.plugin import inspect_plugin
from tests.support.clean_plugin import CleanPlugin

HEAD = "from plugin_spec import algorithm, hookimpl, setup\n"


def told(folder: Path, source: str, **document: object) -> list[str]:
    plugin = CleanPlugin()
    plugin.files["adapter.py"] = source.encode()
    plugin.document.update(document)
    checked = inspect_plugin(plugin.write(folder))
    return [f"{one.rule} {one.message}" for one in checked.faults]


ACCEPTED = {
    "a typed function": HEAD + "@algorithm\ndef measure(t1): ...",
    "one that takes what is offered": HEAD + "@algorithm\ndef f(t1, *, out, seed): ...",
    "one with a value of its own": HEAD + "@algorithm\ndef f(t1, level=2): ...",
    "one that may be given nothing": HEAD + "@algorithm\ndef f(t1, flair: 'Path | None'): ...",
    "a module's name before the mark": "import plugin_spec as ps\n@ps.algorithm\ndef f(t1): ...",
    "another name for the mark": "from plugin_spec import algorithm as a\n@a\ndef f(**all): ...",
    "hooks": HEAD + "@hookimpl\ndef run_case(case, state): ...\n@hookimpl\ndef setup(context): ...",
    "hooks with options": HEAD + "@hookimpl(tryfirst=True)\ndef run_case(case): ...",
    "hooks out of a module beside": "from engine import run_case\n",
    "hooks out of everything in a module": "from engine import *\n",
    "a hook made by assignment": HEAD + "def f(case): ...\nrun_case = hookimpl(f)\n",
    "a mark called as a function": HEAD + "def f(t1): ...\ng = algorithm(f)\n",
    "everything of the contract": "from plugin_spec import *\n@algorithm\ndef f(t1): ...",
    "a fallback import": "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n"
    + HEAD
    + "if True:\n    @algorithm\n    def f(t1): ...",
    "an unmarked helper called setup": HEAD + "def setup(): ...\n@algorithm\ndef f(t1): ...",
    "an invalid escape, which only warns": HEAD + "x = '\\d'\n@algorithm\ndef f(t1): ...",
}
REFUSED = {
    "nothing": ("", "C502 adapter.py has no function marked @algorithm, and no run_case"),
    "everything of the contract, and nothing marked": (
        "from plugin_spec import *\n",
        "C502 adapter.py has no function marked @algorithm, and no run_case",
    ),
    "no mark": (
        "def run_case(case, state): ...",
        "C502 adapter.py line 1: run_case is not marked as a hook",
    ),
    "somebody else's mark": (
        "from pluggy import hookimpl\n@hookimpl\ndef run_case(case): ...",
        "C502 adapter.py line 3: run_case is not marked as a hook",
    ),
    "an argument nobody gives": (
        HEAD + "@hookimpl\ndef run_case(case, model): ...",
        "C502 adapter.py line 3: run_case takes model, which no hook is given",
    ),
    "an input nobody declares": (
        HEAD + "@algorithm\ndef f(t1, t2): ...",
        "C502 adapter.py line 3: f() needs 't2', which nothing declares",
    ),
    "an input that is not taken": (
        HEAD + "@algorithm\ndef f(): ...",
        "C502 adapter.py line 3: f() does not take t1, declared in plugin.toml",
    ),
    "two algorithms": (
        HEAD + "@algorithm\ndef f(t1): ...\n@algorithm\ndef g(t1): ...",
        "C502 @algorithm stands on f, g",
    ),
    "a NUL": ("\0", "C501 adapter.py: "),
    "a line that is not Python": ("x = (\n", "C501 adapter.py: line 1: "),
    "brackets without end": ("(" * 5000, "C501 adapter.py: "),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_it_is_accepted(case: str, tmp_path: Path) -> None:
    assert told(tmp_path, ACCEPTED[case]) == []


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused(case: str, tmp_path: Path) -> None:
    source, said = REFUSED[case]
    (only,) = told(tmp_path, source)
    assert only.startswith(said)


def test_nothing_of_an_adapter_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    source = f"open({str(mark)!r}, 'w')\n" + HEAD + "@algorithm\ndef f(t1): ..."
    assert told(tmp_path / "plugin", source) == []
    assert not mark.exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("case.inputs['t3']", "inputs['t3']"),
        ("case.inputs.get('t3')", "inputs['t3']"),
        ("case.parameters['level']", "parameters['level']"),
        ("context.weights['net']", "weights['net']"),
        ("CaseResult(outputs={'volume': 1})", "outputs['volume']"),
        ("CaseResult({'volume': 1})", "outputs['volume']"),
    ],
)
def test_a_name_that_is_not_declared_is_a_warning(line: str, said: str, tmp_path: Path) -> None:
    source = HEAD + f"@hookimpl\ndef run_case(case, state):\n    return {line}\n"
    (only,) = told(tmp_path, source)
    assert only == f"C751 adapter.py line 4: {said} is not declared"


def test_what_a_typed_function_returns_is_looked_at_and_what_functions_inside_it_return_is_not(
    tmp_path: Path,
) -> None:
    source = (
        HEAD + "@algorithm\ndef f(t1):\n    def g():\n        return {'x': 1}\n    return {'mask': g()}\n"
    )
    assert told(tmp_path, source) == ["C751 adapter.py line 6: outputs['mask'] is not declared"]


@pytest.mark.parametrize("line", ["case.inputs[name]", "other.inputs['t3']", "config.get('t3')", "{'t3': 1}"])
def test_what_cannot_be_told_is_left_alone(line: str, tmp_path: Path) -> None:
    source = HEAD + f"@hookimpl\ndef run_case(case, state):\n    name = 't1'\n    return {line}\n"
    assert told(tmp_path, source) == []
