"""Slices of a volume for people to look at: canonical axes, where to cut, which letter stands at which edge.

Invariants
----------
* Arrays are (I, J, K) with I to the patient's right, J to anterior, K to superior (RAS+).
* Planes are shown as radiologists do: the patient's right is left in the picture, anterior on top or left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from numpy.typing import NDArray

from host.cases.geometry import Triple
from host.errors import FigureError

MARGIN_MM: Final = 12.0
_PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))
_EDGES = {2: ("R", "L", "A", "P"), 1: ("R", "L", "S", "I"), 0: ("A", "P", "S", "I")}


@dataclass(frozen=True)
class Cut:
    """One plane through a volume.

    Attributes
    ----------
    name : str
        axial, coronal or sagittal.
    axis, index : int
        The axis that is cut, and where.
    pixel_mm : tuple of float
        Width and height of a pixel of the picture.
    edges : tuple of str
        Letters at the left, right, top and bottom of the picture.
    window : tuple of slice
        The part of the volume around what is labelled.
    """

    name: str
    axis: int
    index: int
    pixel_mm: tuple[float, float]
    edges: tuple[str, str, str, str]
    window: tuple[slice, slice, slice]

    def of(self, volume: NDArray[Any]) -> NDArray[Any]:
        """The picture, rows from top to bottom, columns from left to right."""
        part: list[int | slice] = list(self.window)
        part[self.axis] = self.index
        return volume[tuple(part)][::-1, ::-1].T


@dataclass(frozen=True, eq=False)
class Volume:
    """An image with its axes in RAS+ order.

    Attributes
    ----------
    data : ndarray, shape (I, J, K)
        Values as the header scales them; of a series of volumes, the first.
    spacing_mm : tuple of float
        Edge lengths of a voxel along (I, J, K).
    affine : ndarray, shape (4, 4)
        Voxel index to world, RAS+ mm.
    """

    data: NDArray[Any]
    spacing_mm: Triple
    affine: NDArray[np.float64]

    def index_of(self, place_mm: Triple) -> Triple:
        """The voxel index, not rounded, of a place in the patient (RAS+ mm)."""
        i, j, k, _ = np.linalg.solve(self.affine, (*place_mm, 1.0))
        return float(i), float(j), float(k)


def load_canonical(path: Path) -> Volume:
    """Read an image with its axes put in RAS+ order.

    Parameters
    ----------
    path : Path
        A NIfTI image that was checked before (`host.cases.nifti`).
    """
    image = nibabel.as_closest_canonical(nibabel.load(path))  # type: ignore[no-untyped-call]  # ships no types
    i, j, k = (float(step) for step in image.header.get_zooms()[:3])
    data = np.asanyarray(image.dataobj)
    first = data.reshape(*data.shape[:3], -1)[..., 0]
    return Volume(first, (i, j, k), np.asarray(image.affine, float))


def recoded(label_map: NDArray[Any], codes: Mapping[int, int]) -> NDArray[np.uint16]:
    """Give labels other values, for a reference that numbers them otherwise; others become background."""
    result = np.zeros(label_map.shape, np.uint16)
    for old, new in codes.items():
        result[label_map == old] = new
    return result


def cuts(predicted: NDArray[Any], reference: NDArray[Any], spacing_mm: Triple) -> Iterator[Cut]:
    """Choose the axial, the coronal and the sagittal slice with the largest disagreement.

    Where two label maps agree everywhere, the slice with the most of the reference.

    Raises
    ------
    FigureError
        The maps have other shapes than each other, or nothing is labelled in either.
    """
    if predicted.shape != reference.shape or reference.ndim != 3:
        raise FigureError(
            f"label maps of shapes {predicted.shape} and {reference.shape} cannot be laid over each other"
        )
    labelled = (predicted != 0) | (reference != 0)
    if not labelled.any():
        raise FigureError("neither label map labels anything, so there is no slice to show")
    window = _window(labelled, spacing_mm)
    telling = predicted != reference
    if not telling.any():
        telling = reference != 0
    for name, axis in _PLANES:
        others = tuple(other for other in range(3) if other != axis)
        index = int(np.argmax(np.count_nonzero(telling, axis=others)))
        pixel_mm = (spacing_mm[others[0]], spacing_mm[others[1]])
        yield Cut(name, axis, index, pixel_mm, _EDGES[axis], window)


def cuts_through(shape: tuple[int, ...], index: Triple, spacing_mm: Triple) -> Iterator[Cut]:
    """The axial, the coronal and the sagittal slice through a voxel, whole; an index outside takes the border's.

    Raises
    ------
    FigureError
        The image has not three axes.
    """
    if len(shape) != 3:
        raise FigureError(f"an image of shape {shape} has no three planes")
    whole = (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
    for name, axis in _PLANES:
        others = tuple(other for other in range(3) if other != axis)
        at = min(max(round(index[axis]), 0), shape[axis] - 1)
        yield Cut(name, axis, at, (spacing_mm[others[0]], spacing_mm[others[1]]), _EDGES[axis], whole)


def _window(labelled: NDArray[np.bool_], spacing_mm: Triple) -> tuple[slice, slice, slice]:
    spans = []
    for axis, step_mm in enumerate(spacing_mm):
        others = tuple(other for other in range(3) if other != axis)
        found = np.flatnonzero(labelled.any(axis=others))
        margin = round(MARGIN_MM / step_mm)
        spans.append(
            slice(max(int(found[0]) - margin, 0), min(int(found[-1]) + margin + 1, labelled.shape[axis]))
        )
    return spans[0], spans[1], spans[2]
