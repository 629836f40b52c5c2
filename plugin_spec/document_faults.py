"""What does not fit the manifest's schema, in the author's words: pydantic's errors as numbered faults.

Invariants: one fault per field, however many members a union has; a path leads through the document as it is written,
without the names pydantic gives to the members of a union.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from plugin_spec.faults import Fault, RuleText
from plugin_spec.field_names import belongs_to, fields_at, hint_for_missing, holds
from plugin_spec.patterns import MEANINGS
from plugin_spec.toml_lines import Path

DOCUMENT_RULES: Final = (
    RuleText("C001", "plugin.toml is there, at most 1 MiB, and valid TOML", "write it, or mend the line"),
    RuleText("C002", "no field stands there that the contract does not know", "correct the name, or move it"),
    RuleText("C003", "every field that must be there is there", "add it"),
    RuleText("C004", "a value has the type of its field", "write text in quotes, numbers without"),
    RuleText("C005", "a value is one that its field allows", "write an allowed value"),
    RuleText("C006", "kind and source name something there is", "write one of the names listed"),
    RuleText("C007", "a block does not contradict itself", "make its fields agree"),
)
_WANTED: Final = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list in [ ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
# The bound in pydantic's context, and how it is said.
_BOUNDS: Final = {
    "greater_than": ("gt", "a number above {}"),
    "greater_than_equal": ("ge", "{} or more"),
    "less_than": ("lt", "a number below {}"),
    "less_than_equal": ("le", "{} or less"),
    "string_too_short": ("min_length", "at least {} character(s)"),
    "string_too_long": ("max_length", "at most {} characters"),
    "too_short": ("min_length", "at least {} of them"),
    "too_long": ("max_length", "at most {} of them"),
}


@dataclass(frozen=True)
class _Place:
    """An error with where it is in the document: the path, the value there, and what of pydantic's path is left."""

    error: ErrorDetails
    path: Path
    value: Any
    rest: tuple[str | int, ...]


def faults_in(error: ValidationError, document: Mapping[str, Any], model: type[BaseModel]) -> list[Fault]:
    """The faults of a document that does not fit a model.

    Parameters
    ----------
    error : ValidationError
        From reading ``document`` into ``model``.
    document : mapping
        As tomllib reads it.
    """
    places = [_place(one, document) for one in error.errors(include_url=False, include_input=False)]
    by_path: dict[tuple[Path, str], list[_Place]] = {}
    for place in places:
        if not _is_an_echo(place):
            by_path.setdefault(_field(place), []).append(place)
    return [_fault(group, model, document) for group in by_path.values()]


def path_text(path: Path) -> str:
    """A path as it is shown: ``outputs.0.grid_of``."""
    return ".".join(str(part) for part in path)


def _place(error: ErrorDetails, document: Mapping[str, Any]) -> _Place:
    """Follow an error's path through the document, past the names of union members."""
    path: Path = ()
    at: Any = document
    parts = error["loc"]
    for number, part in enumerate(parts):
        if holds(at, part):
            at = at[part]
        elif isinstance(at, Mapping) and part in (at.get("kind"), at.get("source", "packages")):
            continue  # the member of a union on kind or source
        else:
            return _Place(error, path, at, parts[number:])
        path = (*path, part)
    return _Place(error, path, at, ())


def _field(place: _Place) -> tuple[Path, str]:
    """What is told once: a field and the kind of its fault. Fields that are missing are told one by one."""
    if place.error["type"] == "missing":
        return (*place.path, *place.rest), "missing"
    return place.path, "" if _in_union(place) else place.error["type"]


def _in_union(place: _Place) -> bool:
    return bool(place.rest) and place.error["type"] != "missing" and place.rest != ("[key]",)


def _is_an_echo(place: _Place) -> bool:
    """Whether pydantic counts elements that it dropped itself, since each has its own fault."""
    wanted = place.error.get("ctx", {}).get("min_length", 0)
    return place.error["type"] == "too_short" and isinstance(place.value, list) and len(place.value) >= wanted


