"""Archives that others wrote: ``docker save`` of any age, and OCI layouts in a tar; read for the one image they hold.

Invariants
----------
* The config's bytes are taken as they are; their digest is the identity.
* Every layer is unpacked from its compression and must have the digest that the config names, or nothing is kept.
* What is read is bounded: headers (`host.tar_members`), documents, layers and the whole.
"""

import os
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from host.errors import ArchiveError, ImageDigestError, ImageTooLargeError
from host.images.foreign import MAX_CONFIG_BYTES, read_config
from host.images.gunzip import GZIP, gunzipped
from host.images.identity import MAX_LAYERS, image_id
from host.images.layer import Layer
from host.images.store import LayerStore
from host.tar_members import ARCHIVE_MEMBERS_MAX, Window, members, open_members
from plugin_spec.model import Sha256, first_fault
from registry.canonical import digest, parse_json
from registry.errors import MalformedJsonError

_T = TypeVar("_T")
_COPY_BYTES = 1024 * 1024
_ZSTD = b"\x28\xb5\x2f\xfd"
_INDEX_TYPES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)


@dataclass(frozen=True)
class ForeignImage:
    """An image that others built, its layers in the layer store.

    Attributes
    ----------
    config_bytes : bytes
        As they came.
    layers : tuple of Layer
        Lowest first, uncompressed.
    """

    image_id: str
    config_bytes: bytes
    layers: tuple[Layer, ...]


def require_declared(found: str, declared: str, where: str) -> None:
    """Refuse an image whose config has another digest than the manifest says.

    Raises
    ------
    ImageDigestError
        Both digests are named.
    """
    if found != declared:
        raise ImageDigestError(
            f"{where} is the image {found}, the manifest declares {declared}",
            subject=where,
            hint="get the declared image, or declare this one in image.image and give the plugin a new version",
        )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _SaveEntry(_Part):
    config: str = Field(alias="Config")
    layers: tuple[str, ...] = Field(alias="Layers", max_length=MAX_LAYERS)


class _Platform(_Part):
    architecture: str = ""
    os: str = ""


class _Descriptor(_Part):
    media_type: str = Field(default="", alias="mediaType")
    digest: Sha256
    platform: _Platform | None = None


class _Index(_Part):
    manifests: tuple[_Descriptor, ...] = Field(max_length=1000)


class _OciManifest(_Part):
    config: _Descriptor
    layers: tuple[_Descriptor, ...] = Field(max_length=MAX_LAYERS)


_SAVE_MANIFEST = TypeAdapter(tuple[_SaveEntry, ...])


def read_foreign_archive(path: Path, store: LayerStore, *, declared: str, bytes_max: int) -> ForeignImage:
    """Read the one image of an archive and keep its layers.

    Parameters
    ----------
    path : Path
        An uncompressed tar.
    store : LayerStore
        Takes the layers.
    declared : str
        The digest that the image's config must have.
    bytes_max : int
        The most that all layers may come to, uncompressed.

    Raises
    ------
    ArchiveError
        No archive of one image, or its parts do not have the digests they should.
    ImageDigestError
        It holds another image than the declared one; no layer was read.
    LayerDigestError
        A layer is not the one that the config names.
    ImageTooLargeError
        The layers come to more than ``bytes_max``.
    """
    try:
        with (
            path.open("rb") as stream,
            open_members(Window(stream, 0, os.fstat(stream.fileno()).st_size)) as archive,
        ):
            return _Reading(path, archive).image(store, declared, bytes_max)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror or error}", subject=str(path)) from error
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ArchiveError(
            f"{path}: not a readable archive: {error}",
            subject=str(path),
            hint="an uncompressed tar is wanted: docker save IMAGE -o image.tar, or an OCI layout in a tar",
        ) from error


