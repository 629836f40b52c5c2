"""Configs of images that Assay did not write: read as far as needed, kept byte for byte, and built upon.

Invariants
----------
* The identity is the digest of the config's bytes as they came; nothing is normalised.
* A config is strict JSON: one with a key twice is refused, since two readers could see two images in it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from host.errors import ArchiveError
from host.images.identity import EPOCH, MAX_LAYERS
from plugin_spec.model import Sha256, first_fault
from registry.canonical import canonical_json, parse_json
from registry.errors import MalformedJsonError

MAX_CONFIG_BYTES = 4 * 1024 * 1024
# What says where and when an image was built, and of what other image; the layers say what it is.
_ABOUT_THE_BUILD = frozenset(
    {"container", "container_config", "docker_version", "id", "parent", "moby.buildkit.buildinfo.v1"}
)


class _Part(BaseModel):
    # Foreign builders add keys of their own: only what Assay acts on is read.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class _RootFilesystem(_Part):
    diff_ids: tuple[Sha256, ...] = Field(min_length=1, max_length=MAX_LAYERS)


class _Defaults(_Part):
    user: str = Field(default="", alias="User")
    env: tuple[str, ...] | None = Field(default=None, alias="Env")
    entrypoint: tuple[str, ...] | None = Field(default=None, alias="Entrypoint")
    cmd: tuple[str, ...] | None = Field(default=None, alias="Cmd")
    volumes: dict[str, object] | None = Field(default=None, alias="Volumes")
    working_dir: str | None = Field(default=None, alias="WorkingDir")


class _Document(_Part):
    architecture: str = ""
    os: str = ""
    config: _Defaults | None = None
    rootfs: _RootFilesystem


@dataclass(frozen=True)
class ForeignConfig:
    """What Assay acts on in an image's config, whoever wrote it.

    Attributes
    ----------
    diff_ids : tuple of str
        Digests of the uncompressed layers, lowest first.
    user : str
        As written; empty where the image names none.
    environment : mapping of str to str
        Of variables given twice, the last.
    command : tuple of str
        Entrypoint and command together.
    volumes : tuple of str
        Folders the image wants writable.
    working_folder : str
        As written; empty where the image names none.
    """

    architecture: str
    os: str
    diff_ids: tuple[str, ...]
    user: str
    environment: Mapping[str, str]
    command: tuple[str, ...]
    volumes: tuple[str, ...]
    working_folder: str


def read_config(data: bytes, *, where: str) -> ForeignConfig:
    """Read an image's config, Assay's own or another's.

    Parameters
    ----------
    where : str
        What the bytes are, for the error line.

    Raises
    ------
    ArchiveError
        Not strict JSON, or it names no layers.
    """
    try:
        parse_json(data, where=where, limit=MAX_CONFIG_BYTES)
        document = _Document.model_validate_json(data)
    except MalformedJsonError as error:
        raise ArchiveError(str(error), subject=where) from error
    except ValidationError as error:
        raise ArchiveError(f"{where}: {first_fault(error)}", subject=where) from error
    defaults = document.config or _Defaults()
    return ForeignConfig(
        architecture=document.architecture,
        os=document.os,
        diff_ids=document.rootfs.diff_ids,
        user=defaults.user,
        environment=dict(_pair(entry) for entry in defaults.env or ()),
        command=(*(defaults.entrypoint or ()), *(defaults.cmd or ())),
        volumes=tuple(sorted(defaults.volumes or {})),
        working_folder=defaults.working_dir or "",
    )


def _pair(entry: str) -> tuple[str, str]:
    name, _, value = entry.partition("=")
    return name, value


def derived_config(
    data: bytes,
    *,
    added: Sequence[tuple[str, str]],
    cmd: Sequence[str],
    environment: Mapping[str, str],
    labels: Mapping[str, str],
) -> bytes:
    """Return the config of an image with layers on top of another.

    Parameters
    ----------
    data : bytes
        The lower image's config, read by `read_config` before.
    added : sequence of (str, str)
        Digest and description of each layer, lowest first.
    cmd : sequence of str
        Replaces entrypoint and command.
    environment, labels : mapping
        Added; they win over the lower image's.

    Returns
    -------
    bytes
        A function of the arguments: no clock and no machine.
    """
    document = {key: value for key, value in json.loads(data).items() if key not in _ABOUT_THE_BUILD}
    defaults = dict(document.get("config") or {})
    variables = {**dict(_pair(entry) for entry in defaults.get("Env") or ()), **environment}
    defaults.pop("Entrypoint", None)
    # A health check would run beside the plugin, an ONBUILD only in a build.
    defaults.pop("Healthcheck", None)
    defaults["Cmd"] = list(cmd)
    defaults["Env"] = [f"{name}={variables[name]}" for name in sorted(variables)]
    defaults["Labels"] = {**(defaults.get("Labels") or {}), **labels}
    document["config"] = defaults
    document["created"] = EPOCH
    document["rootfs"] = {
        "type": "layers",
        "diff_ids": [*document["rootfs"]["diff_ids"], *(diff_id for diff_id, _ in added)],
    }
    steps = [{"created": EPOCH, "created_by": step} for _, step in added]
    document["history"] = [*(document.get("history") or []), *steps]
    return canonical_json(document)
