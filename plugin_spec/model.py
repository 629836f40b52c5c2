"""The base of every model that reads outside input, and how its faults become one clear line."""

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)

from plugin_spec.errors import AssayError, InputError


def _stays_inside(path: str) -> str:
    if ".." in path.split("/"):
        raise ValueError("the path must stay inside its folder")
    return path


Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ReasonCode = Identifier
PortName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
RelativePath = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$"),
    AfterValidator(_stays_inside),
    WithJsonSchema({"type": "string", "pattern": r"^(?!.*/\.\.(/|$))[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$"}),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
MAX_DOCUMENT_BYTES = 1024 * 1024
_DEEP_KEY = re.compile(r"""(?<![\w"'-])[\w"'-]++(?:[ \t]*+\.[ \t]*+[\w"'-]++){64}""")
# What a scaffold or an import writes where only a human knows: `assay plugin check` warns, `submit` refuses.
FILL_IN: Final = "FILL IN:"


class StrictModel(BaseModel):
    """Frozen, strict and closed: an unknown field is a fault, and no value is converted silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


ModelT = TypeVar("ModelT", bound=BaseModel)


def one_line(value: object, *, characters_max: int = 60) -> str:
    """A value from outside as a short part of a message, control characters and line ends escaped."""
    text = str(value)
    text = text if len(text) <= characters_max else f"{text[:characters_max]}…"
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def first_fault(error: ValidationError) -> str:
    """The first thing a model found wrong, as ``field.path: what it should be``."""
    fault = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(one_line(part) for part in fault["loc"])
    message = (
        "unknown field" if fault["type"] == "extra_forbidden" else fault["msg"].removeprefix("Value error, ")
    )
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{path}: {message}{more}" if path else f"{message}{more}"


def read_toml(path: Path, model: type[ModelT], *, error: type[AssayError] = InputError) -> ModelT:
    """Read a TOML document, at most 1 MiB, into a strict model; faults as in `parse_toml`."""
    return parse_toml(read_document(path, error=error), path, model, error=error)


def read_json(path: Path, model: type[ModelT], *, error: type[AssayError] = InputError) -> ModelT:
    """Read a JSON document, at most 1 MiB, into a strict model; faults as in `parse_toml`."""
    try:
        return model.model_validate_json(read_document(path, error=error))
    except ValidationError as fault:
        raise error(f"{path}: {first_fault(fault)}", subject=str(path)) from fault


def read_document(path: Path, *, error: type[AssayError] = InputError) -> bytes:
    """Read a document of at most 1 MiB whole, once: what is parsed is then what is hashed."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as fault:
        raise error(f"{path}: {fault.strerror}", subject=str(path)) from fault
    if len(data) > MAX_DOCUMENT_BYTES:
        raise error(f"{path}: larger than {MAX_DOCUMENT_BYTES} bytes", subject=str(path))
    return data


def parse_toml(
    data: bytes, path: Path, model: type[ModelT], *, error: type[AssayError] = InputError
) -> ModelT:
    """Parse the bytes of a TOML document into a strict model.

    Parameters
    ----------
    data : bytes
        The document.
    path : Path
        Where it came from, for messages.
    model : type of BaseModel
        What it must fit.
    error : type of AssayError, optional
        Raised with one line that names the file and the field.
    """
    try:
        text = data.decode("utf-8")
        if _DEEP_KEY.search(text):
            raise ValueError("a key of more than 64 parts")  # tomllib's time grows with their square
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as fault:  # not TOML, not UTF-8, or a number of too many digits
        raise error(f"{path}: not valid TOML: {fault}", subject=str(path)) from fault
    try:
        # JSON mode, because TOML, like JSON, has neither tuples nor enums; what it does have stays strict.
        return model.model_validate_json(json.dumps(document, default=str))
    except ValidationError as fault:
        hint = f"correct {path.name} and check it again"
        raise error(f"{path}: {first_fault(fault)}", subject=str(path), hint=hint) from fault
