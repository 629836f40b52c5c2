"""Bytecode for the files of an image, made by the image's own Python without starting a container.

Without it every fresh container compiles what it imports: 1.3 s for dipy, nibabel and scipy, 1.8 s with
registration and segmentation. The interpreter and its libraries come from the locked base and run through
its own loader, so the result does not depend on the Python, libraries or locale of the building machine.
Compiling runs no code of the files.
"""

import subprocess
import tarfile
from pathlib import Path

from host.errors import ImageBuildError
from host.images.layer import Layer
from host.images.unpack import place_member

_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_INTERPRETER = ("usr/bin/python3.11", "usr/lib/python3.11/", f"{_LIBRARIES}/")
_TESTS = frozenset({"test", "tests"})
_TIMEOUT_S = 1800


class BaseInterpreter:
    """The Python of an unpacked base root.

    Parameters
    ----------
    root : Path
        Holds at least the interpreter, its standard library and the shared libraries.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    @classmethod
    def unpacked(cls, base: Layer, folder: Path) -> "BaseInterpreter":
        """Unpack the interpreter of a base layer into a new folder.

        Parameters
        ----------
        base : Layer
            Its digest must have been checked: the interpreter is going to run.
        """
        folder.mkdir()
        with tarfile.open(base.path, "r:") as archive:
            for member in archive:
                if member.name.startswith(_INTERPRETER) and not member.isdir():
                    place_member(archive, member, folder, member.name)
        return cls(folder)

    def compile(self, folder: Path, *, image_folder: str) -> None:
        """Add ``__pycache__`` beside every Python file below ``folder``, except in test folders.

        Parameters
        ----------
        image_folder : str
            Where the folder will lie in the image: what tracebacks show.

        Raises
        ------
        ImageBuildError
            The interpreter cannot run here, or fails.
        """
        folder = folder.resolve()
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py"))
        wanted = [name for name in names if not _TESTS & set(name.split("/")) and "\n" not in name]
        pairs = "".join(f"{folder}/{name}\n{image_folder}/{name}\n" for name in wanted)
        script = Path(__file__).with_name("compile_files.py")
        self._run(["-W", "ignore", str(script)], pairs)

    def _run(self, arguments: list[str], text: str) -> None:
        libraries = self._root / _LIBRARIES
        command = [
            str(libraries / "ld-linux-x86-64.so.2"),
            *("--library-path", str(libraries)),
            str(self._root / "usr/bin/python3.11"),
            *("-P", "-S", "-s", "-B"),
            *arguments,
        ]
        # A fixed hash seed and an otherwise empty environment: nothing of this machine may show in the bytes.
        environment = {
            "PYTHONHOME": str(self._root / "usr"),
            "PYTHONHASHSEED": "0",
            "PYTHONUTF8": "1",
            "LC_ALL": "C",
        }
        try:
            done = subprocess.run(
                command,
                input=text.encode(),
                env=environment,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ImageBuildError(
                f"the base image's Python does not run here: {error}", hint="build on an x86-64 Linux machine"
            ) from error
        if done.returncode != 0:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise ImageBuildError(f"the base image's Python cannot compile: {last[0]}")
