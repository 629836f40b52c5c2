"""A predicted and a reference mask of one case and label: looked through once, shared by every metric.

Invariants
----------
* The masks given are read once, packed to one bit per voxel and counted, and are neither kept nor modified.
* What metrics look at is the part inside the bounding box of both: outside it both masks are empty, and beyond the
  image nothing is inside.
* What several metrics need, such as distances between surfaces, is computed when the first asks, and once.
"""

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Bits = NDArray[np.uint8]
Found = TypeVar("Found")

# Lengths and volumes that differ by less, in relation, are equal: headers hold spacings in single precision.
TIE: Final = 1e-6


@dataclass(frozen=True, eq=False)
class MaskPair:
    """Two masks on one grid; two axes work as well as three.

    Attributes
    ----------
    spacing_mm : tuple of float
        Edge lengths of a voxel, one per axis; the axes must be perpendicular.
    shape : tuple of int
        Size of the whole image, in voxels.
    predicted_voxels, reference_voxels, common_voxels : int
        |P|, |R| and |P ∩ R|.
    memory_axes : tuple of int
        The axes as they lie in memory, the slowest first.
    """

    spacing_mm: tuple[float, ...]
    shape: tuple[int, ...]
    predicted_voxels: int
    reference_voxels: int
    common_voxels: int
    memory_axes: tuple[int, ...]
    _bits: tuple[Bits, Bits] = field(repr=False)  # one row per step along the slowest axis
    _found: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, predicted: Mask, reference: Mask, *, spacing_mm: tuple[float, ...]) -> "MaskPair":
        """Look through two masks once.

        Parameters
        ----------
        predicted, reference : ndarray of bool, shape (I, J, K)
            On the same grid; check with `same_grid`.
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
        axes = tuple(sorted(range(predicted.ndim), key=lambda axis: -predicted.strides[axis]))
        sizes = [predicted.shape[axis] for axis in axes]
        one, other = (
            np.packbits(mask.transpose(axes).reshape(sizes[0], -1), axis=1) for mask in (predicted, reference)
        )
        return cls(
            spacing_mm=tuple(float(length) for length in spacing_mm),
            shape=predicted.shape,
            predicted_voxels=_count(one),
            reference_voxels=_count(other),
            common_voxels=_count(one & other),
            memory_axes=axes,
            _bits=(one, other),
        )

    @property
    def box(self) -> tuple[slice, ...]:
        """The part of the image that either mask reaches; empty slices where both are empty."""
        return self.once("box", MaskPair._reached)

    def masks(self) -> tuple[Mask, Mask]:
        """Predicted and reference mask inside the box, made anew, so that whoever asks may change them."""
        return self._unpacked(self._bits[0]), self._unpacked(self._bits[1])

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

    def _reached(self) -> tuple[slice, ...]:
        one, other = self._bits
        along = _extent(one | other, [self.shape[axis] for axis in self.memory_axes])
        hit = dict(zip(self.memory_axes, along, strict=True))
        return tuple(hit[axis] for axis in range(len(self.shape)))

    def _unpacked(self, bits: Bits) -> Mask:
        box = self.box
        first, *others = (box[axis] for axis in self.memory_axes)
        sizes = [self.shape[axis] for axis in self.memory_axes]
        rows = np.unpackbits(bits[first], axis=1, count=math.prod(sizes[1:]))
        crop = rows.view(np.bool_).reshape(-1, *sizes[1:])[(slice(None), *others)]
        return crop.transpose(np.argsort(self.memory_axes))


def _count(bits: Bits) -> int:
    """How many bits are set; eight bytes at a time, as far as they go."""
    row = bits.reshape(-1)
    whole = row.size // 8 * 8
    words, rest = np.bitwise_count(row[:whole].view(np.uint64)), np.bitwise_count(row[whole:])
    return int(words.sum(dtype=np.int64)) + int(rest.sum(dtype=np.int64))


def _extent(bits: Bits, sizes: list[int]) -> list[slice]:
    """From the first to the last voxel that is set, along each axis; ``bits`` has a row per step of the first."""
    plane = np.bitwise_or.reduce(bits, axis=0)
    across = np.unpackbits(plane, count=math.prod(sizes[1:])).reshape(sizes[1:])
    hits = [bits.max(axis=1)]
    hits += [
        across.max(axis=tuple(other for other in range(across.ndim) if other != axis))
        for axis in range(across.ndim)
    ]
    reached = [np.flatnonzero(hit) for hit in hits]
    return [slice(int(one[0]), int(one[-1]) + 1) if one.size else slice(0, 0) for one in reached]
