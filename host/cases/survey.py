"""An image from outside, looked at without being kept: its voxels pass by in pieces of a few megabytes.

Invariants: as in `host.cases.nifti`; the memory taken does not depend on the image.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from host.cases.errors import DamagedImageError, LabelValuesError, NonFiniteVoxelsError
from host.cases.nifti import LABEL_MAX, VOXEL_BYTES_MAX, check_size
from host.cases.nifti_header import HEADER_BYTES, Header
from host.cases.nifti_stream import AGAIN_HINT, ByteStream, fill, skip

_PIECE_VOXELS: Final = 1024 * 1024


@dataclass(frozen=True)
class Survey:
    """What the voxels of an image are, all of them seen.

    Attributes
    ----------
    minimum, maximum : float
        Smallest and largest value, scaled as the header says; finite.
    labels : frozenset of int
        Of a label map: every value that occurs, background (0) included. Empty for a volume.
    """

    minimum: float
    maximum: float
    labels: frozenset[int] = frozenset()


def survey_volume(
    stream: ByteStream, header: Header, name: str, *, bytes_max: int = VOXEL_BYTES_MAX
) -> Survey:
    """Look at the voxels that follow ``header``; they must be finite, but may all be equal.

    Parameters
    ----------
    stream : file object
        Just behind the header.
    header : Header
    name : str
        What errors call the image.
    bytes_max : int, optional
        Largest memory the voxels may take where somebody keeps them.

    Raises
    ------
    ImageError
        A subclass per fault.
    """
    extremes, bad = _Extremes(), 0
    for piece in _pieces(stream, header, name, bytes_max):
        bad += extremes.add(piece)
    _check_finite(bad, header, name)
    return Survey(extremes.minimum, extremes.maximum)


def survey_labels(
    stream: ByteStream, header: Header, name: str, *, bytes_max: int = VOXEL_BYTES_MAX
) -> Survey:
    """Look at the labels that follow ``header``; reals are accepted where they are whole numbers."""
    extremes, bad, whole = _Extremes(), 0, True
    present = np.zeros(LABEL_MAX + 1, np.bool_)
    for piece in _pieces(stream, header, name, bytes_max):
        bad += extremes.add(piece)
        if not bad and extremes.minimum >= 0 and extremes.maximum <= LABEL_MAX:
            labels = piece.astype(np.uint16, copy=False)
            whole = whole and (piece.dtype.kind != "f" or np.array_equal(labels, piece))
            present[labels] = True
    _check_finite(bad, header, name)
    if extremes.minimum < 0 or extremes.maximum > LABEL_MAX:
        raise LabelValuesError(
            f"{name}: labels run from {extremes.minimum:g} to {extremes.maximum:g}; 0 to {LABEL_MAX} is allowed",
            subject=name,
            hint="number the labels from 1, background 0",
        )
    if not whole:
        raise LabelValuesError(
            f"{name}: labels are not whole numbers", subject=name, hint="resample with nearest neighbour"
        )
    return Survey(extremes.minimum, extremes.maximum, frozenset(int(one) for one in np.flatnonzero(present)))


class _Extremes:
    """Smallest and largest finite value so far."""

    def __init__(self) -> None:
        self.minimum, self.maximum = np.inf, -np.inf

    def add(self, piece: NDArray[Any]) -> int:
        """Take a piece in; the number of its values that are not finite."""
        low, high = float(piece.min()), float(piece.max())
        if not np.isfinite((low, high)).all():  # NaN and infinity both show in the extremes
            return int(piece.size - np.count_nonzero(np.isfinite(piece)))
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        return 0


def _check_finite(bad: int, header: Header, name: str) -> None:
    if bad:
        raise NonFiniteVoxelsError(
            f"{name}: {bad} of {header.voxels} voxels are NaN or infinite",
            subject=name,
            hint="replace them by the value of the background",
        )


def _pieces(stream: ByteStream, header: Header, name: str, bytes_max: int) -> Iterator[NDArray[Any]]:
    """The values of the image in pieces, in stored order; the stream must end where they do."""
    check_size(header, name, bytes_max=bytes_max)
    skip(stream, header.offset - HEADER_BYTES, name)
    seen = 0
    while seen < header.voxels:
        stored = np.empty(min(_PIECE_VOXELS, header.voxels - seen), header.dtype)
        filled = fill(stream, stored.view(np.uint8).data, name)
        if filled < stored.nbytes:
            got = seen * header.dtype.itemsize + filled
            raise DamagedImageError(
                f"{name}: ends after {got} of {header.voxel_bytes} voxel bytes", subject=name, hint=AGAIN_HINT
            )
        seen += stored.size
        values = stored.astype(stored.dtype.newbyteorder("="), copy=False)
        if header.scaled:
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found as not finite
                values = values * np.float64(header.slope) + np.float64(header.intercept)
        yield values
    if fill(stream, memoryview(bytearray(1)), name):
        raise DamagedImageError(f"{name}: goes on after the last voxel", subject=name, hint=AGAIN_HINT)
