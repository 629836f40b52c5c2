"""Bring an image into an engine that does not hold it yet."""

from pathlib import Path

from host.engines.interface import Engine
from host.images.archive import SupportsLayers, save_archive


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
