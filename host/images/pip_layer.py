"""The Python packages of an image, as a folder; and single files out of wheels.

Wheels are kept byte for byte, except for what an installer adds and what names the machine it ran on:
scripts, which hold an interpreter's path, and the installer's own records.
"""

import csv
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from host.errors import WheelError
from host.images.requirements import PinnedRequirement, parse_requirements
from host.images.wheels import Wheel, install_wheels, select_wheels

_INSTALLER_FILES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")


def make_site(
    requirements: Sequence[PinnedRequirement], folder: Path, *, uv_cache: Path
) -> tuple[Wheel, ...]:
    """Unpack the wheels of a requirements file into a folder, the same on every machine.

    Parameters
    ----------
    folder : Path
        Empty or absent.
    uv_cache : Path
        Where uv keeps downloads.

    Returns
    -------
    tuple of Wheel
        What was unpacked, sorted by name.

    Raises
    ------
    WheelDigestError
        A file's digest is not one the requirements list.
    WheelError
        A wheel cannot be had, or two wheels write different bytes to one path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wheels = select_wheels(requirements, uv_cache=uv_cache)
    if wheels:
        install_wheels(wheels, folder, uv_cache=uv_cache)
        tidy_site(folder)
    return wheels


def tidy_site(folder: Path) -> None:
    """Remove scripts and installer records, after checking that no two wheels claim one path."""
    records = sorted(folder.glob("*.dist-info/RECORD"))
    _require_no_conflict(records)
    shutil.rmtree(folder / "bin", ignore_errors=True)
    folder.joinpath(".lock").unlink(missing_ok=True)
    for record in records:
        for name in _INSTALLER_FILES:
            record.with_name(name).unlink(missing_ok=True)


def _require_no_conflict(records: Sequence[Path]) -> None:
    # uv unpacks in parallel: which of two files stays would be chance.
    seen: dict[str, tuple[str, str]] = {}
    for record in records:
        with record.open(encoding="utf-8", newline="") as stream:
            for path, digest, *_ in csv.reader(stream):
                if path.startswith(("bin/", "../")):
                    continue
                owner, other = seen.setdefault(path, (record.parent.name, digest))
                if owner != record.parent.name and (other != digest or not digest):
                    raise WheelError(
                        f"{owner} and {record.parent.name} both hold {path}, with different bytes",
                        subject=path,
                        hint="leave out one of the two packages",
                    )


def fetch_wheel_file(requirement: str, member: str, destination: Path, *, uv_cache: Path) -> str:
    """Copy one file out of a hash-pinned wheel; no code of the wheel is run.

    Parameters
    ----------
    requirement : str
        ``name==version --hash=sha256:…``
    member : str
        Path inside the wheel.
    destination : Path
        The file to write; replaced when it exists.

    Returns
    -------
    str
        Digest of the file, ``sha256:…``.

    Raises
    ------
    RequirementsError, WheelDigestError
        The requirement is not pinned, or the wheel is another one.
    WheelError
        The wheel cannot be had, or does not hold the file.
    """
    with tempfile.TemporaryDirectory(prefix=".wheel.", dir=destination.parent) as scratch:
        wheels = select_wheels(parse_requirements(requirement, where=requirement), uv_cache=uv_cache)
        folder = Path(scratch, "site")
        install_wheels(wheels, folder, uv_cache=uv_cache)
        source, copy = folder / member, Path(scratch, "copy")
        if not _is_file_below(source, folder):
            raise WheelError(f"{requirement.split(maxsplit=1)[0]} holds no file {member}", subject=member)
        digest = _copy(source, copy)
        copy.replace(destination)
    return digest


def _is_file_below(path: Path, folder: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode) and path.resolve() == folder.resolve() / path.relative_to(
            folder
        )
    except (OSError, ValueError):
        return False


def _copy(source: Path, destination: Path) -> str:
    sha256 = hashlib.sha256()
    with source.open("rb") as reader, destination.open("wb") as writer:
        while block := reader.read(1024 * 1024):
            sha256.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return f"sha256:{sha256.hexdigest()}"
