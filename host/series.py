"""A series of signings: who gave id and pass phrase, in which login, and until when the id need not be given again.

The file holds no secret and opens nothing: the pass phrase is asked for at every signing, since an encrypted key file
cannot be opened without it, and a copy of it at rest would be a key in the clear. Whoever edits the file saves
themselves typing an id.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from plugin_spec.files import write_atomic
from plugin_spec.model import StrictModel
from registry.statements import Timestamp

_NAME = "signing-series.json"
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_MAX_BYTES = 4096


class Series(StrictModel):
    """One continuous period of access, by one person, in one login."""

    contract: Literal["assay.signing-series/1"] = "assay.signing-series/1"
    person: str
    login: str
    begun: Timestamp
    until: Timestamp


def login() -> str:
    """Name this login: the user, the machine's start and the leading process of the terminal's session."""
    boot = _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else ""
    return f"{os.getuid()}:{boot}:{os.getsid(0)}"


def find(folder: Path, now: datetime) -> Series | None:
    """The series that is open in this login; None where there is none, or it ran out."""
    try:
        with (folder / _NAME).open("rb") as stream:
            found = Series.model_validate_json(stream.read(_MAX_BYTES))
    except (FileNotFoundError, ValidationError):
        return None
    open_still = datetime.fromisoformat(found.begun) <= now < datetime.fromisoformat(found.until)
    return found if open_still and found.login == login() else None


def keep(folder: Path, person: str, now: datetime, minutes: int) -> Series:
    """Begin a series, or go on with this person's: it stays open for some minutes after its last signing."""
    known = find(folder, now)
    begun = known.begun if known is not None and known.person == person else now.isoformat(timespec="seconds")
    until = (now + timedelta(minutes=minutes)).isoformat(timespec="seconds")
    series = Series(person=person, login=login(), begun=begun, until=until)
    write_atomic(folder / _NAME, series.model_dump_json().encode() + b"\n", mode=0o600)
    return series


def end(folder: Path) -> None:
    """Break the series, so that the next signing takes both components."""
    (folder / _NAME).unlink(missing_ok=True)
