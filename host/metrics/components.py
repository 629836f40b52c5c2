"""Connected components of a mask, by its runs: voxels inside that follow one another along the fastest axis.

A run is joined with the runs in neighbouring rows that it touches. There are far fewer runs than voxels, and none where
nothing is inside, so that sixty lesions in a whole brain cost what is in them and not what is around them.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from host.metrics.lattice import Lattice, Places
from host.metrics.mask_pair import Mask

Connectivity = Literal[6, 18, 26]
Integers = NDArray[np.int64]

# Along how many axes at once two voxels of one component may differ.
_AXES: Final = {6: 1, 18: 2, 26: 3}


@dataclass(frozen=True, eq=False)
class Components:
    """The components of a mask in a lattice.

    Attributes
    ----------
    starts, ends : ndarray of int
        Place of the first voxel of every run, and the place after its last; ascending.
    owner : ndarray of int
        To which component each run belongs, from 0.
    count : int
        How many components there are.
    """

    starts: Places
    ends: Places
    owner: Integers
    count: int

    @classmethod
    def of(cls, lattice: Lattice, row: Mask, connectivity: Connectivity) -> "Components":
        """Find the components.

        Parameters
        ----------
        lattice : Lattice
        row : ndarray of bool
            The mask in it.
        connectivity : {6, 18, 26}
            Voxels that touch by a face, also by an edge, or also by a corner belong together. In a plane 6 stands for
            shared edges, 18 and 26 for corners too.
        """
        starts, ends = lattice.runs(row)
        touching = [
            touching_runs(starts + step - reach, ends + step + reach, starts, ends)
            for step, reach in _neighbouring_rows(lattice, connectivity)
        ]
        one, other = np.concatenate(touching, axis=1)
        graph = sparse.coo_array((np.ones(one.size, bool), (one, other)), shape=(starts.size, starts.size))
        count, owner = connected_components(graph, directed=False)
        return cls(starts, ends, owner.astype(np.int64), int(count))

    def in_order(self, before: Integers) -> "Components":
        """Numbered by the least of the numbers that ``before`` gives their runs."""
        first = np.full(self.count, np.iinfo(np.int64).max)
        np.minimum.at(first, self.owner, before)
        return replace(self, owner=np.argsort(np.argsort(first))[self.owner])

    def sizes(self) -> Integers:
        """Number of voxels of every component."""
        sizes = np.zeros(self.count, np.int64)
        np.add.at(sizes, self.owner, self.ends - self.starts)
        return sizes


def touching_runs(from_: Places, to: Places, starts: Places, ends: Places) -> Integers:
    """Which stretches meet which runs.

    Parameters
    ----------
    from_, to : ndarray of int
        Ends of stretches, the last not included.
    starts, ends : ndarray of int
        Of runs; ascending, and no run reaches into another.

    Returns
    -------
    ndarray of int, shape (2, n)
        Numbers of a stretch and of a run that share a place.
    """
    first, after = np.searchsorted(ends, from_, side="right"), np.searchsorted(starts, to, side="left")
    counts = after - first
    stretch = np.repeat(np.arange(counts.size), counts)
    before = np.repeat(np.cumsum(counts) - counts, counts)
    return np.stack((stretch, np.arange(stretch.size) - before + first[stretch]))


def _neighbouring_rows(lattice: Lattice, connectivity: Connectivity) -> list[tuple[int, int]]:
    """Steps to the rows after a row that touch it, and by how many voxels one may be off along the row itself."""
    rows, axes = [], _AXES[connectivity]
    for offset in product((-1, 0, 1), repeat=len(lattice.steps) - 1):
        step = sum(count * step for count, step in zip(offset, lattice.steps, strict=False))
        apart = sum(abs(count) for count in offset)
        if step > 0 and apart <= axes:
            rows.append((step, int(apart < axes)))
    return rows
