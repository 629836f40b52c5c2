"""An image out of a blob store: its config by the image's digest, its layers by the digests in the config."""

from dataclasses import dataclass

from pydantic import ValidationError

from host.errors import ArchiveError
from host.images.identity import ImageConfig
from host.images.layer import Layer
from plugin_spec.model import first_fault
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
        The config is not one of ours.
    """
    blobs.verify(image)
    data = blobs.path(image).read_bytes()
    try:
        config = ImageConfig.model_validate_json(data)
    except ValidationError as error:
        raise ArchiveError(f"image {image[:19]}…: config: {first_fault(error)}", subject=image) from error
    layers = tuple(_layer(blobs, diff_id) for diff_id in config.rootfs.diff_ids)
    return StoredImage(data, layers)


def _layer(blobs: BlobStore, diff_id: str) -> Layer:
    path = blobs.path(diff_id)
    return Layer(diff_id=diff_id, size_bytes=path.stat().st_size, path=path)
