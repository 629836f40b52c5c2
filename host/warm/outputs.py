"""A case's outputs on their way out of a container that goes on living: copied, and only the copy is ever checked.

Invariant: once `take_outputs` has returned, nothing the container does reaches what was taken: a rename would have
kept the file that a process of it may still have open.
"""

from pathlib import Path

from host.engines.interface import Limits
from host.errors import OutputUndeclaredError
from host.output_files import HashedFile, check_entries, open_output
from host.outputs import RESULT_NAME
from host.staging import CHUNK_BYTES, work_errors
from plugin_spec.case import Result


def take_outputs(result: Result, source: Path, target: Path, limits: Limits) -> None:
    """Copy what result.json lists; a folder that holds anything else is refused as after a fresh container.

    Parameters
    ----------
    result : Result
        What the container says it wrote. What a refused or failed case left is not looked at.
    source : Path
        The output folder of the running container.
    target : Path
        The case's own output folder, empty.
    limits : Limits
        ``output_bytes`` and ``output_files`` are applied.

    Raises
    ------
    ContractError
        The same as for the outputs of a fresh container.
    """
    if result.outcome != "ok":
        return
    listed = {one.path: one.port for one in result.outputs if one.path == Path(one.path).as_posix()}
    check_entries(
        source, {*listed, RESULT_NAME}, bytes_max=limits.output_bytes, files_max=limits.output_files
    )
    left = limits.output_bytes
    for path, port in listed.items():
        with open_output(source, path, port=port) as file:
            left -= file.size
            if left < 0:
                raise OutputUndeclaredError(
                    f"port {port}: {path} grew past the limit of {limits.output_bytes} bytes", subject=port
                )
            _copy(file, target / path)


def _copy(file: HashedFile, target: Path) -> None:
    with work_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as writer:
            while chunk := file.read(CHUNK_BYTES):
                writer.write(chunk)
