"""Image archives in docker-archive form: one tar that ``docker load`` takes, written and read back strictly.

Invariants
----------
* Times, owners and order are fixed: an image has one archive.
* Reading accepts only what writing produces. Every layer is checked against the config, the config against
  its name; an unlisted file, a second copy, a link or an extended header is refused, so that no other reader
  of the same file can see another image in it.
"""

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, BinaryIO, NoReturn, Protocol

from pydantic import Field, TypeAdapter, ValidationError

from host.errors import ArchiveError, LayerDigestError
from host.images.identity import MAX_LAYERS, ImageConfig, image_id
from host.images.layer import MAX_FILE_BYTES, Layer
from plugin_spec.files import sync_folder
from plugin_spec.model import StrictModel, first_fault
from registry.canonical import canonical_json, parse_json
from registry.errors import MalformedJsonError

MAX_DOCUMENT_BYTES = 1024 * 1024
_COPY_BYTES = 1024 * 1024
_MANIFEST = "manifest.json"


class SupportsLayers(Protocol):
    """An image to write: its config's bytes and its layers, lowest first."""

    @property
    def config_bytes(self) -> bytes:
        """The exact bytes that the image's identity is the digest of."""

    @property
    def layers(self) -> Sequence[Layer]:
        """The layer files."""


@dataclass(frozen=True)
class ArchivedLayer:
    """A layer inside an archive, its digest checked."""

    diff_id: str
    size_bytes: int


@dataclass(frozen=True)
class ArchiveContents:
    """A verified archive.

    Attributes
    ----------
    image_id : str
        Digest of ``config_bytes``.
    layers : tuple of ArchivedLayer
        Lowest first.
    """

    image_id: str
    config: ImageConfig
    config_bytes: bytes
    layers: tuple[ArchivedLayer, ...]


class _ManifestEntry(StrictModel):
    config: str = Field(alias="Config")
    repo_tags: None = Field(alias="RepoTags")
    layers: tuple[str, ...] = Field(alias="Layers", min_length=1, max_length=MAX_LAYERS)


_MANIFEST_MODEL = TypeAdapter(Annotated[tuple[_ManifestEntry, ...], Field(min_length=1, max_length=1)])


