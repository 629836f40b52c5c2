"""Adapters as plain typed functions: ``@algorithm`` for a case, ``@setup`` for what all cases share.

A marked function stays what it is, so that its author can call and test it anywhere. In the container the runtime
registers a `TypedAdapter`, which implements the hooks and calls the functions by name: a parameter is an input port,
a declared parameter of the manifest, or one of `OFFERED`. Declared names come first.
"""

import inspect
import os
import sys
import types
import typing
from pathlib import Path
from typing import Any, Callable, Dict, Final, List, Mapping, Optional, Tuple, TypeVar, Union

from plugin_spec.hookspecs import Case, CaseResult, Context, hookimpl

Function = TypeVar("Function", bound=Callable[..., Any])
_MARK: Final = "__assay_function__"
_UNIONS = (Union, getattr(types, "UnionType", Union))  # ``X | Y`` is of another type than ``Union[X, Y]``
# What a function may ask for besides the manifest's own names.
SHARED: Final = ("weights", "seed", "threads", "gpu")
OFFERED: Final = ("out", "scratch", "case_id", "state", *SHARED)


class SignatureError(TypeError):
    """A function of the adapter does not fit what the manifest declares, or what the request holds."""


def algorithm(function: Function) -> Function:
    """Mark the function that answers for a case.

    Its parameters are inputs (``Path``, ``List[Path]`` where the port takes several, ``Optional[Path]``), declared
    parameters (``int``, ``float``, ``bool``, ``str``, ``Literal``) and, where it asks for them, ``out`` and
    ``scratch`` (folders to write to), ``case_id``, ``state`` (what the ``@setup`` function answered), ``weights``
    (name to path), ``seed``, ``threads`` and ``gpu``. It answers with a mapping of output ports, as in
    `CaseResult.outputs`, or with a `CaseResult`.

    Example
    -------
    >>> @algorithm
    ... def measure(t1: Path, level: float = 0.5) -> dict:
    ...     return {"volumes": {"brain_ml": volume_ml(t1, level)}}
    """
    setattr(function, _MARK, "algorithm")
    return function


def setup(function: Function) -> Function:
    """Mark the function that is called once per container; what it answers is every case's ``state``.

    It may take ``weights``, ``seed``, ``threads`` and ``gpu``.

    Example
    -------
    >>> @setup
    ... def load(weights: Mapping[str, Path]):
    ...     return load_model(weights["model"])
    """
    setattr(function, _MARK, "setup")
    return function


class TypedAdapter:
    """The hooks, carried on to an author's plain functions."""

    def __init__(self, answer: Callable[..., Any], prepare: Optional[Callable[..., Any]]) -> None:
        self._answer = answer
        self._prepare = prepare
        self._shared: Dict[str, Any] = {}

    @hookimpl
    def setup(self, context: Context) -> Any:
        """Keep what every case may ask for, and call the author's ``@setup`` function if there is one."""
        self._shared = {name: getattr(context, name) for name in SHARED}
        if self._prepare is None:
            return None
        return _call(self._prepare, arguments_of(self._prepare, {}, self._shared))

    @hookimpl
    def run_case(self, case: Case, state: Any) -> CaseResult:
        """Call the author's ``@algorithm`` function with the case's files and values."""
        offered = dict(
            self._shared,
            out=case.output_folder,
            scratch=case.scratch_folder,
            case_id=case.id,
            state=state,
        )
        declared = {**case.inputs, **case.parameters}
        return _result_of(self._answer, _call(self._answer, arguments_of(self._answer, declared, offered)))


def typed_adapter(module: types.ModuleType) -> Optional[TypedAdapter]:
    """Find the marked functions of an adapter; ``None`` when it marks none.

    Raises
    ------
    SignatureError
        A mark stands twice, ``@setup`` stands alone, or an annotation is not one that can be filled.
    """
    marked: Dict[str, List[Callable[..., Any]]] = {"algorithm": [], "setup": []}
    for value in vars(module).values():
        mark = getattr(value, _MARK, None) if inspect.isroutine(value) else None
        if mark is not None and value not in marked[mark]:
            marked[mark].append(value)
    for mark, functions in marked.items():
        if len(functions) > 1:
            names = ", ".join(f"{one.__name__}()" for one in functions)
            raise SignatureError(f"@{mark} stands on {names}; a plugin has one such function")
        for one in functions:
            _check_annotations(one)
    if not marked["algorithm"]:
        if marked["setup"]:
            raise SignatureError(
                "@setup stands alone; mark the function that answers for a case with @algorithm"
            )
        return None
    return TypedAdapter(marked["algorithm"][0], marked["setup"][0] if marked["setup"] else None)


