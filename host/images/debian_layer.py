"""The layer of a plugin's own Debian packages, on top of the base: unpacked, linked, and no script run."""

import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from host.errors import PackageFormatError
from host.images.alternatives import alternatives_of, link_alternatives, link_libraries, unrun
from host.images.base import unpack_packages
from host.images.bytecode import BaseInterpreter
from host.images.unpack import MERGED

_MAX_SCRIPT_BYTES = 1024 * 1024
_SCRIPTS = ("postinst", "preinst")
_PYTHON_FOLDERS = ("usr/lib/python3", "usr/lib/python3.11")


def make_debian_root(
    packages: Sequence[tuple[str, Path]], root: Path, interpreter: BaseInterpreter
) -> tuple[str, ...]:
    """Unpack a plugin's own packages into an empty folder.

    Parameters
    ----------
    packages : sequence of (str, Path)
        Name and file.
    interpreter : BaseInterpreter
        The base's Python, which compiles the Python files among them.

    Returns
    -------
    tuple of str
        What the author should know: scripts that were not run, names that were not linked.

    Raises
    ------
    PackageFormatError
        A package cannot be read, or two packages hold one path.
    """
    unpack_packages([path for _, path in packages], root)
    scripts = {name: read_scripts(path) for name, path in packages}
    offered, notes = alternatives_of({name: found.get("postinst", "") for name, found in scripts.items()})
    notes += link_alternatives(root, offered)
    link_libraries(root)
    for name in _PYTHON_FOLDERS:
        if root.joinpath(name).is_dir():
            interpreter.compile(root / name, image_folder=f"/{name}")
    for name in MERGED:
        # The base has these links.
        root.joinpath(name).unlink()
    with_scripts = [name for name, found in scripts.items() if found]
    return (*notes, unrun(with_scripts)) if with_scripts else notes


def read_scripts(package: Path) -> dict[str, str]:
    """Read a package's ``postinst`` and ``preinst`` as text; nothing is run."""
    command = ["dpkg-deb", "--ctrl-tarfile", str(package)]
    found = {}
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout is not None  # noqa: S101 - asked for above
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    name = member.name.removeprefix("./")
                    content = archive.extractfile(member) if name in _SCRIPTS and member.isreg() else None
                    if content is not None:
                        found[name] = content.read(_MAX_SCRIPT_BYTES).decode("utf-8", errors="replace")
            while process.stdout.read(65536):
                pass
    except tarfile.TarError as error:
        raise PackageFormatError(f"{package}: not a Debian package: {error}", subject=str(package)) from error
    if process.returncode != 0:
        raise PackageFormatError(f"{package}: dpkg-deb cannot read it", subject=str(package))
    return found
