"""An adapter's source as a syntax tree: what it defines, how it is marked, and which names it looks up."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

Function = ast.FunctionDef | ast.AsyncFunctionDef
_PACKAGE: Final = "plugin_spec"
# What a table of the contract is an attribute of, where the contract's own names are used.
_OWNERS: Final = {"inputs": "case", "parameters": "case", "weights": "context"}


def parsed(text: str) -> "Source | str":
    """The tree of a module, or why it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the adapter, not of ours
            return Source(ast.parse(text))
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return str(error) or "nested too deeply"


@dataclass(frozen=True)
class Source:
    """A module's tree, and what is asked of it more than once."""

    tree: ast.Module

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function of the module, those inside ``if`` and ``try`` too."""
        return tuple(_functions(self.tree.body))

    @cached_property
    def _imports(self) -> tuple[ast.Import | ast.ImportFrom, ...]:
        return tuple(one for one in ast.walk(self.tree) if isinstance(one, (ast.Import, ast.ImportFrom)))

    def may_bind(self, name: str) -> bool:
        """Whether an import (of ``*`` too) or an assignment may give the module a name, where no ``def`` does."""
        imported = {
            alias.asname or alias.name
            for one in self._imports
            if isinstance(one, ast.ImportFrom) and one.module != _PACKAGE
            for alias in one.names
        }
        assigned = {
            target.id
            for one in self.tree.body
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        return bool({name, "*"} & imported) or name in assigned

    def calls(self, mark: str) -> bool:
        """Whether a decorator of the contract is called as a function: ``algorithm(measure)``."""
        written = self._spellings(mark)
        return any(
            isinstance(one, ast.Call) and dotted(one.func) in written
            for statement in self.tree.body
            if not isinstance(statement, Function)
            for one in ast.walk(statement)
        )

    def is_marked(self, function: Function, mark: str) -> bool:
        """Whether a decorator of the contract (``hookimpl``, ``algorithm``, ``setup``) stands on a function."""
        written = self._spellings(mark)
        return any(dotted(one) in written for one in function.decorator_list)

    def _spellings(self, mark: str) -> set[str]:
        """Return every way this module may write a decorator."""
        found = {f"{_PACKAGE}.{mark}"}
        for one in self._imports:
            if isinstance(one, ast.Import):
                found |= {f"{alias.asname}.{mark}" for alias in one.names if alias.name == _PACKAGE}
            elif (one.module or "").split(".")[0] == _PACKAGE:
                found |= {alias.asname or mark for alias in one.names if alias.name in (mark, "*")}
        return found

    def names_looked_up(self) -> Iterator[tuple[str, str, int]]:
        """Every literal name that is looked up in a table of the case, or answered: table, name and line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Subscript):
                yield from _looked_up(node.value, node.slice)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "get"
            ):
                yield from (one for key in node.args[:1] for one in _looked_up(node.func.value, key))
            elif isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "CaseResult":
                answers = [one.value for one in node.keywords if one.arg == "outputs"] + node.args[:1]
                yield from (one for answer in answers for one in _answered(answer))
            elif isinstance(node, Function) and self.is_marked(node, "algorithm"):
                yield from (one for answer in _returned(node) for one in _answered(answer))


def _functions(body: list[ast.stmt]) -> Iterator[Function]:
    for one in body:
        if isinstance(one, Function):
            yield one
        elif isinstance(one, (ast.If, ast.Try)):
            handlers = one.handlers if isinstance(one, ast.Try) else []
            yield from _functions(
                [*one.body, *(line for each in handlers for line in each.body), *one.orelse]
            )


def dotted(node: ast.expr) -> str:
    """An expression's dotted name, a call opened; empty for anything else."""
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def arguments(function: Function) -> list[str]:
    """The names of a function's parameters, without ``*`` and ``**``."""
    given = function.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def needed_arguments(function: Function) -> list[str]:
    """The parameters that have no default and are not annotated as optional."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    bare = positional[: len(positional) - len(given.defaults)]
    bare += [one for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default is None]
    return [one.arg for one in bare if "None" not in _written(one) and "Optional" not in _written(one)]


def _written(argument: ast.arg) -> str:
    return ast.unparse(argument.annotation) if argument.annotation is not None else ""


def _looked_up(table: ast.expr, key: ast.expr) -> Iterator[tuple[str, str, int]]:
    if isinstance(table, ast.Attribute) and dotted(table.value) == _OWNERS.get(table.attr):
        yield from _literal(table.attr, key)


def _returned(function: Function) -> Iterator[ast.expr]:
    """Return what a function returns; functions inside it return for themselves."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def _answered(outputs: ast.expr) -> Iterator[tuple[str, str, int]]:
    if isinstance(outputs, ast.Dict):
        for key in outputs.keys:
            if key is not None:
                yield from _literal("outputs", key)


def _literal(table: str, key: ast.expr) -> Iterator[tuple[str, str, int]]:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        yield table, key.value, key.lineno
