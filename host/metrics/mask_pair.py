"""A predicted and a reference mask of one case and label: looked through once, shared by every metric.

Invariants
----------
* The masks given are read once, for the bounding box of both and three counts, and are not kept or modified.
* What is kept is the part inside that box: outside it both masks are empty, beyond the image nothing is inside.
* What several metrics need, such as distances between surfaces, is computed when the first asks, and once.
"""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class MaskPair:
    """Two masks on one grid, cropped to what either of them holds.

    Attributes
    ----------
    predicted, reference : ndarray of bool
        The voxels inside the common bounding box, two or three axes; no axis has a voxel where both are empty.
    spacing_mm : tuple of float
        Edge lengths of a voxel, one per axis; the axes must be perpendicular.
    shape : tuple of int
        Size of the whole image, in voxels.
    corner : tuple of int
        Index in the whole image of the first voxel of the crop.
    predicted_voxels, reference_voxels, common_voxels : int
        |P|, |R| and |P ∩ R|.
    """

    predicted: Mask
    reference: Mask
    spacing_mm: tuple[float, ...]
    shape: tuple[int, ...]
    corner: tuple[int, ...]
    predicted_voxels: int
    reference_voxels: int
    common_voxels: int
    _found: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]) -> "MaskPair":
        """Look through two masks once.

        Parameters
        ----------
        predicted, reference : ndarray of bool, shape (I, J, K)
            On the same grid (check with `same_grid`); two axes work as well.
        spacing_mm : tuple of float
            Edge lengths of a voxel, one per axis.

        Raises
        ------
        ValueError
            Shapes that differ, an axis without spacing, or arrays that are not bool.
        """
        if predicted.shape != reference.shape or len(spacing_mm) != predicted.ndim:
            raise ValueError(
                f"masks of {predicted.shape} and {reference.shape} voxels with spacing {spacing_mm}"
            )
        if predicted.dtype != np.bool_ or reference.dtype != np.bool_:
            raise ValueError(f"masks are bool, not {predicted.dtype} and {reference.dtype}")
        box = _bounding_box(predicted | reference)
        inside_predicted, inside_reference = predicted[box].copy(), reference[box].copy()
        return cls(
            inside_predicted,
            inside_reference,
            tuple(float(length) for length in spacing_mm),
            predicted.shape,
            tuple(part.start for part in box),
            int(np.count_nonzero(inside_predicted)),
            int(np.count_nonzero(inside_reference)),
            int(np.count_nonzero(inside_predicted & inside_reference)),
        )

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel, in millilitres."""
        return math.prod(self.spacing_mm) / 1000.0

    @property
    def image_diagonal_mm(self) -> float:
        """Length of the whole image's diagonal, which no distance in it exceeds."""
        return math.hypot(*(size * step for size, step in zip(self.shape, self.spacing_mm, strict=True)))

    def once(self, key: Hashable, compute: Callable[["MaskPair"], Found]) -> Found:
        """What ``compute`` makes of this pair, kept under ``key`` for whoever asks next."""
        if key not in self._found:
            self._found[key] = compute(self)
        found: Found = self._found[key]
        return found


def _bounding_box(mask: Mask) -> tuple[slice, ...]:
    box = []
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1) if hit.size else slice(0, 0))
    return tuple(box)
