"""How far repeated measurements of the same subject differ: test-retest on one scanner, and across scanners.

Terms as QIBA defines them (Raunig et al. 2015; Obuchowski et al. 2015). The interval of a standard deviation follows
from the chi-square distribution of its square. Upper bounds are one-sided in QIBA's claims: the upper end at
``level=0.90`` is the one-sided 95 % bound.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import ROUNDING, Numbers, fault, not_estimable, replicates, sample
from host.statistics.variances import sum_interval

# 1.96 sqrt(2), rounded as QIBA and validation claims print it.
COEFFICIENT: Final = 2.77

_CHI_SQUARE: Final = "chi-square"
_COMPONENTS: Final = "sum of variance components (Graybill and Wang 1980)"
_IDENTICAL: Final = "all replicates are identical: no interval"


def within_subject_sd(groups: Sequence[ArrayLike], *, level: float = 0.95) -> Estimate:
    """Within-subject standard deviation: wSD = sqrt(sum d^2 / 2n) for duplicates (Bland and Altman 1996).

    Parameters
    ----------
    groups : sequence of array_like
        The replicates of each subject, at least two; subjects with fewer are left out.
    level : float, optional

    Returns
    -------
    Estimate
        In the unit of the measurement. NaN without any replicates; no interval where all replicates are identical.
    """
    kept, flawed = _usable(groups, level)
    if flawed is not None:
        return flawed
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in kept)
    df = _degrees(kept)
    return _deviation([squares / df], [df], n=len(kept), level=level, scale=_largest(kept))


def wcv(groups: Sequence[ArrayLike], *, level: float = 0.95) -> Estimate:
    """Within-subject coefficient of variation, root mean square form (Obuchowski et al. 2015).

    wCV = sqrt(mean(s_i^2 / m_i^2)); subjects with more replicates weigh by their degrees of freedom. The one-sided
    upper bound is wCV sqrt(n / chi-square(0.05; n)) for n duplicates.

    Parameters
    ----------
    groups : sequence of array_like
        The replicates of each subject, all subject means above 0.
    level : float, optional

    Returns
    -------
    Estimate
        A fraction: 0.1 is 10 %. NaN where a subject's mean is not positive.
    """
    kept, flawed = _usable(groups, level)
    if flawed is not None:
        return flawed
    if not all(values.mean() > 0.0 for values in kept):
        return not_estimable(level, len(kept), "a subject's mean is not above 0")
    squares = sum(
        (values.size - 1) * float(values.var(ddof=1)) / float(values.mean()) ** 2 for values in kept
    )
    df = _degrees(kept)
    return _deviation([squares / df], [df], n=len(kept), level=level, scale=1.0)


def repeatability_coefficient(groups: Sequence[ArrayLike], *, level: float = 0.95) -> Estimate:
    """RC = 2.77 wSD: two measurements of one subject differ by less in 95 % of pairs (Raunig et al. 2015).

    Parameters, unit and empty cases as for `within_subject_sd`.
    """
    return _scaled(within_subject_sd(groups, level=level), COEFFICIENT)


def reproducibility_coefficient(table: Sequence[Sequence[ArrayLike]], *, level: float = 0.95) -> Estimate:
    """RDC = 2.77 SD of one subject's measurements across conditions such as scanners (Raunig et al. 2015).

    The variance is the sum of the components of condition, subject by condition, and repetition, from the balanced
    two-way analysis of variance with random effects; its interval by Graybill and Wang (1980). Few conditions give a
    wide one.

    Parameters
    ----------
    table : array_like, shape (n_subjects, n_conditions) or (n_subjects, n_conditions, n_replicates)
        Column j holds condition j of every subject.
    level : float, optional

    Returns
    -------
    Estimate
        In the unit of the measurement. NaN below two subjects or two conditions, or where a measurement is missing.
    """
    n = len(table)
    if reason := _unbalanced(table):
        return not_estimable(level, n, reason)
    cube = np.array(table, dtype=np.float64)
    cube = cube[:, :, None] if cube.ndim == 2 else cube
    if reason := fault(cube, least=2):
        return not_estimable(level, n, reason)
    shares, degrees = _two_way(cube)
    found = _deviation(shares, degrees, n=n, level=level, scale=_largest([cube]))
    return _scaled(found, COEFFICIENT)


def _usable(groups: Sequence[ArrayLike], level: float) -> tuple[list[Numbers], Estimate | None]:
    kept = replicates(groups)
    if not kept:
        return kept, not_estimable(level, 0, "no subject was measured twice")
    reason = fault(np.concatenate(kept), least=1)
    return kept, not_estimable(level, len(kept), reason) if reason else None


def _degrees(groups: list[Numbers]) -> int:
    return sum(values.size - 1 for values in groups)


def _largest(groups: list[Numbers]) -> float:
    return max(float(np.abs(values).max()) for values in groups)


def _deviation(shares: list[float], degrees: list[int], *, n: int, level: float, scale: float) -> Estimate:
    """Root of a sum of variances, each estimated with its own degrees of freedom, of numbers up to ``scale``."""
    value = math.sqrt(math.fsum(shares))
    if value <= ROUNDING * scale:
        return without_interval(0.0, level=level, n=n, reason=_IDENTICAL)
    low, high = sum_interval(shares, degrees, level=level)
    method = _CHI_SQUARE if len(shares) == 1 else _COMPONENTS
    return Estimate(value, math.sqrt(low), math.sqrt(high), level, method, n)


def _scaled(one: Estimate, factor: float) -> Estimate:
    return Estimate(
        factor * one.value, factor * one.low, factor * one.high, one.level, one.method, one.n, one.reason
    )


def _unbalanced(table: Sequence[Sequence[ArrayLike]]) -> str:
    rows = [tuple(sample(np.atleast_1d(cell)).size for cell in row) for row in table]
    if len(rows) < 2 or len(rows[0]) < 2:
        return "at least two subjects under at least two conditions are needed"
    cells = set(rows[0])
    if any(row != rows[0] for row in rows) or len(cells) != 1 or 0 in cells:
        return "every subject needs equally many measurements under every condition"
    return ""


def _two_way(cube: Numbers) -> tuple[list[float], list[int]]:
    """What conditions, subject by condition and repetition add to the variance, and their degrees of freedom."""
    n, k, r = cube.shape
    cells = cube.mean(axis=2)
    condition = cells.mean(axis=0)
    rest = cells - cells.mean(axis=1, keepdims=True) - condition + cells.mean()
    by_condition = n * r * float(condition.var(ddof=1))
    by_both = r * float((rest**2).sum()) / ((n - 1) * (k - 1))
    shares = [by_condition / (n * r), by_both * (n - 1) / (n * r)]
    degrees = [k - 1, (n - 1) * (k - 1)]
    if r > 1:
        shares.append(float(cube.var(axis=2, ddof=1).mean()) * (r - 1) / r)
        degrees.append(n * k * (r - 1))
    return shares, degrees
