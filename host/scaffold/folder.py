"""Write the folder of a new plugin or kit: whole or not at all, and never over another."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from host.errors import OptionError, TargetError
from host.scaffold.kit_patterns import kit_files
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
    _check_identifier(plugin_id, "a plugin's identifier", "brain-lesions")
    if tool and capability != "quantification":
        raise OptionError(
            f"--tool writes an example that measures, not one for {capability}",
            subject="--tool",
            hint="--capability quantification --tool, then declare the outputs of your own tool",
        )
    return _write(parent, plugin_id, plugin_files(plugin_id, capability, tool=tool))


def write_kit(parent: Path, kit_id: str, capability: str) -> tuple[str, ...]:
    """Write a new validation kit into a folder of its own; parameters, files and errors as in `write_plugin`."""
    _check_identifier(kit_id, "a kit's identifier", "ms-lesions-open-data")
    return _write(parent, kit_id, kit_files(kit_id, capability))


def _write(parent: Path, name: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
    folder = parent / name
    try:
        part = Path(tempfile.mkdtemp(dir=parent, prefix=f".{name}."))
        try:
            for file, data in files.items():
                (part / file).parent.mkdir(exist_ok=True)
                (part / file).write_bytes(data)
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


def _check_identifier(name: str, what: str, example: str) -> None:
    try:
        TypeAdapter(Identifier).validate_python(name)
    except ValidationError as error:
        raise OptionError(
            f"{name!r} cannot be {what}: lower-case letters, digits and hyphens, 63 at most",
            subject=name,
            hint=f"for example {example}",
        ) from error
