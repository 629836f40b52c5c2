"""Requirement files of an image: pinned versions with hashes, and nothing else.

No options, links, editable installs or further files: what is not listed here cannot get into an image.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from host.errors import RequirementsError

MAX_REQUIREMENTS_BYTES = 4 * 1024**2
_HASH = re.compile(r"\s+--hash=(\S+)")
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._, -]*\])?\s*=="
    r"\s*(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)\s*(?:;(?P<marker>[^\n]*))?"
)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class PinnedRequirement:
    """One requirement.

    Attributes
    ----------
    name : str
        Normalised: lower case, with ``-`` between the words.
    sha256s : frozenset of str
        The files that may satisfy it, each ``sha256:`` and 64 digits.
    marker : str
        When it applies (``sys_platform == "linux"``); empty for always.
    """

    name: str
    version: str
    sha256s: frozenset[str]
    marker: str = ""

    def line(self) -> str:
        """Return the requirement without its hashes."""
        return f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")


def normal_name(name: str) -> str:
    """Return the one spelling that stands for all spellings of a project's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_requirements(path: Path) -> tuple[PinnedRequirement, ...]:
    """Read a requirements file as ``uv pip compile --generate-hashes`` writes it.

    Raises
    ------
    RequirementsError
        The file cannot be read, or a line is not ``name==version --hash=sha256:…``.
    """
    try:
        if path.stat().st_size > MAX_REQUIREMENTS_BYTES:
            raise RequirementsError(f"{path}: larger than {MAX_REQUIREMENTS_BYTES} bytes", subject=str(path))
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RequirementsError(f"{path}: {error.strerror}", subject=str(path)) from error
    except UnicodeDecodeError as error:
        raise RequirementsError(f"{path}: not UTF-8", subject=str(path)) from error
    return parse_requirements(text, where=str(path))


def parse_requirements(text: str, *, where: str) -> tuple[PinnedRequirement, ...]:
    """Read requirements from text; ``where`` names it in errors."""
    lines = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in text.split("\n")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = [_parse_line(line.strip(), where) for line in joined.split("\n") if line.strip()]
    pins = {(pin.name, pin.marker) for pin in found}
    if len(pins) != len(found):
        raise RequirementsError(f"{where}: a package is listed twice", subject=where)
    return tuple(found)


def _parse_line(line: str, where: str) -> PinnedRequirement:
    hashes = _HASH.findall(line)
    pin = _PIN.fullmatch(_HASH.sub("", line).strip())
    if pin is None:
        raise RequirementsError(
            f"{where}: not a pinned requirement: {line[:80]}",
            subject=where,
            hint="write the file with uv pip compile --generate-hashes: name==1.2.3 --hash=sha256:…",
        )
    if not hashes or not all(_SHA256.fullmatch(value) for value in hashes):
        raise RequirementsError(
            f"{where}: {pin['name']} has no hash, or one that is not sha256",
            subject=where,
            hint="write the file with uv pip compile --generate-hashes",
        )
    marker = (pin["marker"] or "").strip()
    return PinnedRequirement(normal_name(pin["name"]), pin["version"], frozenset(hashes), marker)