def arguments_of(
    function: Callable[..., Any], declared: Mapping[str, Any], offered: Mapping[str, Any]
) -> Dict[str, Any]:
    """Decide what each parameter of ``function`` is given.

    Parameters
    ----------
    declared : mapping of str to Path, list of Path or scalar
        The request's inputs and parameters.
    offered : mapping of str to object
        What may be asked for besides; a declared name hides it.

    Raises
    ------
    SignatureError
        A parameter that nothing fills, a value of another type, or a declared name that the function does not take.
    """
    called = _place(function)
    known = f"the request holds {', '.join(sorted(declared)) or 'nothing'}; besides there are {', '.join(offered)}"
    hints, taken, takes_the_rest = _hints(function), {}, False
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            takes_the_rest = True
        elif name in declared:
            taken[name] = _fitted(called, name, hints.get(name), declared[name])
        elif name in offered:
            taken[name] = offered[name]
        elif _is_optional(hints.get(name)) and parameter.default is inspect.Parameter.empty:
            taken[name] = None
        elif parameter.default is inspect.Parameter.empty:
            raise SignatureError(f"{called} needs {name!r}, but {known}")
    left = sorted(set(declared) - set(taken))
    if left and not takes_the_rest:
        raise SignatureError(f"{called} does not take {left[0]!r}, which the manifest declares; {known}")
    return {**taken, **{name: declared[name] for name in left}}


def _call(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call a function whose parameters may be positional-only."""
    signature = inspect.signature(function)
    positional = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY and name in arguments
    ]
    by_name = {name: value for name, value in arguments.items() if name not in positional}
    return function(*[arguments[name] for name in positional], **by_name)


def _result_of(function: Callable[..., Any], answer: Any) -> CaseResult:
    if isinstance(answer, CaseResult):
        return answer
    if isinstance(answer, Mapping):
        return CaseResult(outputs=dict(answer))
    raise SignatureError(
        f"{_place(function)} answered with {_kind(answer)}; "
        "return a mapping of output ports, such as {'PORT': value or path}, or a CaseResult"
    )


def _check_annotations(function: Callable[..., Any]) -> None:
    hints = _hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise SignatureError(
                f"{function.__name__}() takes *{name}; name each input and parameter instead"
            )
        if name in OFFERED or parameter.kind is inspect.Parameter.VAR_KEYWORD or name not in hints:
            continue
        if not all(_is_known(option) for option in _options(hints[name])):
            raise SignatureError(
                f"{_place(function)}: {name} is annotated {_written(hints[name])}; known are Path, List[Path], "
                "int, float, bool, str and Literal, each also in Optional"
            )


def _hints(function: Callable[..., Any]) -> Dict[str, Any]:
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError, AttributeError) as error:
        version = ".".join(str(number) for number in sys.version_info[:2])
        raise SignatureError(
            f"{_place(function)}: an annotation cannot be read by Python {version}: {error}"
        ) from error
    hints.pop("return", None)
    return hints


def _options(hint: Any) -> Tuple[Any, ...]:
    """The members of a union without None, or the one type there is."""
    if typing.get_origin(hint) in _UNIONS:
        return tuple(one for one in typing.get_args(hint) if one is not type(None))
    return (hint,)


def _is_optional(hint: Any) -> bool:
    return typing.get_origin(hint) in _UNIONS and type(None) in typing.get_args(hint)


def _is_known(option: Any) -> bool:
    if option in (Any, Path, int, float, bool, str) or typing.get_origin(option) is typing.Literal:
        return True
    return _is_list(option) and typing.get_args(option) in ((), (Path,))


def _is_list(option: Any) -> bool:
    return option is list or (
        isinstance(typing.get_origin(option), type) and issubclass(list, typing.get_origin(option))
    )


def _fitted(function: str, name: str, hint: Any, value: Any) -> Any:
    """``value`` as its annotation says, a whole number where a real one is asked for included."""
    if hint is None:
        return value
    for option in _options(hint):
        if option is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if _fits(option, value):
            return value
    raise SignatureError(f"{function}: {name} is annotated {_written(hint)}, but it is given {_kind(value)}")


def _fits(option: Any, value: Any) -> bool:
    if option is Any:
        return True
    if typing.get_origin(option) is typing.Literal:
        return value in typing.get_args(option)
    if _is_list(option):
        return isinstance(value, list)
    if option is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, option)


def _place(function: Callable[..., Any]) -> str:
    """Name a function with its file and line: no frame of it is in a traceback before it is called."""
    code = getattr(function, "__code__", None)
    if code is None:
        return f"{function.__name__}()"
    return f"{function.__name__}() ({os.path.basename(code.co_filename)}, line {code.co_firstlineno})"


def _written(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)


def _kind(value: Any) -> str:
    if isinstance(value, Path):
        return "one file"
    if isinstance(value, list) and value and all(isinstance(one, Path) for one in value):
        return f"a list of {len(value)} files"
    if value is None or isinstance(value, (bool, int, float, str)):
        return f"{value!r}, of type {type(value).__name__}"
    return f"a {type(value).__name__}"
