"""What an image's config says about its containers, read leniently: foreign tools write configs of many shapes."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from host.errors import EngineRefusedError, ImageLoadError
from plugin_spec.model import first_fault

# What Docker gives to containers of images that name no PATH.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KERNELS_OWN = ("/proc", "/sys", "/dev")


class _Container(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    entrypoint: tuple[str, ...] | None = Field(None, alias="Entrypoint")
    cmd: tuple[str, ...] | None = Field(None, alias="Cmd")
    env: tuple[str, ...] | None = Field(None, alias="Env")
    working_dir: str | None = Field(None, alias="WorkingDir")
    volumes: dict[str, Any] | None = Field(None, alias="Volumes")


class _RootFilesystem(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    diff_ids: tuple[str, ...]


class _Config(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    architecture: str
    config: _Container | None = None
    rootfs: _RootFilesystem


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
        parsed = _Config.model_validate_json(config_bytes)
    except ValidationError as error:
        raise ImageLoadError(
            f"{subject}: the image's config: {first_fault(error)}", subject=subject
        ) from error
    container = parsed.config or _Container()
    variables = dict(line.partition("=")[::2] for line in container.env or ())
    return ImageDefaults(
        architecture=parsed.architecture,
        argv=(container.entrypoint or ()) + (container.cmd or ()),
        environment={"PATH": _PATH, **variables},
        working_folder=posixpath.normpath(f"/{(container.working_dir or '').lstrip('/')}"),
        volumes=tuple(sorted(container.volumes or ())),
        diff_ids=parsed.rootfs.diff_ids,
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
