"""Voxels of a mask with a margin of outside around them, in one row: neighbours are a fixed step apart.

The margin makes every step inside the row right, so that the edges need no case of their own; a bit per voxel makes
looking at all neighbours of all voxels cost an eighth.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from host.metrics.mask_pair import Bits, Mask, MaskPair

# Steps along each axis that may be taken from the place of a voxel or of a corner of one.
REACH: Final = 2
_MARGIN: Final = REACH + 1
Places = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Where the voxels of a box lie in a row.

    Attributes
    ----------
    shape : tuple of int
        Of the box, margins included; the last axis fills whole bytes.
    steps : tuple of int
        How far apart neighbours along each axis lie.
    """

    shape: tuple[int, ...]
    steps: tuple[int, ...]

    @classmethod
    def around(cls, sizes: tuple[int, ...]) -> "Lattice":
        """The row of a box of so many voxels per axis."""
        *others, last = (size + 2 * _MARGIN for size in sizes)
        shape = (*others, last + -last % 8)
        return cls(shape, tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape))))

    def row(self, mask: Mask) -> Mask:
        """The mask's voxels in the row, outside around them."""
        row = np.zeros(self.shape, np.bool_)
        row[tuple(slice(_MARGIN, _MARGIN + size) for size in mask.shape)] = mask
        return row.reshape(-1)

    def runs(self, row: Mask) -> tuple[Places, Places]:
        """Places where runs of voxels inside begin, and the places after them; no run goes beyond an axis."""
        bits = np.packbits(row, bitorder="little")
        changes = _places(bits ^ _shifted(bits, -1))
        return changes[::2], changes[1::2]

    def border(self, row: Mask) -> Places:
        """Places of the voxels inside that share a face with one outside."""
        bits = np.packbits(row, bitorder="little")
        inner = bits.copy()
        for step in self.steps:
            inner &= _shifted(bits, step)
            inner &= _shifted(bits, -step)
        return _places(bits ^ inner)

    def mixed(self, row: Mask) -> Places:
        """Places whose block of 2 x 2 x 2 voxels, they and those before them along each axis, is not all alike."""
        some = every = np.packbits(row, bitorder="little")
        for step in self.steps:
            some, every = some | _shifted(some, -step), every & _shifted(every, -step)
        return _places(some ^ every)

    def positions_mm(self, places: Places, spacing_mm: tuple[float, ...]) -> NDArray[np.float64]:
        """Positions relative to the row's first voxel, shape (n, axes)."""
        indices = np.stack(np.unravel_index(places, self.shape), axis=1)
        positions: NDArray[np.float64] = indices * np.asarray(spacing_mm)
        return positions


def in_rows(pair: MaskPair) -> tuple[Lattice, tuple[Mask, Mask], tuple[float, ...]]:
    """Both masks of a pair in one lattice, its axes as they lie in memory, and the spacing along those."""
    predicted, reference = (mask.transpose(pair.memory_axes) for mask in pair.masks())
    lattice = Lattice.around(predicted.shape)
    spacing_mm = tuple(pair.spacing_mm[axis] for axis in pair.memory_axes)
    return lattice, (lattice.row(predicted), lattice.row(reference)), spacing_mm


def _shifted(bits: Bits, step: int) -> Bits:
    """For every place, the bit ``step`` places further on; outside beyond either end."""
    shifted = np.zeros_like(bits)
    if step % 8 == 0:
        n = abs(step) // 8
        if step > 0:
            shifted[:-n] = bits[n:]
        else:
            shifted[n:] = bits[:-n]
    elif step == 1:
        np.right_shift(bits, 1, out=shifted)
        shifted[:-1] |= bits[1:] << 7
    else:
        np.left_shift(bits, 1, out=shifted)
        shifted[1:] |= bits[:-1] >> 7
    return shifted


def _places(bits: Bits) -> Places:
    """Places of the bits that are set, ascending."""
    filled = np.flatnonzero(bits)
    which, bit = np.nonzero(np.unpackbits(bits[filled][:, np.newaxis], axis=1, bitorder="little"))
    return filled[which] * 8 + bit
