"""Read a manifest for its author: every fault at once, with number, line and fix; `read_manifest` stops at one."""

import json
import re
import tomllib
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from plugin_spec.faults import Fault
from plugin_spec.manifest import Manifest
from plugin_spec.review import REVIEW
from plugin_spec.rules import COLLECT_FAULTS, faults_of

_AT_LINE: Final = re.compile(r"at line (\d+)")


@dataclass(frozen=True)
class Reading:
    """A manifest as far as it could be read, and what is wrong with it.

    Attributes
    ----------
    manifest : Manifest or None
        None where the document does not fit the schema; then only C0xx was looked at.
    faults : tuple of Fault
        Errors and warnings, without lines: `plugin_spec.toml_lines.located` finds them in ``text``.
    text : str
        The document; empty where it is none.
    """

    manifest: Manifest | None
    faults: tuple[Fault, ...]
    text: str


def read_for_author(data: bytes) -> Reading:
    """Read the bytes of a ``plugin.toml``."""
    try:
        text = data.decode("utf-8")
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        found = _AT_LINE.search(str(error))
        fix = "mend the line; text stands in quotes, and a table's name in brackets"
        fault = Fault("C001", "", f"not valid TOML: {error}", fix, int(found[1]) if found else None)
        return Reading(None, (fault,), "")
    faults: list[Fault] = []
    try:
        # JSON mode, as `plugin_spec.model.parse_toml` has it.
        manifest = Manifest.model_validate_json(
            json.dumps(document, default=str), context={COLLECT_FAULTS: faults}
        )
    except ValidationError as error:
        from plugin_spec.document_faults import faults_in  # needed for a faulty document only

        return Reading(None, tuple(faults_in(error, document, Manifest)), text)
    return Reading(manifest, (*faults, *faults_of(manifest, REVIEW)), text)
