"""Bring a case's inputs into its run folder: copied once, hashed while copying, under names of our own.

A file's own name may hold a person's name; the container and the records see ``<port>.nii.gz``.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host.errors import InputFileError
from plugin_spec.case import Request, request_bytes
from plugin_spec.files import write_atomic
from plugin_spec.resources import MIB
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
        folder.outputs.mkdir(mode=0o700)
        folder.inputs.chmod(0o755)
        return folder

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
    """
    suffix = ".nii.gz" if source.name.lower().endswith(".nii.gz") else ".nii"
    target = folder.inputs / f"{port}{suffix}"
    hasher = hashlib.sha256()
    size = 0
    try:
        if not source.is_file():
            raise InputFileError(
                f"{source}: {'not a regular file' if source.exists() else 'no such file'}",
                subject=str(source),
                hint=f"--input {port}=FILE takes a .nii or .nii.gz file",
            )
        with source.open("rb") as reader, target.open("xb") as writer:
            while chunk := reader.read(CHUNK_BYTES):
                size += len(chunk)
                if size > MAX_INPUT_BYTES:
                    raise InputFileError(
                        f"{source}: larger than {MAX_INPUT_BYTES} bytes", subject=str(source)
                    )
                hasher.update(chunk)
                writer.write(chunk)
    except OSError as error:
        raise InputFileError(f"{source}: {error.strerror}", subject=str(source)) from error
    os.chmod(target, 0o444)
    return InputRef(port=port, name=target.name, digest=f"sha256:{hasher.hexdigest()}", bytes=size)


def stage_inputs(given: Mapping[str, Path], folder: RunFolder) -> tuple[InputRef, ...]:
    """Stage every input, in the order of port names."""
    return tuple(stage_input(port, given[port], folder) for port in sorted(given))


def write_request(request: Request, folder: RunFolder) -> None:
    """Write request.json where the container reads it."""
    write_atomic(folder.inputs / "request.json", request_bytes(request), mode=0o444)
