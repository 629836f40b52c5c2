"""The base layer: a minimal Debian 12 with Python 3.11, of locked packages whose scripts are never run.

Invariants
----------
* Every package file has the digest the lock gives, whichever cache or archive it came from.
* The root is usr-merged, whatever the packages say: ``/bin``, ``/lib``, ``/lib64``, ``/sbin`` are links.
* Licences stay (``/usr/share/doc/*/copyright``); manuals and desktop data do not.
"""

import hashlib
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from host.errors import ImageBuildError, PackageFormatError, PackageMissingError
from host.images.apt import Apt
from host.images.base_lock import LockedPackage
from host.images.bytecode import BaseInterpreter
from host.images.unpack import MERGED, merged, place_hard_link, place_member
from plugin_spec.files import write_atomic

# What `python3 -c "import bz2, ctypes, decimal, lzma, sqlite3, ssl, uuid"` needs, the C++ runtime that wheels
# expect from the system, a shell, and gcc-12-base, which holds the licence of the gcc libraries.
PACKAGES = (
    "dash",
    "gcc-12-base",
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libsqlite3-0",
    "libssl3",
    "libstdc++6",
    "libuuid1",
    "python3.11-minimal",
    "zlib1g",
)
_PRUNED = tuple(
    f"usr/share/{name}"
    for name in (
        "binfmts",
        "bug",
        "debianutils",
        "doc",
        "gcc",
        "gdb",
        "info",
        "lintian",
        "locale",
        "man",
        "menu",
    )
)
# Where the host mounts, and where tools expect a folder; a read-only root cannot be given them later.
_FOLDERS = (
    "assay/in",
    "assay/out",
    "assay/weights",
    "dev",
    "opt/assay",
    "opt/site",
    "proc",
    "scratch",
    "sys",
    "tmp",
)
_FILES = {
    "etc/passwd": "root:x:0:0:root:/:/usr/bin/sh\nnobody:x:65534:65534:nobody:/scratch:/usr/bin/sh\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    # No run has a network; a step of a Dockerfile that starts here may have one, and names to look up.
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


class SupportsPackages(Protocol):
    """A lock of Debian packages: the base's, or a plugin's own."""

    @property
    def packages(self) -> tuple[LockedPackage, ...]:
        """What is locked."""


def fetch_packages(lock: SupportsPackages, *, cache: Path, apt: Apt) -> list[Path]:
    """Have every locked package as a file, from the cache or from apt.

    Parameters
    ----------
    cache : Path
        Holds each package under its digest; made when absent.

    Raises
    ------
    PackageMissingError
        apt does not offer a version (any more), or offers other bytes under it.
    """
    cache.mkdir(parents=True, exist_ok=True)
    paths = {package: cache / f"{package.sha256.removeprefix('sha256:')}.deb" for package in lock.packages}
    missing = [package for package, path in paths.items() if not _holds(path, package)]
    if missing:
        with tempfile.TemporaryDirectory(dir=cache, prefix=".download.") as folder:
            apt.download(missing, Path(folder))
            _adopt(missing, Path(folder), paths)
    return list(paths.values())


def _holds(path: Path, package: LockedPackage) -> bool:
    return (
        path.is_file()
        and path.stat().st_size == package.bytes
        and _digest(path.read_bytes()) == package.sha256
    )


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _adopt(wanted: Sequence[LockedPackage], folder: Path, paths: dict[LockedPackage, Path]) -> None:
    # By digest, so apt's file names need no parsing.
    found = {_digest(data): data for data in (path.read_bytes() for path in sorted(folder.glob("*.deb")))}
    for package in wanted:
        if package.sha256 not in found:
            raise PackageMissingError(
                f"apt gave other bytes for {package.package} {package.version} than the lock names",
                subject=package.package,
                hint="check this machine's apt sources, or lock the packages anew",
            )
        write_atomic(paths[package], found[package.sha256])


def make_base_root(packages: Sequence[Path], root: Path) -> None:
    """Turn packages into a root that Python runs in, bytecode included, in an empty folder.

    Raises
    ------
    PackageFormatError
        A package holds a device, or a path that leaves the root.
    """
    unpack_packages(packages, root)
    root.joinpath("usr/bin/python3").symlink_to("python3.11")
    for name in _FOLDERS:
        root.joinpath(name).mkdir(parents=True, exist_ok=True)
    for name, text in _FILES.items():
        root.joinpath(name).write_text(text, encoding="ascii")
    BaseInterpreter(root).compile(root / "usr/lib/python3.11", image_folder="/usr/lib/python3.11")


def unpack_packages(packages: Sequence[Path], root: Path) -> None:
    """Unpack Debian packages into one usr-merged root; ``make_base_root`` calls this first."""
    for name in MERGED:
        root.joinpath("usr", name).mkdir(parents=True)
        root.joinpath(name).symlink_to(f"usr/{name}")
    for package in packages:
        _unpack(package, root)


def _unpack(package: Path, root: Path) -> None:
    command = ["dpkg-deb", "--fsys-tarfile", str(package)]
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None  # noqa: S101 - asked for above
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    _place(archive, member, root)
            # dpkg-deb writes the padding after the archive's end too.
            while process.stdout.read(65536):
                pass
    except FileNotFoundError as error:
        raise ImageBuildError("dpkg-deb is not installed", hint="build on Debian or Ubuntu") from error
    except tarfile.TarError as error:
        raise PackageFormatError(f"{package}: not a Debian package: {error}", subject=str(package)) from error
    if process.returncode != 0:
        raise PackageFormatError(f"{package}: dpkg-deb cannot read it", subject=str(package))


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    name = merged(member.name)
    if name in {"", *(f"usr/{one}" for one in MERGED)} or _is_pruned(name):
        return
    if member.islnk():
        place_hard_link(root, name=name, target=merged(member.linkname))
    else:
        place_member(archive, member, root, name)


def _is_pruned(name: str) -> bool:
    if name.startswith("usr/share/doc/"):
        # A package's doc folder may be a link to another package's: it holds that one's copyright file.
        return not (name.endswith("/copyright") or name.count("/") == 3)
    return any(name == pruned or name.startswith(f"{pruned}/") for pruned in _PRUNED)
