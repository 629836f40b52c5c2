"""The cases of a scope, as a statistic reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Cases:
    """Cases in a fixed order, each of a subject, with named columns of numbers.

    Attributes
    ----------
    subjects : ndarray of str, shape (n,)
        Whose each case is.
    strata : ndarray of mapping, shape (n,)
        Stratum to level, of each case.
    scalars : mapping of str to ndarray of float, shape (n,)
        The columns that have one number in every case.
    lists : mapping of str to tuple of n ndarray
        The other columns.
    """

    subjects: NDArray[np.str_]
    strata: NDArray[Any]
    scalars: Mapping[str, Numbers]
    lists: Mapping[str, tuple[Numbers, ...]]

    @classmethod
    def of(
        cls,
        subjects: Sequence[str],
        columns: Mapping[str, Sequence[Sequence[float]]],
        strata: Sequence[Mapping[str, str]] = (),
    ) -> "Cases":
        """Cases from plain numbers; without strata, none has a level.

        Raises
        ------
        ValueError
            A column, or the strata, of another length than the subjects.
        """
        n = len(subjects)
        levels = np.empty(n, dtype=object)
        levels[:] = list(strata) if strata else [{}] * n
        if wrong := [name for name, column in columns.items() if len(column) != n]:
            raise ValueError(f"column {wrong[0]} has {len(columns[wrong[0]])} cases of {n}")
        single = {name for name, column in columns.items() if all(len(one) == 1 for one in column)}
        return cls(
            np.array(subjects, dtype=np.str_),
            levels,
            {name: np.array([one[0] for one in columns[name]], np.float64) for name in single},
            {
                name: tuple(np.array(one, np.float64) for one in column)
                for name, column in columns.items()
                if name not in single
            },
        )

    def __getitem__(self, column: str) -> Numbers:
        """A column with one number in every case."""
        return self.scalars[column]

    def each(self, column: str) -> tuple[Numbers, ...]:
        """The numbers of every case in a column, however many there are."""
        return self.lists[column] if column in self.lists else tuple(self.scalars[column][:, None])

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def n_subjects(self) -> int:
        """Independent units."""
        return len(np.unique(self.subjects))

    def take(self, indices: ArrayLike) -> "Cases":
        """The cases at these places, repeated where they are."""
        places = np.asarray(indices, dtype=np.int64)
        return Cases(
            self.subjects[places],
            self.strata[places],
            {name: column[places] for name, column in self.scalars.items()},
            {name: tuple(column[one] for one in places) for name, column in self.lists.items()},
        )

    def groups(self, numbers: Numbers) -> list[Numbers]:
        """One number per case, grouped by subject; subjects in the order in which they first appear."""
        _, first = np.unique(self.subjects, return_index=True)
        return [numbers[self.subjects == self.subjects[place]] for place in np.sort(first)]
