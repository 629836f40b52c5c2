"""Read a manifest for its author: every fault at once, with number, line and fix; `read_manifest` stops at one."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic

from pydantic import ValidationError

from plugin_spec.faults import Fault
from plugin_spec.manifest import Manifest
from plugin_spec.model import ModelT
from plugin_spec.review import REVIEW
from plugin_spec.rules import COLLECT_FAULTS, faults_of

_AT_LINE: Final = re.compile(r"at line (\d+)")


@dataclass(frozen=True)
class Reading(Generic[ModelT]):
    """A TOML document as far as it could be read, and what is wrong with it.

    Attributes
    ----------
    model : BaseModel or None
        None where the document does not fit the schema; then only C0xx was looked at.
    faults : tuple of Fault
        Errors and warnings, without lines: `plugin_spec.toml_lines.located` finds them in ``text``.
    text : str
        The document; empty where it is none.
    """

    model: ModelT | None
    faults: tuple[Fault, ...]
    text: str


def read_for_author(data: bytes) -> Reading[Manifest]:
    """Read the bytes of a ``plugin.toml``."""
    faults: list[Fault] = []
    reading = read_toml_for_author(data, Manifest, context={COLLECT_FAULTS: faults})
    if reading.model is None:
        return reading
    return Reading(reading.model, (*faults, *faults_of(reading.model, REVIEW)), reading.text)


def read_toml_for_author(
    data: bytes, model: type[ModelT], *, context: Mapping[str, Any] | None = None
) -> Reading[ModelT]:
    """Read a TOML document into a model, with every fault of the document (C0xx).

    Parameters
    ----------
    data : bytes
    model : type of BaseModel
    context : mapping, optional
        Handed on to the model's validators.
    """
    try:
        text = data.decode("utf-8")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        found = _AT_LINE.search(str(error))
        fix = "mend the line; text stands in quotes, and a table's name in brackets"
        fault = Fault("C001", "", f"not valid TOML: {error}", fix, int(found[1]) if found else None)
        return Reading(None, (fault,), "")
    try:
        # JSON mode, as `plugin_spec.model.parse_toml` has it.
        read = model.model_validate_json(json.dumps(document, default=str), context=context)
    except ValidationError as error:
        from plugin_spec.document_faults import faults_in  # needed for a faulty document only

        return Reading(None, tuple(faults_in(error, document, model)), text)
    return Reading(read, (), text)
