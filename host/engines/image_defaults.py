"""What an image's config says about its containers, with what Docker adds where it says nothing."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from host.errors import ArchiveError, EngineRefusedError, ImageLoadError
from host.images.foreign import read_config

# What Docker gives to containers of images that name no PATH.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KERNELS_OWN = ("/proc", "/sys", "/dev")


@dataclass(frozen=True, slots=True)
class ImageDefaults:
    """What a container of the image starts with; its user is always the engine's.

    Attributes
    ----------
    argv : tuple of str
        Entrypoint and command together; may be empty.
    volumes : tuple of str
        Folders it declares writable: no engine of ours allows that.
    """

    architecture: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_folder: str
    volumes: tuple[str, ...]
    diff_ids: tuple[str, ...]


def image_defaults(config_bytes: bytes, *, subject: str) -> ImageDefaults:
    """Read an image's config.

    Raises
    ------
    ImageLoadError
        It is no image config.
    """
    try:
        config = read_config(config_bytes, where=f"{subject}: the image's config")
    except ArchiveError as error:
        raise ImageLoadError(error.message, subject=subject) from error
    return ImageDefaults(
        architecture=config.architecture,
        argv=config.command,
        environment={"PATH": _PATH, **config.environment},
        working_folder=posixpath.normpath(f"/{config.working_folder.lstrip('/')}"),
        volumes=config.volumes,
        diff_ids=config.diff_ids,
    )


def require_no_volumes(volumes: tuple[str, ...], *, image_id: str) -> None:
    """Refuse an image that declares volumes.

    Raises
    ------
    EngineRefusedError
        It does.
    """
    if volumes:
        raise EngineRefusedError(
            f"the image declares volumes, writable without bound: {', '.join(volumes)}",
            subject=image_id,
            hint="rebuild it without VOLUME; /scratch and /assay/out are the places to write to",
        )


def require_plain_working_folder(folder: str, *, image_id: str) -> None:
    """Refuse an image whose containers would start in a folder of the kernel's.

    Entering one through a descriptor that a runtime forgot to close led out of the container (CVE-2024-21626).

    Raises
    ------
    EngineRefusedError
        They would.
    """
    if folder.startswith(_KERNELS_OWN):
        raise EngineRefusedError(
            f"the image's working folder is {folder}, which is the kernel's",
            subject=image_id,
            hint="rebuild it with another WORKDIR",
        )
