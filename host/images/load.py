"""Bring an image into an engine that does not hold it yet."""

from collections.abc import Callable
from pathlib import Path

from host.engines.interface import Engine
from host.errors import ImageMissingError
from host.images.archive import SupportsLayers, save_archive
from host.images.stored import stored_image
from host.releases import InstalledRelease
from registry.blobs import BlobStore


def load_image(engine: Engine, image_id: str, image: SupportsLayers, work: Path) -> None:
    """Write the image's archive to ``work``, load it, and remove the archive.

    Parameters
    ----------
    engine : Engine
        It computes the identity from the archive's own bytes.
    image_id : str
        Config digest of the image.
    image : SupportsLayers
        Its config and layers.
    work : Path
        Folder with room for the whole image.
    """
    archive = work / f"image-{image_id.removeprefix('sha256:')[:16]}.tar"
    try:
        save_archive(image, archive)
        engine.load(archive)
    finally:
        archive.unlink(missing_ok=True)


def have_image(
    engine: Engine, release: InstalledRelease, blobs: BlobStore, *, work: Path, say: Callable[[str], None]
) -> None:
    """Let an engine hold a release's image, out of the blob store where it was built for another engine.

    Parameters
    ----------
    blobs : BlobStore
        Where a build, or a bundle, left the image's config and layers; their digests are checked.
    work : Path
        Folder with room for the whole image.
    say : callable
        Told when the image is loaded.

    Raises
    ------
    ImageMissingError
        Neither the engine nor the blob store has it.
    BlobMismatchError, MissingBlobError, LayerDigestError
        A stored piece is damaged or missing; it is named, and the engine holds nothing of it.
    """
    if engine.holds(release.image):
        return
    if not blobs.has(release.image):
        raise ImageMissingError(
            f"neither the {engine.name} engine nor this home holds the image of {release.title}",
            subject=release.image,
            hint="build it (assay plugin build), or import a bundle that carries it (assay trial import)",
        )
    say(f"load the image of {release.title} into {engine.name}, as it was kept by digest")
    load_image(engine, release.image, stored_image(blobs, release.image), work)
    engine.tag(release.image, release.image_name)
