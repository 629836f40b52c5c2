"""Intervals by resampling subjects: for every statistic that has no formula, and wherever cases share subjects.

A subject is drawn with all its cases, since cases of one subject are no independent evidence. Subjects are drawn within
their stratum. The random numbers are those of numpy's RandomState, whose stream never changes (NEP 19), so that a
report keeps its bytes over versions of numpy.
"""

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import not_estimable, tail

Indices = NDArray[np.int64]
Statistic = Callable[[Indices], float]
BootstrapMethod = Literal["bca", "percentile"]

# An interval holds for samples in which the statistic exists. Where it often does not, that is another population.
MOST_NOT_COMPUTABLE: Final = 0.05

# Sums in another order differ by rounding; that is no difference between two resamples.
_ROUNDING: Final = 1e-12

_NAMES: Final[dict[BootstrapMethod, str]] = {"bca": "BCa", "percentile": "percentile"}


class _NoIntervalError(Exception):
    """Why the resamples give no interval."""


@dataclass(frozen=True)
class _Clusters:
    """Cases grouped by subject, and subjects by stratum.

    Attributes
    ----------
    cases : tuple of Indices
        Case indices of each subject.
    strata : tuple of Indices
        Numbers of the subjects of each stratum.
    """

    cases: tuple[Indices, ...]
    strata: tuple[Indices, ...]

    def resamples(self, seed: int, count: int) -> Iterator[Indices]:
        """Case indices of each resample; as many subjects of each stratum as there are."""
        random = np.random.RandomState(seed)
        for _ in range(count):
            drawn = [
                subjects[random.randint(0, len(subjects), len(subjects), dtype=np.int64)]
                for subjects in self.strata
            ]
            yield np.concatenate([self.cases[subject] for subject in np.concatenate(drawn)])

    def leaving_one_out(self) -> Iterator[Indices]:
        """Case indices without each subject in turn."""
        every = np.concatenate(self.cases)
        owner = np.repeat(np.arange(len(self.cases)), [len(one) for one in self.cases])
        for subject in range(len(self.cases)):
            yield every[owner != subject]


def cluster_bootstrap(
    statistic: Statistic,
    subjects: Sequence[Hashable],
    *,
    seed: int,
    strata: Sequence[Hashable] | None = None,
    resamples: int = 2000,
    method: BootstrapMethod = "bca",
    level: float = 0.95,
) -> Estimate:
    """Interval of any statistic, by resampling subjects with all their cases (Efron 1987; Davison and Hinkley 1997).

    BCa is Efron and Tibshirani (1993), equations 14.9 to 14.15: resamples equal to the estimate count half in the bias
    correction, and the acceleration comes from the jackknife over subjects, by strata as in Davison and Hinkley (1997),
    equation 5.26. Quantiles are interpolated linearly.

    Parameters
    ----------
    statistic : callable
        From the indices of the cases in a sample (repeated where drawn repeatedly) to a number; NaN where the sample
        does not let it be computed.
    subjects : sequence
        The subject of each case.
    seed : int
        0 to 2**32 - 1; the same seed gives the same interval.
    strata : sequence, optional
        The stratum of each case, within which subjects are drawn. A subject with cases in several strata belongs to a
        stratum of subjects with those same strata.
    resamples : int
        How many are drawn.
    method : {"bca", "percentile"}
        Which interval is made of them.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    Estimate
        Its method says how many resamples were not computable. Not estimable without cases. No interval, with the
        reason, where more than 5 % of the resamples are not computable, all of them agree, a stratum has a single
        subject, or BCa's corrections do not exist.

    Raises
    ------
    ValueError
        If lengths differ or no resample is asked for.
    """
    if strata is not None and len(strata) != len(subjects):
        raise ValueError(f"{len(subjects)} subjects but {len(strata)} strata")
    if resamples < 1:
        raise ValueError(f"{resamples} resamples")
    if not len(subjects):
        return not_estimable(level, 0, "there is no case")
    clusters = _clusters(subjects, strata)
    n = len(clusters.cases)
    value = float(statistic(np.arange(len(subjects))))
    try:
        drawn, lost = _computable(statistic, clusters, value, seed, resamples)
        tails = _bca_tails(statistic, clusters, value, drawn, level) if method == "bca" else _tails(level)
        low, high = _ends(drawn, tails)
    except _NoIntervalError as error:
        return without_interval(value, level=level, n=n, reason=str(error))
    return Estimate(value, low, high, level, _name(method, resamples, lost, len(clusters.strata)), n)


