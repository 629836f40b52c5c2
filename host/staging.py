"""The folder of one run, and how files of an operator get into it: copied once, hashed while copying.

A file's own name may hold a person's name; the container and the records see names of our own.
"""

import os
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

from host.disk_errors import disk_errors
from host.emptying import remove_folder
from host.errors import InputFileError, WorkFolderError
from host.hashed_copy import copy_and_hash
from plugin_spec.case import Request, request_bytes
from plugin_spec.files import write_atomic
from plugin_spec.resources import MIB
from registry.statements import InputRef

CHUNK_BYTES = 4 * MIB
MAX_INPUT_BYTES = 16 * 1024 * MIB
REQUEST_NAME = "request.json"


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run: inputs, outputs and log, closed to every other user."""

    path: Path

    @property
    def inputs(self) -> Path:
        """Seen read-only at /assay/in."""
        return self.path / "in"

    @property
    def sidecars(self) -> Path:
        """BIDS sidecars of the inputs; not seen by the container."""
        return self.path / "sidecars"

    @property
    def outputs(self) -> Path:
        """Seen at /assay/out."""
        return self.path / "out"

    @property
    def log(self) -> Path:
        """What the container printed."""
        return self.path / "log.txt"

    @classmethod
    def create(cls, path: Path) -> "RunFolder":
        """Make an empty run folder; one that exists is a run id used twice."""
        path.mkdir(parents=True, mode=0o700)
        folder = cls(path)
        folder.inputs.mkdir(mode=0o755)
        folder.sidecars.mkdir(mode=0o700)
        folder.outputs.mkdir(mode=0o700)
        folder.inputs.chmod(0o755)
        return folder

    def without_paths(self, message: str) -> str:
        """A message about staged files with their bare names, fit for a record."""
        for folder in (self.inputs, self.sidecars):
            message = message.replace(f"{folder}/", "")
        return message

    def remove(self) -> None:
        """Delete the folder; what is worth keeping has gone to the blob store."""
        with suppress(OSError):
            remove_folder(self.path)


def copy_hashed(port: str, source: Path, target: Path, *, bytes_max: int) -> InputRef:
    """Copy a file of the operator's into the run folder, read-only, and hash it on the way.

    Raises
    ------
    InputFileError
        Unreadable or too large.
    StorageFullError, WorkFolderError
        The run folder does not take it.
    """
    left = bytes_max

    def read_into(buffer: bytearray) -> int:
        nonlocal left
        try:
            count = reader.readinto(buffer) or 0
        except OSError as error:
            raise InputFileError(f"{source}: {error.strerror}", subject=str(source)) from error
        left -= count
        if left < 0:
            raise InputFileError(f"{source}: larger than {bytes_max} bytes", subject=str(source))
        return count

    try:
        opened = source.open("rb", buffering=0)
    except OSError as error:
        raise InputFileError(f"{source}: {error.strerror}", subject=str(source)) from error
    with opened as reader, work_errors(target), target.open("xb", buffering=0) as writer:
        digest, size = copy_and_hash(read_into, writer)
        os.fchmod(writer.fileno(), 0o444)
    return InputRef(port=port, name=target.name, digest=digest, bytes=size)


def work_errors(target: Path) -> AbstractContextManager[None]:
    """Name what is wrong with our own folders, so that nobody looks for it in the operator's files."""
    return disk_errors(
        target, lambda error: WorkFolderError(f"{target}: {error.strerror}", subject=str(target))
    )


def write_request(request: Request, folder: RunFolder) -> None:
    """Write request.json where the container reads it."""
    with work_errors(folder.inputs / REQUEST_NAME):
        write_atomic(folder.inputs / REQUEST_NAME, request_bytes(request), mode=0o444)
