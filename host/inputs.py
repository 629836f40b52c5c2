"""A case's staged inputs, looked at before anything runs: what they are, and whether they fit their ports.

Three things can be wrong. An input that cannot be read fails the case (``unreadable-input``). One that can be read and
is not what its port declares, or lies on another grid than the input it belongs to, is refused (``input-mismatch``,
``grid-mismatch``), and so is one outside the acceptance domain (``outside-domain``): a refusal is a result.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from host.cases.domain import DomainFinding, DomainVerdict, evaluate, geometry_tags
from host.cases.errors import DicomError, ImageTooLargeError, InputDocumentError
from host.cases.geometry import Grid
from host.cases.intervals import judge_intervals
from host.cases.nifti import VOXEL_BYTES_MAX, decode_header, require_contrast
from host.cases.nifti_stream import decompressed, open_image
from host.cases.sidecar import TagValue, read_sidecar
from host.content.document_ports import DocumentPort, Surroundings, check_document
from host.content.images import ImageContent, ImagePort, check_grid, check_space, check_values, look_at
from host.errors import OutputGridError, OutputMalformedError
from host.input_staging import StagedFile, StagedInput
from host.staging import RunFolder
from plugin_spec.errors import ContractError, InputError
from plugin_spec.manifest import Manifest
from plugin_spec.ports import DicomSeriesPort, VolumePort

MISMATCH: Final = "input-mismatch"
GRID_MISMATCH: Final = "grid-mismatch"
Tags = Mapping[str, TagValue]


@dataclass(frozen=True)
class InputFacts:
    """What was found of a case's inputs.

    Attributes
    ----------
    grids : mapping of str to Grid
        Of every image input of one file.
    findings : tuple of DomainFinding
        What does not fit its port first, then the acceptance domain's rules and the intervals between visits.
    value_bytes : int
        Memory all inputs take uncompressed.
    unreadable, remedy : str
        Why an input cannot be read, without a path; and what to do, for the operator alone.
    """

    grids: Mapping[str, Grid]
    findings: tuple[DomainFinding, ...]
    value_bytes: int
    unreadable: str = ""
    remedy: str = ""


def inspect_inputs(manifest: Manifest, staged: Sequence[StagedInput], folder: RunFolder) -> InputFacts:
    """Look at every staged input of a case.

    Parameters
    ----------
    manifest : Manifest
    staged : sequence of StagedInput
    folder : RunFolder
        Where they stand.

    Raises
    ------
    ContractError
        A domain rule measures a tag in a unit that cannot be one of it.
    """
    looked = _Looked()
    try:
        for one in staged:
            _look_at_images(one, folder, looked)
        for one in staged:
            _compare(manifest, staged, one, looked)
    except InputError as error:
        message = folder.without_paths(error.message)
        return InputFacts(looked.grids, (), looked.value_bytes, message, error.hint)
    findings = (
        *looked.mismatches,
        *evaluate(manifest.domain, looked.tags),
        *judge_intervals(manifest, looked.tags),
    )
    return InputFacts(looked.grids, findings, looked.value_bytes)


@dataclass
class _Looked:
    """What was seen so far."""

    grids: dict[str, Grid] = field(default_factory=dict)
    tags: dict[str, tuple[Tags, ...]] = field(default_factory=dict)
    images: dict[str, tuple[ImageContent, ...]] = field(default_factory=dict)
    mismatches: list[DomainFinding] = field(default_factory=list)
    value_bytes: int = 0


def _look_at_images(one: StagedInput, folder: RunFolder, looked: _Looked) -> None:
    """Read images and series; the others carry no tags of their own."""
    port = one.port
    looked.tags[port.name] = tuple({} for _ in one.files)
    if isinstance(port, DicomSeriesPort):
        _look_at_series(port, one, looked)
    elif isinstance(port, ImagePort):
        seen = tuple(_look_at_image(port, file, looked) for file in one.files)
        looked.images[port.name] = seen
        looked.value_bytes += sum(image.value_bytes for image in seen)
        if not port.is_list:
            looked.grids[port.name] = seen[0].grid
        looked.tags[port.name] = tuple(
            {**read_sidecar(folder.sidecars / file.path.name), **geometry_tags(image.grid)}
            for file, image in zip(one.files, seen, strict=True)
        )
    else:
        looked.value_bytes += sum(file.ref.bytes for file in one.files)


def _look_at_image(port: ImagePort, file: StagedFile, looked: _Looked) -> ImageContent:
    name = str(file.path)
    with open_image(file.path) as raw:
        stream = decompressed(raw, name)
        header = decode_header(stream, name, ndim=port.ndim if isinstance(port, VolumePort) else 3)
        image = look_at(port, stream, header, name)
    if isinstance(port, VolumePort):
        require_contrast(image.survey.minimum, image.survey.maximum, name)
        if port.space != "scanner":  # the default, which says nothing against an image in some other space
            with _mismatch(looked, port.name):
                check_space(port, header)
    return image


def _look_at_series(port: DicomSeriesPort, one: StagedInput, looked: _Looked) -> None:
    from host.cases.dicom_series import series_fault, series_grid

    series = one.series
    assert series is not None  # noqa: S101 - staging has made it
    if series.fault:
        raise DicomError(f"port {port.name}: {series.fault}", subject=port.name, hint=series.remedy)
    size = sum(header.value_bytes for header in series.headers)
    if size > VOXEL_BYTES_MAX:
        raise ImageTooLargeError(
            f"port {port.name}: its pixels take {size} bytes uncompressed; {VOXEL_BYTES_MAX} are allowed",
            subject=port.name,
            hint="give a smaller series",
        )
    looked.value_bytes += size
    fault = series_fault(port, series.headers)
    if fault:
        looked.mismatches.append(_finding(port.name, "dicom_series", fault, MISMATCH))
    grid = series_grid(series.headers)
    looked.tags[port.name] = ({**series.headers[0].tags, **(geometry_tags(grid) if grid else {})},)


def _compare(manifest: Manifest, staged: Sequence[StagedInput], one: StagedInput, looked: _Looked) -> None:
    """Compare an input with its port and with the inputs it belongs to."""
    port = one.port
    if isinstance(port, ImagePort):
        expected = looked.grids.get(port.grid_of) if port.grid_of is not None else None
        for image in looked.images[port.name]:
            with _mismatch(looked, port.name):
                check_grid(port, image.grid, expected)
            with _mismatch(looked, port.name):
                check_values(port, image.survey)
    elif isinstance(port, DocumentPort):
        surroundings = Surroundings.of(
            manifest, looked.grids, {each.port.name: len(each.files) for each in staged}
        )
        for file in one.files:
            with _mismatch(looked, port.name):
                check_document(port, file.path.read_bytes(), surroundings)


@contextmanager
def _mismatch(looked: _Looked, port: str) -> Iterator[None]:
    """Keep what does not fit a port as a reason to refuse; what cannot be read is raised as an `InputError`."""
    try:
        yield
    except OutputMalformedError as error:
        hint = "give the document that the port declares; the author's guide shows one of each kind"
        raise InputDocumentError(error.message, subject=port, hint=hint) from error
    except OutputGridError as error:
        looked.mismatches.append(_finding(port, "grid_of", error.message, GRID_MISMATCH))
    except ContractError as error:
        looked.mismatches.append(_finding(port, "port", error.message, MISMATCH))


def _finding(port: str, tag: str, message: str, reason: str) -> DomainFinding:
    return DomainFinding(port, tag, None, DomainVerdict.REFUSE, message, reason)
