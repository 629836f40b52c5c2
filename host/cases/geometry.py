"""Voxel grids: where the voxels of an image lie in the patient, in pure arithmetic.

Invariants: axes are (I, J, K) as stored; the affine maps voxel indices to voxel centres in world RAS+ mm, its
last row is (0, 0, 0, 1), and it can be inverted.
"""

import math
from dataclasses import dataclass
from itertools import combinations, permutations, product

from host.cases.errors import GridError

Triple = tuple[float, float, float]
Row = tuple[float, float, float, float]
Affine = tuple[Row, Row, Row, Row]

# Relative to the product of the edge lengths: columns this close to one plane span no volume in float32
# either.
_FLATNESS_MIN = 1e-5
_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))


@dataclass(frozen=True)
class Grid:
    """Shape and place of a 3-D image.

    Attributes
    ----------
    shape : tuple of int
        Number of voxels along (I, J, K).
    affine : tuple of tuple of float, 4 by 4
        Voxel index to world RAS+ mm.

    Raises
    ------
    GridError
        A size below one, a number that is not finite, another last row, or voxels without volume.
    """

    shape: tuple[int, int, int]
    affine: Affine

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise GridError(f"shape {self.shape} is not three axes of at least one voxel")
        if not all(math.isfinite(entry) for row in self.affine for entry in row):
            raise GridError("the affine holds numbers that are not finite")
        if self.affine[3] != (0.0, 0.0, 0.0, 1.0):
            raise GridError(f"the last row of the affine is {self.affine[3]}, not (0, 0, 0, 1)")
        if abs(self._determinant) <= _FLATNESS_MIN * math.prod(self.spacing_mm):
            raise GridError("the affine is singular: its voxels span no volume")

    @property
    def spacing_mm(self) -> Triple:
        """Edge lengths of a voxel along (I, J, K)."""
        i, j, k = (math.hypot(*column) for column in self._columns)
        return i, j, k

    @property
    def extent_mm(self) -> Triple:
        """Edge lengths of the whole image along (I, J, K), outer voxel faces included."""
        i, j, k = (size * step for size, step in zip(self.shape, self.spacing_mm, strict=True))
        return i, j, k

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel; from the determinant, so that shear is counted right."""
        return abs(self._determinant) / 1000.0

    @property
    def skew(self) -> float:
        """Largest absolute cosine between two voxel axes: 0 where all are perpendicular, as distances need them."""
        directions = [
            [entry / length for entry in column]
            for column, length in zip(self._columns, self.spacing_mm, strict=True)
        ]
        return max(abs(sum(p * q for p, q in zip(a, b, strict=True))) for a, b in combinations(directions, 2))

    @property
    def orientation(self) -> tuple[str, str, str]:
        """The direction each voxel axis runs to, such as ``("L", "P", "S")``.

        Voxel axes are matched with world axes so that the sum of absolute cosines is largest.
        """
        cosines = [
            [entry / length for entry in column]
            for column, length in zip(self._columns, self.spacing_mm, strict=True)
        ]
        worlds = max(
            permutations(range(3)),
            key=lambda order: sum(abs(cosines[axis][world]) for axis, world in enumerate(order)),
        )
        i, j, k = (_LETTERS[world][cosines[axis][world] > 0] for axis, world in enumerate(worlds))
        return i, j, k

    def world_mm(self, index: Triple) -> Triple:
        """World position of a voxel index; indices between voxel centres are allowed."""
        x, y, z = (
            row[0] * index[0] + row[1] * index[1] + row[2] * index[2] + row[3] for row in self.affine[:3]
        )
        return x, y, z

    def index(self, world_mm: Triple) -> Triple:
        """Voxel index of a world position, not rounded; the inverse of `world_mm`."""
        a, b, c = self._columns
        offset = tuple(world_mm[axis] - self.affine[axis][3] for axis in range(3))
        target = offset[0], offset[1], offset[2]
        # Cramer's rule: three columns, and the determinant is known not to vanish.
        return (
            _determinant(target, b, c) / self._determinant,
            _determinant(a, target, c) / self._determinant,
            _determinant(a, b, target) / self._determinant,
        )

    @property
    def _columns(self) -> tuple[Triple, Triple, Triple]:
        x, y, z, _ = self.affine
        return (x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2])

    @property
    def _determinant(self) -> float:
        return _determinant(*self._columns)


def same_grid(a: Grid, b: Grid, *, tolerance_mm: float) -> bool:
    """Whether two images have the same shape and no voxel lies farther apart than ``tolerance_mm``.

    The distance between two affine maps is convex, so the eight corner voxels bound every other one.
    """
    if a.shape != b.shape:
        return False
    i, j, k = ((0.0, size - 1.0) for size in a.shape)
    return all(
        math.dist(a.world_mm(corner), b.world_mm(corner)) <= tolerance_mm for corner in product(i, j, k)
    )


def _determinant(a: Triple, b: Triple, c: Triple) -> float:
    return (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )
