"""Write a new plugin's folder: whole or not at all, and never over another."""

import os
import shutil
import tempfile
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from host.errors import OptionError, TargetError
from host.scaffold.patterns import plugin_files
from plugin_spec.model import Identifier


def write_plugin(parent: Path, plugin_id: str, capability: str, *, tool: bool) -> tuple[str, ...]:
    """Write a new plugin into a folder of its own.

    Parameters
    ----------
    parent : Path
        An existing folder.
    plugin_id : str
        The plugin's identifier, and the name of the folder to make.
    capability, tool
        As in `plugin_files`.

    Returns
    -------
    tuple of str
        The files, relative to the folder.

    Raises
    ------
    OptionError
        The name is no identifier, or a tool is asked for with another capability than its example has.
    TargetError
        The folder exists, or cannot be written.
    """
    _check_identifier(plugin_id)
    folder = parent / plugin_id
    if tool and capability != "quantification":
        raise OptionError(
            f"--tool writes an example that measures, not one for {capability}",
            subject="--tool",
            hint="--capability quantification --tool, then declare the outputs of your own tool",
        )
    files = plugin_files(plugin_id, capability, tool=tool)
    try:
        part = Path(tempfile.mkdtemp(dir=parent, prefix=f".{plugin_id}."))
        try:
            for name, data in files.items():
                (part / name).parent.mkdir(exist_ok=True)
                (part / name).write_bytes(data)
            part.chmod(0o755)
            _move(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise TargetError(f"{folder}: {error.strerror}", subject=str(folder)) from error
    return tuple(sorted(files))


def _move(part: Path, folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise TargetError(
            f"{folder}: exists already", subject=str(folder), hint="name a new one, or remove it"
        )
    os.rename(part, folder)


def _check_identifier(name: str) -> None:
    try:
        TypeAdapter(Identifier).validate_python(name)
    except ValidationError as error:
        raise OptionError(
            f"{name!r} cannot be a plugin's identifier: lower-case letters, digits and hyphens, 63 at most",
            subject=name,
            hint="for example brain-lesions",
        ) from error
