"""``plugin lock``: pin what a plugin's image is made from, in files beside its manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host.errors import RequirementsError
from host.images.apt import Apt
from host.images.base_lock import read_base_lock
from host.images.debian_lock import lock_debian, parse_debian_lock
from host.images.requirements import parse_requirements, read_requirements
from host.images.requirements_lock import compile_requirements
from plugin_spec.files import write_atomic
from plugin_spec.image import PackagesImage
from plugin_spec.manifest import Manifest


@dataclass(frozen=True)
class LockedFile:
    """A lock that was written, or found to be right already.

    Attributes
    ----------
    changes : tuple of str
        One line for each package that came, went or has another version.
    """

    file: str
    packages: int
    changes: tuple[str, ...]


def lock_plugin(folder: Path, manifest: Manifest, *, cache: Path, upgrade: bool) -> tuple[LockedFile, ...]:
    """Write the locks that a manifest names: Debian packages, and hashed Python requirements.

    Parameters
    ----------
    folder : Path
        The plugin's folder. ``requirements.txt`` is compiled from the ``requirements.in`` beside it.
    upgrade : bool
        Take the newest Python packages; otherwise those locked already stay. Of Debian packages the archive
        offers one version only, so they are always the newest.

    Raises
    ------
    RequirementsError
        There is nothing to compile requirements from.
    PackageMissingError, DebianLockError, WheelError
        A package cannot be had.
    """
    written = []
    image = manifest.image
    if isinstance(image, PackagesImage) and image.debian_lock is not None:
        written.append(_lock_debian(folder, image, image.debian_lock))
    if manifest.runtime.requirements is not None:
        written.append(
            _lock_requirements(folder, manifest.runtime.requirements, cache=cache, upgrade=upgrade)
        )
    return tuple(written)


def _lock_debian(folder: Path, image: PackagesImage, name: str) -> LockedFile:
    path = folder / name
    before = _locked_versions(path)
    lock = lock_debian(image.debian, read_base_lock(), Apt())
    write_atomic(path, lock.to_bytes())
    after = {package.package: package.version for package in lock.packages}
    return LockedFile(name, len(after), _changes(before, after))


def _locked_versions(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    return {package.package: package.version for package in parse_debian_lock(path).packages}


def _lock_requirements(folder: Path, name: str, *, cache: Path, upgrade: bool) -> LockedFile:
    path = folder / name
    source = path.with_suffix(".in")
    if not source.is_file():
        raise RequirementsError(
            f"{source}: not there; {name} is compiled from it",
            subject=str(source),
            hint=f"write the packages the adapter imports into {source.name}, one a line",
        )
    before = {one.name: one.version for one in read_requirements(path)} if path.exists() else {}
    text = compile_requirements(
        source, path if path.exists() and not upgrade else None, uv_cache=cache / "uv"
    )
    after = {one.name: one.version for one in parse_requirements(text, where=str(path))}
    write_atomic(path, text.encode())
    return LockedFile(name, len(after), _changes(before, after))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    lines = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            lines.append(f"{name} {old or '(new)'} -> {new or '(gone)'}")
    return tuple(lines)
