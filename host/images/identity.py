"""Image identity: the digest of the config's bytes, which name every layer by its digest.

The same in every engine and archive; a manifest digest would differ with the transport.
"""

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import AliasGenerator, ConfigDict, Field

from plugin_spec.model import Sha256, StrictModel
from registry.canonical import canonical_json, digest

EPOCH: Final = "1970-01-01T00:00:00Z"
USER = "65534:65534"
BASE_ENVIRONMENT: Mapping[str, str] = {
    "HOME": "/scratch",
    "LANG": "C.UTF-8",
    "PATH": "/usr/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": "/opt/assay:/opt/site",
    "TMPDIR": "/scratch",
}
MAX_LAYERS = 100


def runtime_command(entry: str, *, python: str = "python3") -> tuple[str, ...]:
    """Return the command that runs the contract's runtime with an adapter's module."""
    return (python, "-m", "plugin_spec.runtime", entry)


class ContainerDefaults(StrictModel):
    """What a container of the image starts with."""

    model_config = ConfigDict(alias_generator=AliasGenerator(alias=str.capitalize), populate_by_name=True)

    cmd: tuple[str, ...]
    env: tuple[str, ...]
    labels: dict[str, str]
    user: str
    workingdir: str = Field(alias="WorkingDir")


class HistoryStep(StrictModel):
    """Where a layer comes from, for people."""

    created: Literal["1970-01-01T00:00:00Z"] = EPOCH
    created_by: str


class RootFilesystem(StrictModel):
    """The layers, lowest first."""

    diff_ids: tuple[Sha256, ...] = Field(min_length=1, max_length=MAX_LAYERS)
    type: Literal["layers"] = "layers"


class ImageConfig(StrictModel):
    """An image's config, as the OCI image specification 1.0 names its fields."""

    architecture: Literal["amd64"] = "amd64"
    config: ContainerDefaults
    created: Literal["1970-01-01T00:00:00Z"] = EPOCH
    history: tuple[HistoryStep, ...]
    os: Literal["linux"] = "linux"
    rootfs: RootFilesystem

    def to_bytes(self) -> bytes:
        """Return the bytes whose digest is the image's identity."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))


def image_id(config: bytes) -> str:
    """Return the identity of the image with this config."""
    return digest(config)


def plugin_config(
    *,
    cmd: tuple[str, ...],
    diff_ids: tuple[str, ...],
    steps: tuple[str, ...],
    labels: Mapping[str, str],
    env: Mapping[str, str],
) -> ImageConfig:
    """Describe a plugin image.

    Parameters
    ----------
    cmd : tuple of str
        What a container starts when the host gives no command of its own.
    diff_ids, steps : tuple of str
        Layers, lowest first, and what each is.
    env : mapping of str to str
        Added to ``BASE_ENVIRONMENT``.
    """
    environment = {**env, **BASE_ENVIRONMENT}
    return ImageConfig(
        config=ContainerDefaults(
            cmd=cmd,
            env=tuple(f"{name}={environment[name]}" for name in sorted(environment)),
            labels={name: labels[name] for name in sorted(labels)},
            user=USER,
            workingdir="/scratch",
        ),
        history=tuple(HistoryStep(created_by=step) for step in steps),
        rootfs=RootFilesystem(diff_ids=diff_ids),
    )
