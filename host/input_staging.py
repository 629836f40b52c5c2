"""A case's inputs in its run folder: one file, several, or a series of instances per port, under neutral names."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.cases.sidecar import SIDECAR_BYTES_MAX, sidecar_path
from host.errors import InputFileError
from host.series_staging import StagedSeries, stage_series
from host.staging import MAX_INPUT_BYTES, REQUEST_NAME, RunFolder, copy_hashed
from plugin_spec.documents import MAX_DOCUMENT_BYTES
from plugin_spec.manifest import Manifest
from plugin_spec.ports import DicomSeriesPort, FilePort, InputPort, LabelMapPort, VolumePort
from registry.statements import InputRef

# Tools tell files by their endings; an ending that is not one of these may hold anything, a name too.
_FILE_SUFFIXES: Final = frozenset(
    {".txt", ".json", ".csv", ".tsv", ".xml", ".lic", ".key", ".bval", ".bvec", ".mat", ".npy", ".npz"}
)


@dataclass(frozen=True)
class StagedFile:
    """One file of an input as it stands in the run folder; of a DICOM series, its folder.

    Attributes
    ----------
    ref : InputRef
        What the record says of it.
    path : Path
    sidecar : InputRef or None
        The BIDS sidecar of an image, where there is one.
    """

    ref: InputRef
    path: Path
    sidecar: InputRef | None = None


@dataclass(frozen=True)
class StagedInput:
    """What was given for one port.

    Attributes
    ----------
    port : InputPort
    files : tuple of StagedFile
        In the order in which they were given; at least one.
    series : StagedSeries or None
        The instances of a DICOM series.
    """

    port: InputPort
    files: tuple[StagedFile, ...]
    series: StagedSeries | None = None

    @property
    def names(self) -> str | tuple[str, ...]:
        """As request.json gives them: a name below ``/assay/in``, or a list where the port takes several."""
        names = tuple(file.path.name for file in self.files)
        return names if self.port.is_list else names[0]

    @property
    def paths(self) -> Path | list[Path]:
        """As an adapter gets them."""
        paths = [file.path for file in self.files]
        return paths if self.port.is_list else paths[0]


def stage_inputs(
    manifest: Manifest, given: Mapping[str, Sequence[Path]], folder: RunFolder
) -> tuple[StagedInput, ...]:
    """Copy every input into the run folder and hash it on the way, in the order of port names.

    Parameters
    ----------
    manifest : Manifest
        Declares the ports; an optional one without a file is left out.
    given : mapping of str to sequence of Path
        Regular files, or the folder of a DICOM series; links are followed, since operators arrange scans with them.
    folder : RunFolder

    Raises
    ------
    InputFileError
        Missing, not a regular file, unreadable or too large.
    StorageFullError, WorkFolderError
        The run folder does not take it.
    """
    keywords = {rule.tag for rule in manifest.domain}
    return tuple(
        _stage_series(port, given[port.name][0], folder, keywords)
        if isinstance(port, DicomSeriesPort)
        else _stage_files(port, given[port.name], folder)
        for port in sorted(manifest.inputs, key=lambda one: one.name)
        if given.get(port.name)
    )


def _stage_series(
    port: DicomSeriesPort, source: Path, folder: RunFolder, keywords: Collection[str]
) -> StagedInput:
    series = stage_series(port.name, source, folder.inputs / port.name, keywords=keywords)
    return StagedInput(port, (StagedFile(series.ref, folder.inputs / port.name),), series)


def _stage_files(port: InputPort, sources: Sequence[Path], folder: RunFolder) -> StagedInput:
    is_image = isinstance(port, (VolumePort, LabelMapPort))
    files = []
    for number, source in enumerate(sources, start=1):
        _require_file(port, source)
        stem = f"{port.name}-{number:02d}" if port.is_list else port.name
        if isinstance(port, FilePort):
            suffix = source.suffix.lower() if source.suffix.lower() in _FILE_SUFFIXES else ""
            bytes_max = port.bytes_max
        elif is_image:
            suffix = ".nii.gz" if source.name.lower().endswith(".nii.gz") else ".nii"
            bytes_max = MAX_INPUT_BYTES
        else:
            suffix, bytes_max = ".json", MAX_DOCUMENT_BYTES
        if (
            stem + suffix == REQUEST_NAME
        ):  # a port may be called so; the host's own file is not to be replaced
            stem = f"{stem}-file"
        target = folder.inputs / f"{stem}{suffix}"
        ref = copy_hashed(port.name, source, target, bytes_max=bytes_max)
        sidecar = _stage_sidecar(port.name, source, folder.sidecars / f"{stem}.json") if is_image else None
        files.append(StagedFile(ref, target, sidecar))
    return StagedInput(port, tuple(files))


def _require_file(port: InputPort, source: Path) -> None:
    if source.is_file():
        return
    takes = "a file"
    if isinstance(port, (VolumePort, LabelMapPort)):
        takes = "a .nii or .nii.gz file"
    elif not isinstance(port, FilePort):
        takes = f"a .json document ({port.kind})"
    raise InputFileError(
        f"{source}: {'not a regular file' if source.exists() else 'no such file'}",
        subject=str(source),
        hint=f"--input {port.name}=FILE takes {takes}",
    )


def _stage_sidecar(port: str, image: Path, target: Path) -> InputRef | None:
    """Stage the BIDS sidecar that stands beside an image.

    The acceptance domain is judged on this copy, so that the record names what was judged. The container does not see
    it: it may hold more than the manifest asks for.
    """
    source = sidecar_path(image)
    return copy_hashed(port, source, target, bytes_max=SIDECAR_BYTES_MAX) if source.is_file() else None
