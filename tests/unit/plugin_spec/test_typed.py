"""Adapters as plain typed functions: what each parameter is given, and what does not fit is said before the call."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, List, Literal, Optional  # noqa: UP035 - authors on Python 3.8 write List

import pytest

from plugin_spec import Case, CaseResult, Context, QualityCheck, algorithm, setup
from plugin_spec.runtime.adapter import load_adapter
from plugin_spec.typed import SignatureError, arguments_of, typed_adapter

T1 = Path("in/t1.nii")
FLAIRS = [Path("in/flair-1.nii"), Path("in/flair-2.nii")]
CONTEXT = Context(weights={"net": Path("weights/net")}, seed=7, threads=2, gpu=("GPU-1",))


def module(**functions: object) -> ModuleType:
    made = ModuleType("adapter")
    vars(made).update(functions)
    return made


def answer(
    function: Callable[..., Any],
    inputs: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    prepare: Callable[..., Any] | None = None,
) -> CaseResult:
    """Run one case of an adapter made of these functions, as the runtime does."""
    functions = {"measure": algorithm(function)} | ({"load": setup(prepare)} if prepare else {})
    adapter = typed_adapter(module(**functions))
    assert adapter is not None
    state = adapter.setup(CONTEXT)
    case = Case("sub-01", inputs or {"t1": T1}, parameters or {}, Path("out"), Path("scratch"))
    return adapter.run_case(case, state)


def test_a_marked_function_can_still_be_called_as_it_stands() -> None:
    @algorithm
    def measure(t1: Path, level: float = 0.5) -> dict[str, Any]:
        return {"numbers": {"level": level, "name": t1.name}}

    assert measure(T1, 0.25) == {"numbers": {"level": 0.25, "name": "t1.nii"}}


def test_inputs_and_parameters_arrive_by_name() -> None:
    def measure(t1: Path, flair: list[Path], level: float, fast: bool, mode: str) -> dict[str, Any]:
        return {"numbers": [t1, flair, level, fast, mode]}

    given = {"level": 0.25, "fast": True, "mode": "thick"}
    result = answer(measure, {"t1": T1, "flair": FLAIRS}, given)
    assert result == CaseResult(outputs={"numbers": [T1, FLAIRS, 0.25, True, "thick"]})


def test_what_may_be_asked_for_besides() -> None:
    def load(weights: Mapping[str, Path], seed: int, threads: int, gpu: Sequence[str]) -> tuple[object, ...]:
        return weights["net"].name, seed, threads, gpu

    def measure(t1, *, out, scratch, case_id, state, weights, seed, threads, gpu):  # type: ignore[no-untyped-def]  # as many authors write
        return {"numbers": [out, scratch, case_id, state, weights, seed, threads, gpu]}

    state = ("net", 7, 2, ("GPU-1",))
    shared = [CONTEXT.weights, 7, 2, ("GPU-1",)]
    expected = [Path("out"), Path("scratch"), "sub-01", state, *shared]
    assert answer(measure, prepare=load).outputs == {"numbers": expected}


def test_a_declared_name_comes_before_one_that_is_offered() -> None:
    def measure(t1: Path, seed: int) -> dict[str, Any]:
        return {"numbers": {"seed": seed}}

    assert answer(measure, parameters={"seed": 99}).outputs == {"numbers": {"seed": 99}}


def test_an_optional_input_that_is_absent_is_none_or_its_default() -> None:
    def measure(
        t1: Path,
        t2: Path | None,
        pd: Optional[Path],  # noqa: UP045 - as on Python 3.8
        flair: Path | None = None,
    ) -> dict[str, Any]:
        return {"numbers": [t2, pd, flair]}

    assert answer(measure).outputs == {"numbers": [None, None, None]}
    assert answer(measure, {"t1": T1, "t2": Path("t2"), "pd": Path("pd")}).outputs == {
        "numbers": [Path("t2"), Path("pd"), None]
    }


def test_a_whole_number_becomes_the_real_number_that_is_asked_for() -> None:
    def measure(t1: Path, level: float) -> dict[str, Any]:
        return {"numbers": type(level).__name__}

    assert answer(measure, parameters={"level": 1}).outputs == {"numbers": "float"}


def test_a_case_result_passes_as_it_is() -> None:
    result = CaseResult(outputs={"numbers": []}, qc=[QualityCheck("snr", "pass", 1.0)])
    assert answer(lambda t1: result) is result


def test_the_rest_may_be_taken_together_and_the_first_by_place() -> None:
    def measure(t1: Path, /, **rest: Any) -> dict[str, Any]:
        return {"numbers": [t1, rest]}

    assert answer(measure, parameters={"level": 1.0}).outputs == {"numbers": [T1, {"level": 1.0}]}


def _annotated(hint: Any) -> Callable[..., Any]:
    def measure(value):  # type: ignore[no-untyped-def]  # annotated below
        raise AssertionError("the algorithm ran")

    measure.__annotations__ = {"value": hint}
    return measure


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (Path, FLAIRS, "value is annotated Path, but it is given a list of 2 files"),
        (List[Path], T1, r"annotated typing.List\[pathlib.Path\], but it is given one file"),  # noqa: UP006 - as on Python 3.8
        (list[Path], T1, r"annotated list\[pathlib.Path\], but it is given one file"),
        (str, T1, "value is annotated str, but it is given one file"),
        (int, 0.5, "value is annotated int, but it is given 0.5, of type float"),
        (int, True, "value is annotated int, but it is given True, of type bool"),
        (bool, 1, "value is annotated bool, but it is given 1, of type int"),
        (Literal["thin", "thick"], "fat", "but it is given 'fat', of type str"),
        (Path | None, 1.0, "but it is given 1.0, of type float"),
    ],
)
def test_a_value_of_another_type_is_refused_before_the_algorithm_runs(
    hint: Any, value: object, message: str
) -> None:
    with pytest.raises(SignatureError, match=rf"^measure\(\).*: .*{message}"):
        arguments_of(_annotated(hint), {"value": value}, {})


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Path, T1),
        (list[Path], FLAIRS),
        (Sequence[Path], FLAIRS),
        (list, FLAIRS),
        (Literal["thin", "thick"], "thin"),
        (Path | None, T1),
        (Any, T1),
        (float | str, "x"),
    ],
)
def test_a_value_of_the_annotated_type_is_handed_on(hint: Any, value: object) -> None:
    assert arguments_of(_annotated(hint), {"value": value}, {}) == {"value": value}


def test_a_name_that_nothing_fills_is_named_with_what_there_is() -> None:
    def measure(t1: Path, t2: Path) -> None:
        raise AssertionError("the algorithm ran")

    expected = (
        r"measure\(\).* needs 't2', but the request holds level, t1; besides there are weights, .*, out, .*"
    )
    with pytest.raises(SignatureError, match=expected):
        answer(measure, parameters={"level": 0.5})


def test_a_declared_parameter_that_the_function_ignores_is_named() -> None:
    def measure(t1: Path, lvl: float = 0.5) -> None:
        raise AssertionError("the algorithm ran")

    with pytest.raises(
        SignatureError, match=r"measure\(\).* does not take 'level', which the manifest declares"
    ):
        answer(measure, parameters={"level": 0.5})


def test_a_setup_that_wants_a_case_is_told_what_there_is() -> None:
    def load(t1: Path) -> None:
        raise AssertionError("the set-up ran")

    with pytest.raises(SignatureError, match=r"load\(\).* needs 't1', .* besides there are weights, seed"):
        answer(lambda t1: {}, prepare=load)


@pytest.mark.parametrize(("value", "kind"), [(None, "None"), (0.5, "0.5"), ([], "a list"), (T1, "one file")])
def test_an_answer_that_names_no_ports_is_refused(value: object, kind: str) -> None:
    with pytest.raises(SignatureError, match=rf"answered with {kind}.*return a mapping of output ports"):
        answer(lambda t1: value)


@pytest.mark.parametrize("hint", [dict, list[str], bytes, Path | bytes])
def test_an_annotation_that_cannot_be_filled_is_found_at_once(hint: Any) -> None:
    with pytest.raises(
        SignatureError, match=r"measure\(\).*: value is annotated .*known are Path, List\[Path\]"
    ):
        typed_adapter(module(measure=algorithm(_annotated(hint))))


def test_an_annotation_that_cannot_be_read_is_found_at_once() -> None:
    with pytest.raises(
        SignatureError, match="an annotation cannot be read by Python 3.*'Image' is not defined"
    ):
        typed_adapter(module(measure=algorithm(_annotated("Image"))))


def test_a_function_that_takes_whatever_comes_is_refused() -> None:
    def measure(*files: Path) -> dict[str, Any]:
        return {"numbers": files}

    with pytest.raises(SignatureError, match=r"measure\(\).* takes \*files"):
        typed_adapter(module(measure=algorithm(measure)))


def test_a_mark_stands_once_and_setup_not_alone() -> None:
    first, second = algorithm(lambda t1: {}), algorithm(lambda t1: {})
    with pytest.raises(SignatureError, match="@algorithm stands on .*a plugin has one such function"):
        typed_adapter(module(first=first, second=second))
    assert typed_adapter(module(first=first, same=first)) is not None
    with pytest.raises(SignatureError, match="@setup stands alone"):
        typed_adapter(module(load=setup(lambda: None)))
    assert typed_adapter(module(answer=answer, algorithm=algorithm)) is None


def test_an_adapter_of_functions_and_one_of_hooks_do_not_mix_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        from plugin_spec import algorithm, hookimpl

        @algorithm
        def measure(t1): return {}

        @hookimpl
        def describe_environment(): return {"tool": "1"}
    """
    (tmp_path / "functions_and_versions.py").write_text(textwrap.dedent(source))
    twice = textwrap.dedent(source) + "\n@hookimpl\ndef run_case(case, state): ...\n"
    (tmp_path / "functions_and_hooks.py").write_text(twice)
    monkeypatch.syspath_prepend(str(tmp_path))
    hooks = load_adapter("functions_and_versions").hook
    assert hooks.describe_environment() == {"tool": "1"}
    with pytest.raises(TypeError, match="implements more than one run_case hook"):
        load_adapter("functions_and_hooks")


def test_postponed_annotations_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        from __future__ import annotations
        from pathlib import Path
        from plugin_spec import algorithm

        @algorithm
        def measure(t1: Path, level: int) -> dict: return {}
    """
    (tmp_path / "postponed.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(str(tmp_path))
    case = Case("sub-01", {"t1": T1}, {"level": 0.5}, Path("out"), Path("scratch"))
    hooks = load_adapter("postponed").hook
    assert hooks.setup(context=CONTEXT) is None
    with pytest.raises(SignatureError, match="level is annotated int"):
        hooks.run_case(case=case, state=None)
