"""A plugin's own Debian packages: the lock beside its manifest that pins them and all they need beyond the base.

Debian drops superseded packages from its mirrors, so a lock keeps exact versions and digests; locking anew gives
another image, and so another release.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field, ValidationError, model_validator

from host.errors import DebianLockError
from host.images.base_lock import BaseLock, LockedPackage, PackageName, package_lines
from plugin_spec.model import MAX_DOCUMENT_BYTES, Sha256, StrictModel, first_fault
from registry.canonical import canonical_json, digest


class DebianLock(StrictModel):
    """The closed list of a plugin's own packages.

    Attributes
    ----------
    base : str
        Digest of the base lock that these packages add to.
    asked : tuple of str
        What the manifest asks for; ``packages`` holds it with everything it needs beyond the base.
    """

    contract: Literal["assay.debian-lock/1"] = "assay.debian-lock/1"
    base: Sha256
    asked: tuple[PackageName, ...] = Field(min_length=1, max_length=200)
    packages: tuple[LockedPackage, ...] = Field(max_length=1000)

    @model_validator(mode="after")
    def _sorted_once_each(self) -> "DebianLock":
        names = [package.package for package in self.packages]
        if names != sorted(set(names)):
            raise ValueError("packages must be sorted by name, each named once")
        if list(self.asked) != sorted(set(self.asked)):
            raise ValueError("asked must be sorted, each name once")
        return self

    @property
    def digest(self) -> str:
        """What the lock says, as one digest; layout and spacing of the file do not matter."""
        return digest(canonical_json(self.model_dump(mode="json")))

    def to_bytes(self) -> bytes:
        """Return the committed form: JSON, one package to a line."""
        asked = canonical_json(list(self.asked)).decode()
        lines = package_lines(self.packages)
        head = f'{{\n  "contract": "{self.contract}",\n  "base": "{self.base}",\n  "asked": {asked},\n'
        return f'{head}  "packages": [\n{lines}\n  ]\n}}\n'.encode()


class PackageResolver(Protocol):
    """Whoever can resolve dependencies; ``host.images.apt.Apt`` does."""

    def closure(
        self, names: Sequence[str], *, base: Sequence[LockedPackage]
    ) -> tuple[tuple[LockedPackage, ...], Mapping[str, str]]:
        """Return what the packages need beyond the base, and base packages that would have to be newer."""


def lock_debian(names: Sequence[str], base: BaseLock, resolver: PackageResolver) -> DebianLock:
    """Lock packages and everything they need beyond the base, in the versions that are offered now.

    Raises
    ------
    PackageMissingError
        A package is unknown, or its dependencies cannot be met.
    DebianLockError
        They need a newer base.
    """
    asked = tuple(sorted(set(names)))
    packages, newer = resolver.closure(asked, base=base.packages)
    if newer:
        listed = ", ".join(f"{name} {version}" for name, version in sorted(newer.items()))
        raise DebianLockError(
            f"{', '.join(asked)}: the archive pairs them with {listed}, newer than this host's base image holds",
            subject=sorted(newer)[0],
            hint="update this host: its base lock has to be made anew first",
        )
    return DebianLock(base=base.digest, asked=asked, packages=packages)


def read_debian_lock(path: Path, *, names: Sequence[str], base: BaseLock) -> DebianLock:
    """Read a plugin's lock and check that it answers to the manifest and to this host's base.

    Raises
    ------
    DebianLockError
        It is missing, malformed, or was made for other packages or another base.
    """
    hint = _hint(path)
    lock = parse_debian_lock(path)
    if lock.asked != tuple(sorted(set(names))):
        raise DebianLockError(
            f"{path}: locks {', '.join(lock.asked)}; the manifest's image.debian asks for "
            f"{', '.join(sorted(set(names)))}",
            subject=str(path),
            hint=hint,
        )
    if lock.base != base.digest:
        raise DebianLockError(
            f"{path}: was made for another base image than this host has", subject=str(path), hint=hint
        )
    return lock


def parse_debian_lock(path: Path) -> DebianLock:
    """Read a plugin's lock, whatever it was made for.

    Raises
    ------
    DebianLockError
        It is missing or malformed.
    """
    try:
        if path.stat().st_size > MAX_DOCUMENT_BYTES:
            raise DebianLockError(f"{path}: larger than {MAX_DOCUMENT_BYTES} bytes", subject=str(path))
        return DebianLock.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DebianLockError(f"{path}: {error.strerror}", subject=str(path), hint=_hint(path)) from error
    except ValidationError as error:
        raise DebianLockError(f"{path}: {first_fault(error)}", subject=str(path), hint=_hint(path)) from error


def _hint(path: Path) -> str:
    return f"assay plugin lock {path.parent}"
