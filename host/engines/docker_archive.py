"""Which image a docker archive (``docker save`` format) holds, read from its own bytes."""

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from host.errors import ImageLoadError

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
        with tarfile.open(archive) as bundle:
            entries = TypeAdapter(list[_ManifestEntry]).validate_json(_member(bundle, "manifest.json"))
            if len(entries) != 1:
                raise ImageLoadError(
                    f"{archive} holds {len(entries)} images instead of one", subject=str(archive)
                )
            config = _member(bundle, entries[0].config)
        diff_ids = _ImageConfig.model_validate_json(config).rootfs.diff_ids
    except (OSError, tarfile.TarError, EOFError, RecursionError, KeyError, ValidationError) as error:
        raise ImageLoadError(
            f"{archive} is no docker archive that can be read: {type(error).__name__}",
            subject=str(archive),
            hint="make it again with docker save or with Assay's own image builder",
        ) from error
    return ArchivedImage(f"sha256:{hashlib.sha256(config).hexdigest()}", config, diff_ids, entries[0].layers)


def _member(bundle: tarfile.TarFile, name: str) -> bytes:
    member = bundle.getmember(name)
    stream = bundle.extractfile(member)
    if stream is None or member.size > _JSON_BYTES_MAX:
        raise KeyError(name)
    return stream.read()
