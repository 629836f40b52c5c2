"""An image out of a blob store: its config by the image's digest, its layers by the digests in the config.

Whoever wrote the config: its bytes are the identity, and go out as they came in.
"""

from dataclasses import dataclass

from host.images.foreign import read_config
from host.images.layer import Layer
from registry.blobs import BlobStore


@dataclass(frozen=True)
class StoredImage:
    """What an archive is written from; digests are checked while it is written."""

    config_bytes: bytes
    layers: tuple[Layer, ...]


def stored_image(blobs: BlobStore, image: str) -> StoredImage:
    """Find an image's pieces in a blob store.

    Raises
    ------
    BlobMismatchError, MissingBlobError
        A piece is missing, or the config is not the one the digest names.
    ArchiveError
        The config cannot be read.
    """
    blobs.verify(image)
    data = blobs.path(image).read_bytes()
    config = read_config(data, where=f"config of the image {image[:19]}…")
    layers = tuple(_layer(blobs, diff_id) for diff_id in config.diff_ids)
    return StoredImage(data, layers)


def _layer(blobs: BlobStore, diff_id: str) -> Layer:
    path = blobs.path(diff_id)
    return Layer(diff_id=diff_id, size_bytes=path.stat().st_size, path=path)