def _clusters(subjects: Sequence[Hashable], strata: Sequence[Hashable] | None) -> _Clusters:
    """Subjects in the order in which they first appear, so that any labels will do."""
    cases: dict[Hashable, list[int]] = {}
    for index, subject in enumerate(subjects):
        cases.setdefault(subject, []).append(index)
    members: dict[frozenset[Hashable], list[int]] = {}
    for number, indices in enumerate(cases.values()):
        found = frozenset(strata[index] for index in indices) if strata is not None else frozenset(())
        members.setdefault(found, []).append(number)
    return _Clusters(
        tuple(np.array(one, np.int64) for one in cases.values()),
        tuple(np.array(one, np.int64) for one in members.values()),
    )


def _computable(
    statistic: Statistic, clusters: _Clusters, value: float, seed: int, resamples: int
) -> tuple[NDArray[np.float64], int]:
    """The statistic of every resample that has one, and how many have none."""
    if not math.isfinite(value):
        raise _NoIntervalError("the statistic cannot be computed on the sample")
    if alone := sum(len(one) == 1 for one in clusters.strata):
        raise _NoIntervalError(
            "there is a single subject"
            if len(clusters.cases) == 1
            else f"{alone} strata have a single subject"
        )
    drawn = np.array([statistic(one) for one in clusters.resamples(seed, resamples)], float)
    kept = drawn[np.isfinite(drawn)]
    lost = resamples - len(kept)
    if lost > MOST_NOT_COMPUTABLE * resamples:
        raise _NoIntervalError(f"the statistic cannot be computed on {lost} of {resamples} resamples")
    if np.ptp(kept) <= _rounding_of(kept):
        raise _NoIntervalError(f"all resamples give {kept[0]:.6g}")
    return kept, lost


def _tails(level: float) -> tuple[float, float]:
    return tail(level), 1 - tail(level)


def _bca_tails(
    statistic: Statistic, clusters: _Clusters, value: float, drawn: NDArray[np.float64], level: float
) -> tuple[float, float]:
    """Which quantiles of the resamples are the ends: Efron and Tibshirani (1993), equation 14.10."""
    normal = NormalDist()
    near = _rounding_of(drawn)
    lower, upper = np.count_nonzero(drawn < value - near), np.count_nonzero(drawn <= value + near)
    below = (lower + upper) / (2 * len(drawn))
    if not 0 < below < 1:
        raise _NoIntervalError("all resamples lie on one side of the estimate")
    bias = normal.inv_cdf(below)
    acceleration = _acceleration(statistic, clusters)
    tails = []
    for end in _tails(level):
        shifted = bias + normal.inv_cdf(end)
        if acceleration * shifted >= 1:
            raise _NoIntervalError("BCa's acceleration is too large")
        tails.append(normal.cdf(bias + shifted / (1 - acceleration * shifted)))
    return tails[0], tails[1]


def _acceleration(statistic: Statistic, clusters: _Clusters) -> float:
    """Skewness of the jackknife's influence values: Davison and Hinkley (1997), equation 5.26."""
    left_out = np.array([statistic(one) for one in clusters.leaving_one_out()], float)
    if lost := len(left_out) - np.count_nonzero(np.isfinite(left_out)):
        raise _NoIntervalError(f"the statistic cannot be computed without any one of {lost} subjects")
    squares = cubes = 0.0
    for subjects in clusters.strata:
        size = len(subjects)
        influence = (size - 1) * (left_out[subjects].mean() - left_out[subjects]) / size
        squares += float((influence**2).sum())
        cubes += float((influence**3).sum())
    if math.sqrt(squares) <= _rounding_of(left_out):
        raise _NoIntervalError("leaving any one subject out gives the same value")
    return cubes / (6 * squares * math.sqrt(squares))


def _rounding_of(values: NDArray[np.float64]) -> float:
    return _ROUNDING * float(np.abs(values).max())


def _ends(drawn: NDArray[np.float64], tails: tuple[float, float]) -> tuple[float, float]:
    if min(tails[0], 1 - tails[1]) * len(drawn) < 1:
        raise _NoIntervalError(f"an end lies beyond {len(drawn)} resamples")
    low, high = np.quantile(drawn, tails)
    return float(low), float(high)


def _name(method: BootstrapMethod, resamples: int, lost: int, strata: int) -> str:
    parts = [f"{_NAMES[method]} bootstrap of subjects", f"{resamples} resamples"]
    if strata > 1:
        parts.append(f"{strata} strata")
    if lost:
        parts.append(f"{lost} not computable")
    return ", ".join(parts)
