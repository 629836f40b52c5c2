"""Fields that came to a contract after its first version: declared where they stand, refused in an older file."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

_SINCE: Final = "since"


def since(version: int) -> dict[str, Any]:
    """Mark a field, as ``Field(json_schema_extra=since(2))``, as one that an older file may not have."""
    return {_SINCE: version}


def newer_fields(model: BaseModel, version: int, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The fields a file gives that came after ``version`` of its contract, as ``dataset.citation``.

    Parameters
    ----------
    model : BaseModel
        As it was read; a field left to its default was not given.
    version : int
        What the file says it is.
    """
    for name in sorted(model.model_fields_set):
        extra = type(model).model_fields[name].json_schema_extra
        if isinstance(extra, dict) and int(str(extra.get(_SINCE, 0))) > version:
            yield ".".join((*path, name))
            continue
        value = getattr(model, name)
        for place, one in enumerate(value) if isinstance(value, tuple) else [("", value)]:
            if isinstance(one, BaseModel):
                below = (*path, name) if place == "" else (*path, name, str(place))
                yield from newer_fields(one, version, below)
