"""Bring a case's inputs into its run folder: copied once, hashed while copying, under names of our own.

A file's own name may hold a person's name; the container and the records see ``<port>.nii.gz``.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host.cases.sidecar import SIDECAR_BYTES_MAX, sidecar_path
from host.errors import InputFileError, WorkFolderError
from plugin_spec.case import Request, request_bytes
from plugin_spec.files import write_atomic
from plugin_spec.resources import MIB
from registry.errors import StorageFullError
from registry.statements import InputRef

CHUNK_BYTES = 4 * MIB
MAX_INPUT_BYTES = 16 * 1024 * MIB


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
        shutil.rmtree(self.path, ignore_errors=True)


def stage_input(port: str, source: Path, folder: RunFolder) -> InputRef:
    """Copy one input file into the run folder and hash it on the way.

    Parameters
    ----------
    port : str
        Declared input port; gives the staged file its name.
    source : Path
        A regular file; links are followed, since operators arrange scans with them.

    Raises
    ------
    InputFileError
        Missing, not a regular file, unreadable or too large.
    StorageFullError, WorkFolderError
        The run folder does not take it.
    """
    if not source.is_file():
        raise InputFileError(
            f"{source}: {'not a regular file' if source.exists() else 'no such file'}",
            subject=str(source),
            hint=f"--input {port}=FILE takes a .nii or .nii.gz file",
        )
    suffix = ".nii.gz" if source.name.lower().endswith(".nii.gz") else ".nii"
    return _copied(port, source, folder.inputs / f"{port}{suffix}", bytes_max=MAX_INPUT_BYTES)


def stage_inputs(given: Mapping[str, Path], folder: RunFolder) -> tuple[InputRef, ...]:
    """Stage every input, in the order of port names."""
    return tuple(stage_input(port, given[port], folder) for port in sorted(given))


def stage_sidecars(given: Mapping[str, Path], folder: RunFolder) -> tuple[InputRef, ...]:
    """Stage the BIDS sidecars that stand beside the inputs.

    The acceptance domain is judged on these copies, so that the record names what was judged. The container does
    not see them: they may hold more than the manifest asks for.
    """
    found = {port: sidecar_path(source) for port, source in sorted(given.items())}
    return tuple(
        _copied(port, path, folder.sidecars / f"{port}.json", bytes_max=SIDECAR_BYTES_MAX)
        for port, path in found.items()
        if path.is_file()
    )


def _copied(port: str, source: Path, target: Path, *, bytes_max: int) -> InputRef:
    hasher = hashlib.sha256()
    size = 0
    with work_errors(target), target.open("xb") as writer:
        for chunk in _chunks(source):
            size += len(chunk)
            if size > bytes_max:
                raise InputFileError(f"{source}: larger than {bytes_max} bytes", subject=str(source))
            hasher.update(chunk)
            writer.write(chunk)
        os.fchmod(writer.fileno(), 0o444)
    return InputRef(port=port, name=target.name, digest=f"sha256:{hasher.hexdigest()}", bytes=size)


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as reader:
            while chunk := reader.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise InputFileError(f"{source}: {error.strerror}", subject=str(source)) from error


@contextmanager
def work_errors(target: Path) -> Iterator[None]:
    """Name what is wrong with our own folders, so that nobody looks for it in the operator's files."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(
                f"{target.parent}: {error.strerror}", subject=str(target.parent), hint="free some disk space"
            ) from error
        raise WorkFolderError(f"{target}: {error.strerror}", subject=str(target)) from error


def write_request(request: Request, folder: RunFolder) -> None:
    """Write request.json where the container reads it."""
    with work_errors(folder.inputs / "request.json"):
        write_atomic(folder.inputs / "request.json", request_bytes(request), mode=0o444)