class _Reading:
    """One archive, open; its members by name."""

    def __init__(self, path: Path, archive: tarfile.TarFile) -> None:
        self._path = path
        self._archive = archive
        self._members: dict[str, tarfile.TarInfo] = {}
        for member in members(archive, count_max=ARCHIVE_MEMBERS_MAX):
            name = str(PurePosixPath(member.name))
            if name in self._members and not member.isdir():
                self._refuse(f"{name} is there twice")
            self._members[name] = member

    def image(self, store: LayerStore, declared: str, bytes_max: int) -> ForeignImage:
        if "manifest.json" in self._members:
            config_bytes, names = self._saved()
        elif "index.json" in self._members:
            config_bytes, names = self._layout()
        else:
            self._refuse("neither manifest.json (docker save) nor index.json (OCI layout) is in it")
        require_declared(image_id(config_bytes), declared, str(self._path))
        config = read_config(config_bytes, where=f"{self._path}: config")
        if len(names) != len(config.diff_ids):
            self._refuse(f"{len(names)} layers are listed, the config names {len(config.diff_ids)}")
        left = bytes_max
        layers = []
        for name, diff_id in zip(names, config.diff_ids, strict=True):
            layer = store.keep(_bounded(self._uncompressed(name), left, bytes_max), expected=diff_id)
            left -= layer.size_bytes
            layers.append(layer)
        return ForeignImage(image_id(config_bytes), config_bytes, tuple(layers))

    def _saved(self) -> tuple[bytes, Sequence[str]]:
        entries = self._parsed("manifest.json", _SAVE_MANIFEST)
        if len(entries) != 1:
            self._refuse(f"it holds {len(entries)} images, not one")
        return self._document(entries[0].config), entries[0].layers

    def _layout(self) -> tuple[bytes, Sequence[str]]:
        index: _Index = self._parsed("index.json", TypeAdapter(_Index))
        descriptor = self._only(index)
        if descriptor.media_type in _INDEX_TYPES:
            nested: _Index = self._parsed(self._blob(descriptor), TypeAdapter(_Index))
            descriptor = self._only(nested)
        manifest: _OciManifest = self._parsed(self._blob(descriptor), TypeAdapter(_OciManifest))
        config = self._document(self._blob(manifest.config))
        return config, [f"blobs/sha256/{one.digest.removeprefix('sha256:')}" for one in manifest.layers]

    def _only(self, index: _Index) -> _Descriptor:
        """Return the one entry for this platform; attestations have an unknown one."""
        fitting = [
            one
            for one in index.manifests
            if one.platform is None or (one.platform.os, one.platform.architecture) == ("linux", "amd64")
        ]
        if len(fitting) != 1:
            self._refuse(f"its index names {len(fitting)} images for linux/amd64, not one")
        return fitting[0]

    def _blob(self, descriptor: _Descriptor) -> str:
        name = f"blobs/sha256/{descriptor.digest.removeprefix('sha256:')}"
        if digest(self._document(name)) != descriptor.digest:
            self._refuse(f"{name} does not have the digest that is its name")
        return name

    def _parsed(self, name: str, model: TypeAdapter[_T]) -> _T:
        data = self._document(name)
        try:
            parse_json(data, where=name, limit=MAX_CONFIG_BYTES)
            return model.validate_json(data)
        except MalformedJsonError as error:
            raise ArchiveError(f"{self._path}: {error}", subject=str(self._path)) from error
        except ValidationError as error:
            raise ArchiveError(
                f"{self._path}: {name}: {first_fault(error)}", subject=str(self._path)
            ) from error

    def _document(self, name: str) -> bytes:
        data = bytearray()
        with self._open(name) as stream:
            while part := stream.read(_COPY_BYTES):
                data += part
                if len(data) > MAX_CONFIG_BYTES:
                    self._refuse(f"{name} is larger than {MAX_CONFIG_BYTES} bytes")
        return bytes(data)

    def _uncompressed(self, name: str) -> Iterator[bytes]:
        with self._open(name) as stream:
            head = stream.read(_COPY_BYTES)
            if head.startswith(_ZSTD):
                self._refuse(f"the layer {name} is compressed with zstd; save it uncompressed or with gzip")
            if not head.startswith(GZIP):
                while head:
                    yield head
                    head = stream.read(_COPY_BYTES)
                return
            yield from gunzipped(stream, head=head)

    def _open(self, name: str) -> IO[bytes]:
        member = self._members.get(str(PurePosixPath(name)))
        # `docker save` before 25 writes a layer that two images share as a link.
        if member is not None and (member.issym() or member.islnk()):
            parent = PurePosixPath(name).parent if member.issym() else PurePosixPath()
            member = self._members.get(_joined(parent, member.linkname))
        content = self._archive.extractfile(member) if member is not None and member.isreg() else None
        if content is None:
            self._refuse(f"{name} is missing")
        return content

    def _refuse(self, reason: str) -> NoReturn:
        raise ArchiveError(f"{self._path}: {reason}", subject=str(self._path))


def _joined(parent: PurePosixPath, target: str) -> str:
    parts: list[str] = []
    for part in (*parent.parts, *PurePosixPath(target).parts):
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return "/".join(parts)


def _bounded(parts: Iterator[bytes], left: int, bytes_max: int) -> Iterator[bytes]:
    for part in parts:
        left -= len(part)
        if left < 0:
            raise ImageTooLargeError(
                f"the image comes to more than {bytes_max / 1e9:.1f} GB uncompressed",
                subject="image",
                hint="leave out build tools, caches and data; data the algorithm needs are weights ([[weights]])",
            )
        yield part
