"""A DICOM series in a run folder: every instance copied and hashed, then put in order under neutral names.

Invariants
----------
* What is judged are the copies. Nothing of a file's own name stays; the order follows from the instances themselves, so
  the same series has the same digest whatever its files are called.
* The digest of a series is that of its listing: names, digests and sizes of the staged files in canonical JSON. The
  listing is kept with the record, so that an inspector can check the files against it.
"""

import os
import stat
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from host.cases.errors import DicomError
from host.errors import InputFileError
from host.staging import MAX_INPUT_BYTES, copy_hashed, work_errors
from plugin_spec.model import Sha256, StrictModel
from registry.canonical import canonical_json, digest
from registry.statements import SERIES_LISTING, InputRef

if TYPE_CHECKING:
    from host.cases.dicom import Instance

MAX_INSTANCES = 100_000
_NAME_DIGITS = 6


class ListedInstance(StrictModel):
    """One file of a series."""

    name: str
    digest: Sha256
    bytes: int


class SeriesListing(StrictModel):
    """The files of a series, in their order."""

    contract: Literal["assay.dicom-series/1"] = "assay.dicom-series/1"
    instances: tuple[ListedInstance, ...]


@dataclass(frozen=True)
class StagedSeries:
    """A series in the run folder.

    Attributes
    ----------
    ref : InputRef
        Names the listing by digest and size.
    listing : bytes
    headers : tuple of Instance
        In the order of the listing; empty where one cannot be read.
    fault, remedy : str
        Why one cannot be read; the remedy names the operator's file, and so stays out of records.
    """

    ref: InputRef
    listing: bytes
    headers: "tuple[Instance, ...]"
    fault: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class _Copy:
    """A copied instance and the file it came from."""

    ref: InputRef
    source: Path
    header: "Instance | None" = None


def stage_series(port: str, source: Path, target: Path, *, keywords: Collection[str]) -> StagedSeries:
    """Copy the instances of a folder.

    Parameters
    ----------
    port : str
    source : Path
        Holds regular files only, one per instance.
    target : Path
        Folder to make.
    keywords : collection of str
        DICOM keywords that the acceptance domain asks for.

    Raises
    ------
    InputFileError
        No folder, an entry that is no regular file, nothing in it, or too much.
    StorageFullError, WorkFolderError
        The run folder does not take it.
    """
    copies = _copied(port, source, target)
    ordered, fault, remedy = _ordered(copies, target, keywords)
    listed = []
    with work_errors(target):
        for number, one in enumerate(ordered, start=1):
            name = f"{number:0{_NAME_DIGITS}d}.dcm"
            os.rename(target / one.ref.name, target / name)
            listed.append(ListedInstance(name=name, digest=one.ref.digest, bytes=one.ref.bytes))
    listing = canonical_json(SeriesListing(instances=tuple(listed)).model_dump(mode="json"))
    return StagedSeries(
        ref=InputRef(port=port, name=port + SERIES_LISTING, digest=digest(listing), bytes=len(listing)),
        listing=listing,
        headers=() if fault else tuple(one.header for one in ordered if one.header is not None),
        fault=fault,
        remedy=remedy,
    )


def _copied(port: str, source: Path, target: Path) -> list[_Copy]:
    copies: list[_Copy] = []
    left = MAX_INPUT_BYTES
    with work_errors(target):
        target.mkdir(mode=0o755)
        target.chmod(0o755)
    for path in _files(port, source):
        name = f"incoming-{len(copies):0{_NAME_DIGITS}d}"
        copies.append(_Copy(copy_hashed(port, path, target / name, bytes_max=left), path))
        left -= copies[-1].ref.bytes
    return copies


def _files(port: str, source: Path) -> list[Path]:
    hint = f"--input {port}=FOLDER takes a folder with the instances of one DICOM series and nothing else"
    try:
        with os.scandir(source) as entries:
            found = []
            for entry in entries:
                if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
                    raise InputFileError(f"{entry.path}: not a regular file", subject=entry.path, hint=hint)
                found.append(Path(entry.path))
                if len(found) > MAX_INSTANCES:
                    raise InputFileError(
                        f"{source}: more than {MAX_INSTANCES} files", subject=str(source), hint=hint
                    )
    except OSError as error:
        raise InputFileError(f"{source}: {error.strerror}", subject=str(source), hint=hint) from error
    if not found:
        raise InputFileError(f"{source}: the folder is empty", subject=str(source), hint=hint)
    return sorted(found)


def _ordered(copies: list[_Copy], target: Path, keywords: Collection[str]) -> tuple[list[_Copy], str, str]:
    """The copies in the order of the series; by digest, and why, where one of them cannot be read."""
    from host.cases.dicom import read_instance
    from host.cases.dicom_series import series_order

    read = []
    for number, one in enumerate(copies, start=1):
        name = f"file {number} of {len(copies)} of the series"
        try:
            header = read_instance(target / one.ref.name, name, keywords)
        except DicomError as error:
            by_digest = sorted(copies, key=lambda copy: copy.ref.digest)
            return by_digest, error.message, f"{one.source}: {error.hint}"
        read.append((header, replace(one, header=header)))
    return [one for _, one in sorted(read, key=lambda pair: series_order(pair[0]))], "", ""
