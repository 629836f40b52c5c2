"""Which fields a block of a document may have, told from the models: for hints on a name that is wrong or missing."""

import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from plugin_spec.toml_lines import Path


def fields_at(model: type[BaseModel], document: Mapping[str, Any], path: Path) -> list[str]:
    """The names that may stand in the block at ``path``; empty where the block has no fixed names."""
    found = _model_at(model, document, path)
    return list(found.model_fields) if found is not None else []


def belongs_to(model: type[BaseModel], name: str) -> Path | None:
    """The block of the document, or its top (the empty path), that has a field called ``name``."""
    if name in model.model_fields:
        return ()
    for block, field in model.model_fields.items():
        members = [one for one in _models(field.annotation) if name in one.model_fields]
        if members and not _is_list(field.annotation):
            return (block,)
    return None


def hint_for_missing(model: type[BaseModel], document: Mapping[str, Any], path: Path) -> str:
    """How to write the field that is missing at ``path``."""
    block, name = _model_at(model, document, path[:-1]), str(path[-1])
    if block is None or name not in block.model_fields:
        return f"add {name}"
    annotation = block.model_fields[name].annotation
    header = ".".join(str(part) for part in path if not isinstance(part, int))
    if any(_models(annotation)):
        return f"add [[{header}]]" if _is_list(annotation) else f"add [{header}]"
    allowed = _literals(annotation)
    if _is_list(annotation):
        return f"add {name} = […]"
    if allowed:
        return f"add {name} = " + " or ".join(f'"{one}"' for one in allowed)
    return f"add {name} = " + ('"…"' if _is_text(annotation) else "…")


def _model_at(model: type[BaseModel], document: Mapping[str, Any], path: Path) -> type[BaseModel] | None:
    """Return the model of the block at ``path``; of a union, the member whose kind or source the block names."""
    current: type[BaseModel] | None = model
    at: Any = document
    for part in path:
        at = at[part] if holds(at, part) else None
        if isinstance(part, str):
            if current is None or part not in current.model_fields:
                return None
            members = list(_models(current.model_fields[part].annotation))
        current = members[0] if len(members) == 1 else _member(members, at)
    return current


def holds(at: Any, part: str | int) -> bool:
    """Whether a table has a key, or a list an element."""
    return part in at if isinstance(at, Mapping) else isinstance(at, list) and part in range(len(at))


def _member(members: list[type[BaseModel]], block: Any) -> type[BaseModel] | None:
    if not isinstance(block, Mapping):
        return None
    for member in members:
        for tag in ("kind", "source"):
            if tag in member.model_fields and block.get(tag) in _literals(
                member.model_fields[tag].annotation
            ):
                return member
    return None


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model in an annotation, through lists, unions and Annotated."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)


def _literals(annotation: Any) -> tuple[str, ...]:
    if typing.get_origin(annotation) is typing.Literal:
        return typing.get_args(annotation)
    return ()


def _is_list(annotation: Any) -> bool:
    return typing.get_origin(annotation) is tuple


def _is_text(annotation: Any) -> bool:
    return annotation is str or str in typing.get_args(annotation)