def save_archive(image: SupportsLayers, path: Path) -> None:
    """Write an image's archive to a file, whole or not at all.

    Raises
    ------
    LayerDigestError
        A layer file no longer has its digest.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            write_archive(image, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_archive(image: SupportsLayers, stream: BinaryIO) -> None:
    """Write an image's archive to a stream, such as an engine's load call; layers are digested on the way.

    Raises
    ------
    LayerDigestError
        A layer file no longer has its digest; what was written must be thrown away.
    """
    config_name = _config_name(image_id(image.config_bytes))
    names = [_layer_name(layer.diff_id) for layer in image.layers]
    manifest = canonical_json([{"Config": config_name, "Layers": names, "RepoTags": None}])
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.USTAR_FORMAT, bufsize=_COPY_BYTES) as archive:
        archive.copybufsize = _COPY_BYTES  # type: ignore[attr-defined] # typeshed lacks it
        archive.addfile(_member(_MANIFEST, len(manifest)), io.BytesIO(manifest))
        archive.addfile(_member(config_name, len(image.config_bytes)), io.BytesIO(image.config_bytes))
        # Two equal layers are one file.
        for name, layer in dict(zip(names, image.layers, strict=True)).items():
            _add_layer(archive, name, layer)


def _add_layer(archive: tarfile.TarFile, name: str, layer: Layer) -> None:
    try:
        with layer.path.open("rb") as stream:
            digesting = _DigestingReader(stream)
            archive.addfile(_member(name, layer.size_bytes), digesting)  # type: ignore[arg-type] # reads only
            found = digesting.digest() if not stream.read(1) else "a longer file"
    except OSError as error:
        raise LayerDigestError(
            f"{layer.path}: cannot be read in full: {error}", subject=layer.diff_id
        ) from error
    _require_digest(layer, found)


def require_whole(layer: Layer) -> None:
    """Check a layer file against its digest.

    Raises
    ------
    LayerDigestError
        The file has changed since it was built, or is gone.
    """
    try:
        with layer.path.open("rb") as stream:
            found = _stream_digest(stream)
    except OSError as error:
        raise LayerDigestError(f"{layer.path}: {error.strerror}", subject=layer.diff_id) from error
    _require_digest(layer, found)


def _require_digest(layer: Layer, found: str) -> None:
    if found != layer.diff_id:
        raise LayerDigestError(
            f"{layer.path}: the layer's bytes have changed since it was built",
            subject=layer.diff_id,
            hint="delete the file and build again",
        )


def read_archive(path: Path) -> ArchiveContents:
    """Read an archive and verify everything in it.

    Raises
    ------
    ArchiveError
        Anything that does not match, and anything that is not expected.
    """
    try:
        with path.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            return _Reading(path).read(archive)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror or error}", subject=str(path)) from error
    except tarfile.TarError as error:
        raise ArchiveError(f"{path}: not a readable archive: {error}", subject=str(path)) from error


class _Reading:
    """One pass over an archive: documents are kept, layers digested."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._documents: dict[str, bytes] = {}
        self._layers: dict[str, ArchivedLayer] = {}

    def read(self, archive: tarfile.TarFile) -> ArchiveContents:
        for number, member in enumerate(archive):
            if number > MAX_LAYERS + 1:
                self._refuse(f"more than {MAX_LAYERS} layers")
            self._take(archive, member)
        manifest = self._manifest()
        config_bytes = self._documents.get(manifest.config, b"")
        identity = image_id(config_bytes)
        if manifest.config != _config_name(identity):
            self._refuse(
                f"the config {manifest.config} is missing, or its bytes are not the ones its name promises"
            )
        config = self._config(config_bytes)
        diff_ids = config.rootfs.diff_ids
        names = tuple(_layer_name(diff_id) for diff_id in diff_ids)
        if manifest.layers != names:
            self._refuse("the manifest lists other layers than the config")
        unlisted = sorted((set(self._documents) | set(self._layers)) - {_MANIFEST, manifest.config, *names})
        if unlisted:
            self._refuse(f"{unlisted[0]} belongs to no image")
        return ArchiveContents(identity, config, config_bytes, tuple(map(self._layer, diff_ids)))

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = member.name
        # Only the plainest headers: on anything else tar readers differ.
        if member.type != tarfile.REGTYPE or member.pax_headers or member.size > MAX_FILE_BYTES:
            self._refuse(f"{name!r} is not a plain file")
        if name in self._documents or name in self._layers:
            self._refuse(f"{name} is there twice")
        content = archive.extractfile(member)
        assert content is not None  # noqa: S101 - tarfile gives a reader for every regular member
        if name.endswith("/layer.tar"):
            self._layers[name] = ArchivedLayer(_stream_digest(content), member.size)
        elif member.size <= MAX_DOCUMENT_BYTES and len(self._documents) < 2:
            self._documents[name] = content.read()
        else:
            self._refuse(f"{name} belongs to no image")

    def _manifest(self) -> _ManifestEntry:
        if _MANIFEST not in self._documents:
            self._refuse(f"no {_MANIFEST}: not an image archive")
        try:
            parse_json(self._documents[_MANIFEST], where=_MANIFEST)
            return _MANIFEST_MODEL.validate_json(self._documents[_MANIFEST], strict=True)[0]
        except ValidationError as error:
            raise ArchiveError(
                f"{self._path}: {_MANIFEST}: {first_fault(error)}", subject=str(self._path)
            ) from error
        except MalformedJsonError as error:
            raise ArchiveError(f"{self._path}: {error}", subject=str(self._path)) from error

    def _config(self, data: bytes) -> ImageConfig:
        try:
            parse_json(data, where="config")
            return ImageConfig.model_validate_json(data)
        except ValidationError as error:
            raise ArchiveError(
                f"{self._path}: config: {first_fault(error)}", subject=str(self._path)
            ) from error
        except MalformedJsonError as error:
            raise ArchiveError(f"{self._path}: {error}", subject=str(self._path)) from error

    def _layer(self, diff_id: str) -> ArchivedLayer:
        layer = self._layers.get(_layer_name(diff_id))
        if layer is None or layer.diff_id != diff_id:
            self._refuse(f"the layer {diff_id} is missing or its bytes have another digest")
        return layer

    def _refuse(self, reason: str) -> NoReturn:
        raise ArchiveError(f"{self._path}: {reason}", subject=str(self._path), hint="get the archive again")


def _config_name(identity: str) -> str:
    return f"{identity.removeprefix('sha256:')}.json"


def _layer_name(diff_id: str) -> str:
    return f"{diff_id.removeprefix('sha256:')}/layer.tar"


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size_bytes, 0o644, 0
    return member


def _stream_digest(stream: IO[bytes]) -> str:
    sha256 = hashlib.sha256()
    while block := stream.read(_COPY_BYTES):
        sha256.update(block)
    return f"sha256:{sha256.hexdigest()}"


class _DigestingReader:
    """Reads on and keeps the digest of what was read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._sha256 = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._sha256.update(data)
        return data

    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"