def _fault(group: list[_Place], model: type[BaseModel], document: Mapping[str, Any]) -> Fault:
    first = group[0]
    kind = first.error["type"]
    if kind == "extra_forbidden":
        return _unknown(first, model, document)
    if kind == "missing":
        return _missing(first, model, document)
    if kind.startswith("union_tag"):
        return _kind(first)
    if all(place.error["type"] in _WANTED for place in group):
        return _type(group)
    if kind == "value_error" and isinstance(first.value, Mapping):
        message, _, fix = _said(first).partition("; ")
        return Fault("C007", path_text(first.path), message, fix or "make its fields agree")
    # Of a union's members, the one that has something to say about the value, not about its type.
    return _value(next(place for place in group if place.error["type"] not in _WANTED))


def _unknown(place: _Place, model: type[BaseModel], document: Mapping[str, Any]) -> Fault:
    name, around = str(place.path[-1]), place.path[:-1]
    known = fields_at(model, document, around)
    near = get_close_matches(name, known, n=1, cutoff=0.7)
    home = belongs_to(model, name)
    if near:
        fix = f"did you mean {near[0]}?"
    elif home is not None and home != around:
        where = f"in [{path_text(home)}]" if home else "at the top, before the first [table]"
        fix = f"it stands {where}"
    else:
        fix = f"remove it; known here: {', '.join(known)}"
    return Fault("C002", path_text(place.path), "unknown field", fix)


def _missing(place: _Place, model: type[BaseModel], document: Mapping[str, Any]) -> Fault:
    path = (*place.path, *place.rest)
    return Fault("C003", path_text(path), "is missing", hint_for_missing(model, document, path))


def _kind(place: _Place) -> Fault:
    context = place.error["ctx"]
    field = str(context["discriminator"]).strip("'")
    if "expected_tags" not in context:
        return Fault("C003", path_text((*place.path, field)), "is missing", f'add {field} = "…"')
    known = [tag.strip(" '") for tag in str(context["expected_tags"]).split(",")]
    near = get_close_matches(str(context["tag"]), known, n=1, cutoff=0.6)
    fix = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known)}"
    message = f"there is no {field} {context['tag']!r} here"
    return Fault("C006", path_text((*place.path, field)), message, fix)


def _type(group: list[_Place]) -> Fault:
    wanted = " or ".join(dict.fromkeys(_WANTED[place.error["type"]] for place in group))
    place = group[0]
    return Fault("C004", path_text(place.path), f"is {described(place.value)}", f"write {wanted}")


def _value(place: _Place) -> Fault:
    error = place.error
    context = error.get("ctx", {})
    meaning = MEANINGS.get(str(context.get("pattern", "")))
    if "[key]" in place.rest:
        name = place.path[-1]
        return Fault(
            "C005", path_text(place.path), f"{name!r} is no name", f"write {meaning or _said(place)}"
        )
    if meaning is not None:
        message = f"{described(place.value)} does not fit"
        return Fault("C005", path_text(place.path), message, f"write {meaning}")
    if error["type"] == "literal_error":
        known = [one.strip(" '") for one in str(context["expected"]).replace(" or ", ", ").split(",")]
        near = get_close_matches(str(place.value), known, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(known)}"
        return Fault("C005", path_text(place.path), f"{described(place.value)} is not allowed", fix)
    if error["type"] in _BOUNDS:
        bound, what = _BOUNDS[error["type"]]
        fix = what.format(context[bound])
        return Fault(
            "C005", path_text(place.path), f"{described(place.value)} is out of bounds", f"write {fix}"
        )
    message, _, fix = _said(place).partition("; ")
    return Fault("C005", path_text(place.path), message, fix or "write an allowed value")


def _said(place: _Place) -> str:
    """Return pydantic's words, or a validator's own, about a value."""
    return place.error["msg"].removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")


def described(value: Any) -> str:
    """Name a value and its type, as an author would."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f'the text "{value if len(value) <= 60 else value[:57] + "…"}"'
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "a table"
    return "a date or time"
