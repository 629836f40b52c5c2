"""Which image a docker archive (``docker save`` format) holds, read from its own bytes.

It may be compressed with gzip; no more of what it inflates to is read than the largest image has.
"""

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from host.errors import ImageLoadError
from host.images.gunzip import GZIP
from host.images.image_rules import MAX_IMAGE_BYTES
from host.tar_members import ARCHIVE_MEMBERS_MAX, Window, content, members, open_members

_JSON_BYTES_MAX: Final = 8 * 1024 * 1024


class _ManifestEntry(BaseModel):
    # Foreign tools add keys of their own; only what names the image is read.
    model_config = ConfigDict(frozen=True, extra="ignore")
    config: str = Field(alias="Config")
    layers: tuple[str, ...] = Field(alias="Layers")


class _RootFilesystem(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    diff_ids: tuple[str, ...]


class _ImageConfig(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    rootfs: _RootFilesystem


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """An image ID, the config whose digest it is, and the layers it stands for.

    Attributes
    ----------
    diff_ids : tuple of str
        Digests of the uncompressed layers, lowest first, as the config names them.
    layers : tuple of str
        Names of the archive's members that should hold them, in the same order; not checked.
    """

    image_id: str
    config_bytes: bytes
    diff_ids: tuple[str, ...]
    layers: tuple[str, ...]


def archived_image(archive: Path) -> ArchivedImage:
    """Read which image ``archive`` holds.

    Raises
    ------
    ImageLoadError
        It is no docker archive, or holds none or several images.
    """
    try:
        with _window(archive) as window, open_members(window) as bundle:
            found = {one.name: one for one in members(bundle, count_max=ARCHIVE_MEMBERS_MAX)}
            manifest = _document(bundle, found, "manifest.json")
            entries = TypeAdapter(list[_ManifestEntry]).validate_json(manifest)
            if len(entries) != 1:
                raise ImageLoadError(
                    f"{archive} holds {len(entries)} images instead of one", subject=str(archive)
                )
            config = _document(bundle, found, entries[0].config)
        diff_ids = _ImageConfig.model_validate_json(config).rootfs.diff_ids
    except (OSError, tarfile.TarError, EOFError, zlib.error, ValidationError) as error:
        said = error if isinstance(error, tarfile.TarError) else type(error).__name__
        raise ImageLoadError(
            f"{archive} is no docker archive that can be read: {said}",
            subject=str(archive),
            hint="make it again with docker save or with Assay's own image builder, uncompressed or with gzip",
        ) from error
    return ArchivedImage(f"sha256:{hashlib.sha256(config).hexdigest()}", config, diff_ids, entries[0].layers)


@contextmanager
def _window(archive: Path) -> Iterator[Window]:
    with archive.open("rb") as stream:
        compressed = stream.read(len(GZIP)) == GZIP
        stream.seek(0)
        if not compressed:
            yield Window(stream, 0, os.fstat(stream.fileno()).st_size)
            return
        with gzip.GzipFile(fileobj=stream) as inflated:
            yield Window(cast(BinaryIO, inflated), 0, MAX_IMAGE_BYTES)


def _document(bundle: tarfile.TarFile, found: Mapping[str, tarfile.TarInfo], name: str) -> bytes:
    member = found.get(name)
    if member is None or not member.isreg() or member.size > _JSON_BYTES_MAX:
        raise tarfile.ReadError(f"{name!r} is missing, or no file of at most {_JSON_BYTES_MAX} bytes")
    return b"".join(content(bundle, member))
