"""Volumes and label maps: grid, space, range and labels."""

from dataclasses import dataclass
from typing import Final

from host.cases.errors import ImageError, NonFiniteVoxelsError
from host.cases.geometry import Grid, same_grid
from host.cases.nifti import decode_header
from host.cases.nifti_header import Header
from host.cases.nifti_stream import ByteStream, decompressed
from host.cases.survey import Survey, survey_labels, survey_volume
from host.content.wording import first_of
from host.errors import OutputGridError, OutputLabelsError, OutputMalformedError, OutputRangeError
from plugin_spec.ports import LabelMapPort, VolumePort

# Affines are stored in float32: a few micrometres at the far corner of a scan, never a hundredth of a
# millimetre.
GRID_TOLERANCE_MM: Final = 0.01
# NIfTI's codes of spaces that are somebody else's than the scanner's; BIDS names that stand for two of them.
_TALAIRACH, _MNI152, _TEMPLATES = 3, 4, (3, 4, 5)
_SPACES: Final = {_TALAIRACH: "Talairach", _MNI152: "MNI152", 5: "a template"}

ImagePort = VolumePort | LabelMapPort


@dataclass(frozen=True)
class ImageContent:
    """An image that was looked at: where its voxels lie, how much memory they take, and what they are."""

    grid: Grid
    value_bytes: int
    survey: Survey


def check_image(port: ImagePort, raw: ByteStream, path: str, expected: Grid | None) -> ImageContent:
    """Check a label map or volume of an ok answer.

    Parameters
    ----------
    port : VolumePort or LabelMapPort
    raw : file object
        At its start.
    path : str
        As result.json gives it; its ending says whether the file is compressed.
    expected : Grid or None
        Of the input that ``grid_of`` names; the first three axes are compared.
    """
    name = f"port {port.name}: {path}"
    try:
        stream = decompressed(raw, name)  # type: ignore[arg-type]  # any byte stream will do
        header = decode_header(stream, name, ndim=port.ndim if isinstance(port, VolumePort) else 3)
        # Before the voxels are read: a wrong shape must not decide how long that takes.
        check_grid(port, header.grid, expected)
        check_space(port, header)
        content = look_at(port, stream, header, name)
    except NonFiniteVoxelsError as fault:
        raise OutputRangeError(fault.message, subject=port.name) from fault
    except ImageError as fault:
        raise OutputMalformedError(fault.message, subject=port.name) from fault
    check_values(port, content.survey)
    return content


def look_at(port: ImagePort, stream: ByteStream, header: Header, name: str) -> ImageContent:
    """Read the voxels of a port's image; raises `ImageError` only."""
    survey = survey_labels if isinstance(port, LabelMapPort) else survey_volume
    return ImageContent(header.grid, header.value_bytes, survey(stream, header, name))


def check_grid(port: ImagePort, found: Grid, expected: Grid | None) -> None:
    """Refuse an image that lies elsewhere than the one it belongs to."""
    if expected is None or same_grid(found, expected, tolerance_mm=GRID_TOLERANCE_MM):
        return
    if found.shape != expected.shape:
        what = f"shape {found.shape}, but {port.grid_of} has {expected.shape}"
    else:
        what = f"its voxels lie elsewhere than those of {port.grid_of}; copy its affine"
    raise OutputGridError(f"port {port.name}: {what}", subject=port.name)


def check_space(port: ImagePort, header: Header) -> None:
    """Refuse a volume whose header names another space than its port does.

    Only what contradicts itself is refused: codes 1 and 2 are what writers put that know no other, and a volume with
    ``grid_of`` lies where its input lies.
    """
    if not isinstance(port, VolumePort) or port.grid_of is not None or header.space_code not in _TEMPLATES:
        return
    code = header.space_code
    named = {"Talairach": _TALAIRACH}.get(
        port.space, _MNI152 if port.space.startswith("MNI") else code if port.space != "scanner" else 1
    )
    if code != named:
        raise OutputGridError(
            f"port {port.name}: the header says that it lies in the space of {_SPACES[code]} "
            f"(sform or qform code {code}), the port declares {port.space}",
            subject=port.name,
        )


def check_values(port: ImagePort, survey: Survey) -> None:
    """Refuse labels or values that the port does not declare."""
    if isinstance(port, LabelMapPort):
        _check_labels(port, survey.labels)
        return
    if port.value_min is not None and survey.minimum < port.value_min:
        raise OutputRangeError(
            f"port {port.name}: smallest value {survey.minimum:g} {port.unit} is below {port.value_min:g}",
            subject=port.name,
        )
    if port.value_max is not None and survey.maximum > port.value_max:
        raise OutputRangeError(
            f"port {port.name}: largest value {survey.maximum:g} {port.unit} is above {port.value_max:g}",
            subject=port.name,
        )


def _check_labels(port: LabelMapPort, found: frozenset[int]) -> None:
    unknown = sorted(found - {0} - {label.value for label in port.labels})
    if unknown:
        raise OutputLabelsError(
            f"port {port.name}: holds the values {first_of(unknown)}, which the manifest does not declare",
            subject=port.name,
        )
    absent = [label.name for label in port.labels if label.value not in found and not label.may_be_absent]
    if absent:
        raise OutputLabelsError(
            f"port {port.name}: no voxel is {first_of(absent)}; declare may_be_absent if that can be right",
            subject=port.name,
        )
