"""Fields that a stored format gained after it was first written."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, Field


def added(default: Any) -> Any:
    """Declare a field that older documents do not have.

    Parameters
    ----------
    default : object
        What older documents mean by not having it. A field that holds it is left out when the document is written,
        so that what was signed before the field was there keeps its bytes, and with them its name.
    """
    return Field(default=default, exclude_if=lambda value: value == default)


def in_use(document: Any, *names: str) -> list[str]:
    """Which of the added fields ``names`` (all, where none is named) a document holds something in, in that order."""
    names = names or tuple(name for name, field in type(document).model_fields.items() if field.exclude_if)
    written = document.model_dump(include=set(names))
    return [name for name in names if name in written]


def newer_fields(document: BaseModel, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The added fields that a document gives, in it and in the models it holds, as ``dataset.citation``."""
    for name in sorted(document.model_fields_set):
        if type(document).model_fields[name].exclude_if:
            yield ".".join((*path, name))
            continue
        value = getattr(document, name)
        for place, one in enumerate(value) if isinstance(value, tuple) else [("", value)]:
            if isinstance(one, BaseModel):
                yield from newer_fields(one, (*path, name) if place == "" else (*path, name, str(place)))
