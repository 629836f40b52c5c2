"""The base lock: which Debian packages, at which digests, make the base image's root."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field, StringConstraints, ValidationError, model_validator

from host.errors import BaseLockError, PackageMissingError
from plugin_spec.model import MAX_DOCUMENT_BYTES, Sha256, StrictModel, first_fault
from registry.canonical import canonical_json, digest

BASE_LOCK = Path(__file__).with_name("base.lock.json")

PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{1,62}$")]
PackageVersion = Annotated[str, StringConstraints(pattern=r"^[0-9][A-Za-z0-9.+:~-]{0,99}$")]


class LockedPackage(StrictModel):
    """One Debian package file.

    Attributes
    ----------
    bytes : int
        Size of the ``.deb``.
    """

    package: PackageName
    version: PackageVersion
    architecture: Literal["amd64", "all"]
    sha256: Sha256
    bytes: int = Field(gt=0, le=256 * 1024**2)


class BaseLock(StrictModel):
    """The closed list of packages: nothing else gets into a base, and their scripts never run."""

    contract: Literal["assay.base-lock/1"] = "assay.base-lock/1"
    packages: tuple[LockedPackage, ...] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _sorted_once_each(self) -> "BaseLock":
        names = [package.package for package in self.packages]
        if names != sorted(set(names)):
            raise ValueError("packages must be sorted by name, each named once")
        return self

    @property
    def digest(self) -> str:
        """What the lock says, as one digest; layout and spacing of the file do not matter."""
        return digest(canonical_json(self.model_dump(mode="json")))

    def to_bytes(self) -> bytes:
        """Return the committed form: JSON, one package to a line."""
        lines = package_lines(self.packages)
        return f'{{\n  "contract": "{self.contract}",\n  "packages": [\n{lines}\n  ]\n}}\n'.encode()


def package_lines(packages: Sequence[LockedPackage]) -> str:
    """Return packages as the lines of a JSON list, one to a line, so that a diff shows what changed."""
    return ",\n".join(
        "    " + canonical_json(package.model_dump(mode="json")).decode() for package in packages
    )


class PackageOffers(Protocol):
    """Whoever knows which packages can be downloaded; ``host.images.apt.Apt`` does."""

    def offers(self, names: Sequence[str], *, newest_only: bool) -> tuple[LockedPackage, ...]:
        """Return the versions that can be downloaded now."""


def read_base_lock(path: Path = BASE_LOCK) -> BaseLock:
    """Read a base lock; without a path, the one this host comes with.

    Raises
    ------
    BaseLockError
        The file is missing, too large, or does not fit the model.
    """
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise BaseLockError(f"{path}: larger than {MAX_DOCUMENT_BYTES} bytes", subject=str(path))
        return BaseLock.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BaseLockError(f"{path}: {error.strerror}", subject=str(path)) from error
    except ValidationError as error:
        raise BaseLockError(f"{path}: {first_fault(error)}", subject=str(path)) from error


def relock(packages: Sequence[str], apt: PackageOffers) -> BaseLock:
    """Lock the newest version of each package that apt offers now.

    Raises
    ------
    PackageMissingError
        apt does not know a package.
    """
    offered = {package.package: package for package in apt.offers(packages, newest_only=True)}
    unknown = sorted(set(packages) - set(offered))
    if unknown:
        raise PackageMissingError(
            f"apt offers no {', '.join(unknown)}",
            subject=unknown[0],
            hint="as root: apt-get update; then check the names",
        )
    return BaseLock(packages=tuple(offered[name] for name in sorted(set(packages))))
