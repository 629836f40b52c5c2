"""Put the members of a tar into a folder, and nowhere else.

Owners, times and modes are dropped except for "executable": layers normalise them anyway. Nothing is ever
written through a symbolic link.
"""

import shutil
import tarfile
from pathlib import Path, PurePosixPath

from host.errors import PackageFormatError

# These folders of the root are links into /usr, whatever a package says.
MERGED = ("bin", "lib", "lib64", "sbin")


def merged(name: str) -> str:
    """Return a package's path as it lies in a usr-merged root, relative to it."""
    name = name.removeprefix(".").strip("/")
    return f"usr/{name}" if name.split("/")[0] in MERGED else name


def place_member(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path, name: str) -> None:
    """Write one member below ``root`` as ``name``.

    Parameters
    ----------
    archive : TarFile
        Open at ``member``; may be a stream.
    name : str
        Relative path; it need not be the member's own.

    Raises
    ------
    PackageFormatError
        A path or a link that leaves ``root``, a device, or two members that contradict each other.
    """
    path = _inside(root, name)
    if member.isdir():
        _make_folder(path)
        return
    _make_folder(path.parent)
    if path.is_symlink() or path.exists():
        raise PackageFormatError(f"{name}: unpacked twice", subject=name)
    if member.isreg():
        content = archive.extractfile(member)
        assert content is not None  # noqa: S101 - tarfile gives a reader for every regular member
        with content, path.open("xb") as stream:
            shutil.copyfileobj(content, stream, 1024 * 1024)
        path.chmod(0o755 if member.mode & 0o111 else 0o644)
    elif member.issym():
        path.symlink_to(member.linkname)
    else:
        raise PackageFormatError(f"{name}: neither a file, a folder nor a symbolic link", subject=name)


def place_hard_link(root: Path, *, name: str, target: str) -> None:
    """Write a hard link's target again as a file of its own."""
    path, source = _inside(root, name), _inside(root, target)
    if source.is_symlink() or not source.is_file():
        raise PackageFormatError(f"{name}: a hard link to {target}, which is no file", subject=name)
    _make_folder(path.parent)
    shutil.copy(source, path, follow_symlinks=False)


def _inside(root: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise PackageFormatError(f"{name!r}: a path that leaves the image's root", subject=name)
    for depth in range(1, len(parts)):
        if root.joinpath(*parts[:depth]).is_symlink():
            raise PackageFormatError(f"{name}: lies behind a symbolic link", subject=name)
    return root.joinpath(*parts)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PackageFormatError(
            f"{path.name}: a file where a folder is needed", subject=str(path)
        ) from error
