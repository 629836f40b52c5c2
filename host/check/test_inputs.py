"""Rules on the files of the embedded tests: they are there, and they are what their port takes."""

import stat
from collections.abc import Iterator
from pathlib import Path

from host.check.folder import PluginFolder
from host.check.image_header import ImageHeader, is_dicom, read_image_header
from plugin_spec.documents import DOCUMENTS, parse_document
from plugin_spec.errors import ContractError
from plugin_spec.faults import Found
from plugin_spec.model import read_document
from plugin_spec.ports import DicomSeriesPort, FilePort, InputPort, LabelMapPort, VolumePort


def test_files_are_there(plugin: PluginFolder) -> Found:
    """C504: every file a test names is there: a folder for a DICOM series, a file for any other port.

    Fix: add the file, or correct its name.
    """
    for path, name, port in _named(plugin):
        found = plugin.file(name)
        if not found.exists():
            yield path, f"names {name}, which is not there", "add the file, or correct its name"
        elif not _is_of_kind(port, found):
            wanted = "a folder of instances" if isinstance(port, DicomSeriesPort) else "a file"
            yield path, f"{name}: {_port(port)} takes {wanted}", f"name {wanted}"


def test_files_are_readable(plugin: PluginFolder) -> Found:
    """C505: every file a test names is what its port takes; only a test that expects a refusal may miss its axes.

    Fix: write it anew: NIfTI-1 for images, DICOM part 10 for a series, the JSON document of its kind for numbers.
    """
    fix = "write it anew: NIfTI-1 for images, DICOM part 10 for a series, the JSON document of its kind for numbers"
    refusals = {f"tests.{number}" for number, test in enumerate(plugin.manifest.tests) if test.expect != "ok"}
    for path, name, port in _named(plugin):
        found = plugin.file(name)
        if _is_of_kind(port, found):
            fault = _misfit(port, found, strict=".".join(path.split(".")[:2]) not in refusals)
            if fault:
                yield path, f"{name}: {fault}", fix


def references_are_readable(plugin: PluginFolder) -> Found:
    """C506: the reference of a comparison is there, and an image.

    Fix: add the NIfTI-1 image, or correct its name.
    """
    for number, test in enumerate(plugin.manifest.tests):
        for place, one in enumerate(test.compare):
            if one.reference is None:
                continue
            found = plugin.file(one.reference)
            header = read_image_header(found) if found.is_file() else "no such file"
            if isinstance(header, str):
                path = f"tests.{number}.compare.{place}.reference"
                yield path, f"{one.reference}: {header}", "add the NIfTI-1 image, or correct its name"


def _named(plugin: PluginFolder) -> Iterator[tuple[str, str, InputPort | None]]:
    """Every file that a test names, with the field's path and the port, where it is declared."""
    for number, test in enumerate(plugin.manifest.tests):
        for name, files in test.files().items():
            for file in files:
                yield f"tests.{number}.inputs.{name}", file, plugin.manifest.input(name)


def _is_of_kind(port: InputPort | None, path: Path) -> bool:
    return path.is_dir() if isinstance(port, DicomSeriesPort) else path.is_file()


def _port(port: InputPort | None) -> str:
    return f"port {port.name}" if port is not None else "the port"


def _misfit(port: InputPort | None, path: Path, *, strict: bool) -> str:
    """Why a file or folder is not what a port takes; empty when it is. ``strict`` looks at the axes, too."""
    if isinstance(port, (VolumePort, LabelMapPort)):
        header = read_image_header(path)
        return header if isinstance(header, str) else _shape_misfit(port, header) if strict else ""
    if isinstance(port, DicomSeriesPort):
        return _series_misfit(port, path) if strict else ""
    if isinstance(port, FilePort):
        size = path.stat().st_size
        return f"{size} bytes, the port takes {port.bytes_max}" if size > port.bytes_max else ""
    if port is None or port.kind not in DOCUMENTS:
        return ""
    try:
        parse_document(read_document(path, error=ContractError), DOCUMENTS[port.kind], port=port.name)
    except ContractError as error:
        return error.message
    return ""


def _shape_misfit(port: VolumePort | LabelMapPort, header: ImageHeader) -> str:
    ndim = port.ndim if isinstance(port, VolumePort) else 3
    if len(header.shape) != ndim:
        return f"has {len(header.shape)} axes, the port takes {ndim}"
    if isinstance(port, LabelMapPort) and not header.integer:
        return "voxels are not whole numbers, as labels are"
    return ""


def _series_misfit(port: DicomSeriesPort, folder: Path) -> str:
    try:
        files = [one for one in sorted(folder.iterdir()) if stat.S_ISREG(one.lstat().st_mode)]
    except OSError as error:
        return error.strerror or "cannot be read"
    instances = sum(is_dicom(one) for one in files)
    if instances < len(files):
        return f"{len(files) - instances} of {len(files)} files are not DICOM part 10"
    if not port.instances_min <= instances <= port.instances_max:
        return f"{instances} instances, the port takes {port.instances_min} to {port.instances_max}"
    return ""
