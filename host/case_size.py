"""How much a case's inputs take uncompressed, foretold from the headers of its images before anything is staged."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from host.cases.nifti import decode_header
from host.cases.nifti_stream import decompressed, open_image
from host.machine import Room
from host.planning import plan_limits
from plugin_spec.errors import InputError
from plugin_spec.manifest import Manifest
from plugin_spec.ports import VolumePort


def foretold_bytes(manifest: Manifest, files: Mapping[str, Sequence[Path]]) -> int:
    """The least that a case's inputs will be found to take.

    What has no readable NIfTI header counts nothing here: what it is will be said, and counted, once it is staged.
    """
    total = 0
    for name, paths in files.items():
        port = manifest.input(name)
        ndim = port.ndim if isinstance(port, VolumePort) else 3
        total += sum(_value_bytes(path, ndim) for path in paths)
    return total


def require_room(room: Room, manifest: Manifest, case_id: str, files: Mapping[str, Sequence[Path]]) -> None:
    """Refuse a case that this machine can never hold, as far as its headers tell.

    Raises
    ------
    MachineTooSmallError
        Its container would need more memory than there is.
    """
    if manifest.resources.memory_per_input_mib:
        limits = plan_limits(manifest, foretold_bytes(manifest, files))
        room.require(limits, f"{manifest.id} {manifest.version} on {case_id}")


def _value_bytes(path: Path, ndim: int) -> int:
    if not path.name.endswith((".nii", ".nii.gz")):
        return 0
    try:
        with open_image(path) as raw:
            return decode_header(decompressed(raw, path.name), path.name, ndim=ndim).value_bytes
    except InputError:
        return 0
