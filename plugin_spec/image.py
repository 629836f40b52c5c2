"""Where a plugin's image comes from: locked packages, a Dockerfile, an archive, or an image the engine holds."""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from plugin_spec.model import RelativePath, Sha256, StrictModel

DebianName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{1,62}$")]
# distribution/reference: a name in lower case, and a tag or a digest.
_REFERENCE = re.compile(
    r"[a-z0-9]+([._/:-][a-z0-9]+)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})"
)


class PackagesImage(StrictModel):
    """Built without a daemon: base, Debian packages, hashed Python packages, adapter. The default.

    Attributes
    ----------
    debian : tuple of DebianName
        Debian packages to add to the base.
    debian_lock : RelativePath or None
        File that pins them and all they need; ``assay plugin lock`` writes it.
    """

    source: Literal["packages"] = "packages"
    debian: tuple[DebianName, ...] = ()
    debian_lock: RelativePath | None = None

    @model_validator(mode="after")
    def _packages_are_locked(self) -> "PackagesImage":
        if bool(self.debian) != (self.debian_lock is not None):
            raise ValueError(
                "debian and debian_lock stand together; add both (assay plugin lock writes the lock), or neither"
            )
        return self


class DockerfileImage(StrictModel):
    """Built by a Docker daemon from a Dockerfile in the plugin's folder.

    ``network`` lets the build's steps reach the network; a run never does.

    Attributes
    ----------
    file : RelativePath
        The Dockerfile.
    context : str
        Folder that COPY reads from.
    """

    source: Literal["dockerfile"]
    file: RelativePath = "Dockerfile"
    context: Annotated[str, StringConstraints(pattern=r"^(\.|[A-Za-z0-9_][A-Za-z0-9_./-]{0,199})$")] = "."
    network: bool = False


class ArchiveImage(StrictModel):
    """A docker archive or an OCI layout in the plugin's folder; ``image`` is the digest of the image's config."""

    source: Literal["archive"]
    path: RelativePath
    image: Sha256


class EngineImage(StrictModel):
    """An image that the engine holds already, by name; ``image`` is the digest of the image's config."""

    source: Literal["engine"]
    name: str = Field(max_length=255)
    image: Sha256

    @field_validator("name")
    @classmethod
    def _is_a_reference(cls, name: str) -> str:
        if not _REFERENCE.fullmatch(name):
            raise ValueError(f"{name!r} is no image reference; write repository:tag or repository@sha256:…")
        return name


ImageSource = Annotated[
    PackagesImage | DockerfileImage | ArchiveImage | EngineImage, Field(discriminator="source")
]
