"""The same anatomy seen by other voxels: larger ones average, smaller ones interpolate. Pure.

The new grid has the old one's centre and directions and covers all of it, so nothing is cut off; its last voxels may
reach beyond the old border, where only what was imaged counts.
"""

from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from host.cases.geometry import Affine, Grid

Weights = NDArray[np.float64]
_WHOLE: Final = 1e-4  # of a voxel: sizes that differ by less are the same, since headers hold 32-bit reals


def new_grid(grid: Grid, spacing_mm: float, axis: str | None = None) -> Grid:
    """The grid with voxel edges of ``spacing_mm``; along one world axis only, if it is named."""
    ratios = [
        spacing_mm / old if axis is None or _along(letter, axis) else 1.0
        for old, letter in zip(grid.spacing_mm, grid.orientation, strict=True)
    ]
    sizes = [max(1, ceil(size / ratio - _WHOLE)) for size, ratio in zip(grid.shape, ratios, strict=True)]
    shape = (sizes[0], sizes[1], sizes[2])
    return Grid(shape, moved_affine(np.array(grid.affine), grid.shape, shape, ratios))


def _along(letter: str, axis: str) -> bool:
    return letter in {"x": "LR", "y": "PA", "z": "IS"}[axis]


def moved_affine(
    affine: NDArray[np.float64], old: tuple[int, int, int], new: tuple[int, int, int], ratios: list[float]
) -> Affine:
    """The affine of voxels ``ratios`` times as large, whose grid has the same centre."""
    scaled = affine.copy()
    scaled[:3, :3] = affine[:3, :3] * ratios
    centres = [(np.array(shape) - 1) / 2 for shape in (old, new)]
    scaled[:3, 3] += affine[:3, :3] @ centres[0] - scaled[:3, :3] @ centres[1]
    x, y, z, w = ((float(a), float(b), float(c), float(d)) for a, b, c, d in scaled)
    return x, y, z, w


def axis_weights(old: int, new: int, ratio: float) -> Weights:
    """How much of each old voxel a new one sees, shape (new, old); rows add up to 1.

    A larger voxel sees the means over its box, a smaller one interpolates linearly between the centres.
    """
    centres = (np.arange(new) - (new - 1) / 2) * ratio + (old - 1) / 2
    index = np.arange(old)
    if ratio > 1.0:
        low, high = centres[:, None] - ratio / 2, centres[:, None] + ratio / 2
        seen = np.clip(np.minimum(high, index + 0.5) - np.maximum(low, index - 0.5), 0.0, None)
    else:
        seen = np.clip(1.0 - np.abs(np.clip(centres, 0, old - 1)[:, None] - index), 0.0, None)
    weights: Weights = seen / seen.sum(axis=1, keepdims=True)
    return weights


class Resampling:
    """From one grid to another with the same centre and directions, slice by slice.

    Parameters
    ----------
    old, new : Grid
        ``new`` from `new_grid`.
    """

    def __init__(self, old: Grid, new: Grid) -> None:
        ratios = [b / a for a, b in zip(old.spacing_mm, new.spacing_mm, strict=True)]
        self._old, self._new = old, new
        self._i, self._j, self._k = (
            axis_weights(size, wanted, 1.0 if abs(ratio - 1) < _WHOLE and size == wanted else ratio)
            for size, wanted, ratio in zip(old.shape, new.shape, ratios, strict=True)
        )

    def slice(self, data: NDArray[Any], k: int) -> NDArray[np.float64]:
        """Slice ``k`` of the new image, shape (I, J)."""
        used = np.flatnonzero(self._k[k])
        part = data[:, :, used[0] : used[-1] + 1] @ self._k[k, used[0] : used[-1] + 1]
        found: NDArray[np.float64] = self._i @ part @ self._j.T
        return found

    def labels(self, labels: NDArray[Any]) -> NDArray[Any]:
        """A label map: each new voxel gets the label that takes up most of it, background included.

        Shares that are equal go to the lower value. A structure that fills less than half of a new voxel goes missing,
        as it would for a reader who marks such voxels.
        """
        values = np.unique(labels)
        found = np.empty(self._new.shape, labels.dtype, order="F")
        for k in range(self._new.shape[2]):
            shares = np.stack([self.slice(labels == value, k) for value in values])
            found[:, :, k] = values[np.argmax(np.round(shares, 9), axis=0)]
        return found
