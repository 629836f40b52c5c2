"""The sources of a kit, file by file: a source is one file, or a folder of files that a listing names.

A listing is a CSV file of the kit, with the columns ``file``, ``bytes`` and ``sha256``: the hundred instances of a
DICOM series are one source, which has the digest of the whole.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, ValidationError

from host.errors import KitDigestError, KitError
from host.kits.declaration import Source
from host.sources.pinned import Pinned
from plugin_spec.model import RelativePath, Sha256, StrictModel, first_fault
from registry.canonical import canonical_json, digest

MAX_LISTED = 10_000


class Listed(StrictModel):
    """One file of a listing."""

    file: RelativePath
    bytes: int = Field(gt=0)
    sha256: Sha256


@dataclass(frozen=True)
class SourceFile:
    """A file to fetch.

    Attributes
    ----------
    source : Source
        What declares it.
    path : str
        Where it goes, below the folder of the sources.
    pinned : Pinned
    """

    source: Source
    path: str
    pinned: Pinned


def files_digest(files: dict[str, str]) -> str:
    """The digest of a folder: that of the canonical list of its files' paths and digests."""
    return digest(canonical_json({"contract": "assay.kit-files/1", "files": files}))


def parse_listing(data: bytes, path: Path, source: Source) -> tuple[Listed, ...]:
    """Read a listing and see that it is the one that ``source`` declares.

    Raises
    ------
    KitError
        One line with file, line and field.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise KitError(f"{path}: cannot be read as CSV: {error}", subject=str(path)) from error
    if not 0 < len(rows) <= MAX_LISTED:
        raise KitError(f"{path}: lists {len(rows)} files; 1 to {MAX_LISTED} are allowed", subject=str(path))
    listed = []
    for line, row in enumerate(rows, start=2):
        size = row.get("bytes")
        given = {**row, "bytes": int(size) if isinstance(size, str) and size.isdecimal() else size}
        try:
            listed.append(Listed.model_validate(given))
        except ValidationError as error:
            raise KitError(f"{path}:{line}: {first_fault(error)}", subject=str(path)) from error
    if len({one.file for one in listed}) != len(listed):
        raise KitError(f"{path}: each file may stand once", subject=str(path))
    found = files_digest({one.file: one.sha256 for one in listed}), sum(one.bytes for one in listed)
    if found != (source.sha256, source.bytes):
        raise KitError(
            f"{path}: lists {found[1]} bytes with {found[0]}; kit.toml declares {source.bytes} bytes with "
            f"{source.sha256} for the source {source.name}",
            subject=str(path),
            hint="correct sha256 and bytes of the source in kit.toml",
        )
    return tuple(listed)


def source_files(
    sources: tuple[Source, ...], contents: Mapping[str, bytes], path: Path
) -> tuple[SourceFile, ...]:
    """Every file of every source, in the order of kit.toml.

    Parameters
    ----------
    sources : tuple of Source
    contents : mapping of str to bytes
        The kit's files, listings included.
    path : Path
        The kit's folder.
    """
    found = []
    for source in sources:
        if source.listing is None:
            found.append(SourceFile(source, source.file, _pinned(source, "", source, path)))
            continue
        listed = parse_listing(contents[source.listing], path / source.listing, source)
        found += [
            SourceFile(source, f"{source.file}{one.file}", _pinned(source, one.file, one, path))
            for one in listed
        ]
    return tuple(found)


def _pinned(source: Source, name: str, file: Source | Listed, folder: Path) -> Pinned:
    title = f"source {source.name}" + (f", {name}" if name else "")
    return Pinned(title, f"{source.uri}{name}", file.sha256, file.bytes, folder, KitDigestError)
