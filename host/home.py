"""Where one installation keeps its state: ``ASSAY_HOME``, the cache of downloads, and data that somebody put there.

Layout of a home: the registry's own files, ``builds/`` (what ``plugin build`` made), ``kits/`` (generated case
files), ``perturbed/`` (their changed copies), ``runs/`` (folders of runs under way), ``lock`` (held by the one command
that builds or runs).
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from host.emptying import remove_folder
from host.errors import HomeBusyError, HomeMissingError, WorkFolderError


@dataclass(frozen=True)
class Home:
    """The folders of one installation; ``data`` is searched by digest for what declarations pin, and only read."""

    path: Path
    cache: Path
    data: Path | None = None

    @classmethod
    def from_environment(cls) -> "Home":
        """``ASSAY_HOME`` (default ``~/.assay``), ``ASSAY_CACHE`` (default ``~/.cache/assay``) and ``ASSAY_DATA``."""
        home = os.environ.get("ASSAY_HOME") or str(Path.home() / ".assay")
        cache = os.environ.get("ASSAY_CACHE") or str(Path.home() / ".cache" / "assay")
        data = os.environ.get("ASSAY_DATA")
        return cls(Path(home).absolute(), Path(cache).absolute(), Path(data).absolute() if data else None)

    @property
    def builds(self) -> Path:
        """Descriptions of built releases, one per plugin and version."""
        return self.path / "builds"

    @property
    def kits(self) -> Path:
        """Generated case files, one folder per kit digest."""
        return self.path / "kits"

    @property
    def perturbed(self) -> Path:
        """Perturbed copies of case files, one folder per recipe."""
        return self.path / "perturbed"

    @property
    def runs(self) -> Path:
        """Folders of runs under way and other passing files; touch it only while holding `running`."""
        return self.path / "runs"

    @property
    def keys(self) -> Path:
        """Encrypted key files of the persons who sign here."""
        return self.path / "keys"

    @property
    def is_registry(self) -> bool:
        """Whether a registry (a sponsor's or a site's) was set up here."""
        return (self.path / "registry.json").is_file()

    def require_registry(self) -> None:
        """Refuse to go on where no registry was set up."""
        if not self.is_registry:
            raise HomeMissingError(
                f"{self.path} holds no registry",
                subject=str(self.path),
                hint="assay trust init (a sponsor), or assay trust join (a site); ASSAY_HOME chooses the folder",
            )

    def ensure(self) -> None:
        """Make the folders that a workbench needs."""
        try:
            for folder in (self.path, self.builds, self.kits, self.perturbed, self.runs, self.keys):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkFolderError(
                f"{error.filename}: {error.strerror}",
                subject=str(error.filename),
                hint="ASSAY_HOME and ASSAY_CACHE choose the folders",
            ) from error

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold this home for building images and running cases, one command at a time.

        A second command is refused at once; a dead one leaves no lock.

        Raises
        ------
        HomeBusyError
            Another command runs cases here.
        """
        self.ensure()
        with self._lock_file() as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HomeBusyError(
                    f"another command is at work in {self.path}",
                    subject=str(self.path),
                    hint="wait until it ends, or use another ASSAY_HOME",
                ) from error
            yield

    def _lock_file(self) -> TextIO:
        try:
            for folder in (self.builds, self.runs):
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise OSError(errno.EACCES, "cannot be written", str(folder))
            return (self.path / "lock").open("w")
        except OSError as error:
            raise WorkFolderError(
                f"{error.filename}: {error.strerror}",
                subject=str(error.filename),
                hint="ASSAY_HOME chooses the folder; it must be one that this user can write",
            ) from error

    def clear_runs(self) -> None:
        """Remove what a command that died left in ``runs``; hold `running`, and reap its containers first.

        Raises
        ------
        WorkFolderError
            Something there cannot be removed.
        """
        for left in sorted(self.runs.iterdir()):
            try:
                remove_folder(left) if left.is_dir() else left.unlink()
            except OSError as error:
                raise WorkFolderError(
                    f"{left}: cannot be removed: {error.strerror}",
                    subject=str(left),
                    hint="a container left files of its own user there: remove the folder as root",
                ) from error


def now() -> datetime:
    """The present, with this machine's zone: the one place where the clock is read."""
    return datetime.now(UTC).astimezone()


def random_bytes(count: int) -> bytes:
    """The system's random bytes: the one place where they are taken."""
    return os.urandom(count)
