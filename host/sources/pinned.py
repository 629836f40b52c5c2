"""What a declaration says of a pinned file: where it comes from, how long it is, and the digest it must have. Pure.

Three forms of ``uri`` are understood, for weights and for kits alike:

* ``local:PATH``, a file of the folder that holds the declaration;
* ``package:NAME==VERSION@sha256:WHEEL!MEMBER``, a file inside a hash-pinned wheel, which is not installed;
* ``url:https://…``, a file somewhere; on GitHub the address names a commit, since a branch moves.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from host.errors import SourceError
from plugin_spec.errors import TrustError

FORMS: Final = "local:PATH, package:NAME==VERSION@sha256:WHEEL!MEMBER, or url:https://…"
PACKAGE_URI: Final = re.compile(
    r"package:(?P<package>[A-Za-z0-9._-]+==[A-Za-z0-9.]+)@sha256:(?P<wheel>[0-9a-f]{64})!(?P<member>[\w./+-]+)"
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# Where the commit stands in the path of a file at each of GitHub's addresses.
_GITHUB: Final = {"raw.githubusercontent.com": 2, "github.com": 3}


@dataclass(frozen=True)
class Pinned:
    """A file that a declaration pins.

    Attributes
    ----------
    name : str
        What it is in messages, such as ``source flair``.
    uri : str
    sha256 : str
        ``sha256:`` and 64 hexadecimal digits.
    bytes : int
    folder : Path
        Where the declaration lies; ``local:`` starts there.
    mismatch : type of TrustError
        What is raised where the file that was found is another one.
    """

    name: str
    uri: str
    sha256: str
    bytes: int
    folder: Path
    mismatch: type[TrustError]

    @property
    def url(self) -> str:
        """The address of a ``url:`` source; empty for any other."""
        return self.uri.removeprefix("url:") if self.uri.startswith("url:") else ""

    @property
    def local(self) -> Path | None:
        """The file of a ``local:`` source.

        Raises
        ------
        SourceError
            It lies outside the folder, or is not there.
        """
        if not self.uri.startswith("local:"):
            return None
        path = (self.folder / self.uri.removeprefix("local:")).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            raise SourceError(f"{self.name}: {self.uri}: no such file inside {self.folder}", subject=self.uri)
        return path


def uri_fault(uri: str) -> str:
    """What is wrong with a uri's form, in words; empty where it can be fetched."""
    if uri.startswith("local:") and len(uri) > len("local:"):
        return ""
    if uri.startswith("url:"):
        return _url_fault(uri.removeprefix("url:"))
    return "" if PACKAGE_URI.fullmatch(uri) else f"{uri!r} is not understood"


def _url_fault(url: str) -> str:
    parts = _split(url)
    if parts is None or parts.scheme != "https" or not parts.hostname:
        return f"{url!r} is no https address"
    if parts.username or parts.password or parts.fragment or not url.isascii() or " " in url:
        return f"{url!r} holds a name, a pass word, a fragment or characters that an address has not"
    commit = _GITHUB.get(parts.hostname)
    steps = parts.path.split("/")[1:]
    if commit is not None and not (len(steps) > commit + 1 and _COMMIT.fullmatch(steps[commit])):
        return f"{url!r} names no commit; write its 40 digits in the place of the branch or tag"
    return ""


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None
