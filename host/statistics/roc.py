"""How well a score tells positive cases from negative ones: the ROC curve and its area.

A higher score means more likely positive. One case per subject: for several, take the interval of `auc` from
`bootstrap.cluster_bootstrap`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import deviate, tail

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
AucScale = Literal["identity", "logit"]

_SEPARATED: Final = "the scores separate the classes completely: DeLong's variance is zero"
_NO_VARIANCE: Final = "the scores do not vary as DeLong's variance needs: it is zero"


@dataclass(frozen=True)
class AucComparison:
    """Two areas compared.

    Attributes
    ----------
    difference : Estimate
        First area minus second.
    statistic : float
        Of the test that both areas are equal: z where paired, Welch's t where not. NaN where it cannot be computed.
    p_value : float
        Two-sided.
    """

    difference: Estimate
    statistic: float
    p_value: float


@dataclass(frozen=True)
class JointTest:
    """The test that several areas are all equal.

    Attributes
    ----------
    chi_square : float
        NaN where it cannot be computed.
    degrees_of_freedom : int
        Areas less one.
    p_value : float
        Of the chi-square distribution.
    reason : str
        Why there is no test; empty where there is one.
    """

    chi_square: float
    degrees_of_freedom: int
    p_value: float
    reason: str = ""


@dataclass(frozen=True)
class RocCurve:
    """An empirical ROC curve, from nothing called positive to everything.

    Attributes
    ----------
    thresholds : ndarray of float, shape (k,)
        Falling; a case is called positive at this score or above. The first is infinite.
    sensitivity, specificity : ndarray of float, shape (k,)
        NaN where there is no positive, or no negative.
    """

    thresholds: Numbers
    sensitivity: Numbers
    specificity: Numbers


@dataclass(frozen=True)
class _Areas:
    """Several areas on the same cases, with their covariance.

    Attributes
    ----------
    values : ndarray of float, shape (k,)
    covariance : ndarray of float, shape (k, k)
        NaN with fewer than two cases of either class.
    n : int
    reason : str
        Why there is no covariance; empty where there is.
    """

    values: Numbers
    covariance: Numbers
    n: int
    reason: str


def auc(
    scores: ArrayLike, positive: ArrayLike, *, level: float = 0.95, scale: AucScale = "identity"
) -> Estimate:
    """Area under the ROC curve, with the interval of DeLong, DeLong and Clarke-Pearson (1988).

    The area is the chance that a positive case scores above a negative one, ties counting half.

    Parameters
    ----------
    scores : array of float, shape (n,)
        Higher is more likely positive.
    positive : array of bool, shape (n,)
        The reference standard.
    level : float
        Coverage of the two-sided interval.
    scale : {"identity", "logit"}
        Where the interval is symmetric. "identity" is DeLong's and is cut off at 0 and 1; "logit" keeps inside them and
        covers better near 1 (Qin and Hotilovac 2008).

    Returns
    -------
    Estimate
        0 to 1. Not estimable without a case of either class or with a score that is NaN. No interval with a single case
        of either class, or where the variance is zero: the classes are separated completely, or all scores are equal.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    areas = _areas([scores], positive)
    value, variance = float(areas.values[0]), float(areas.covariance[0, 0])
    reason = areas.reason
    if not reason and variance <= 0:
        reason = _SEPARATED if value in (0.0, 1.0) else _NO_VARIANCE
    if reason:
        return without_interval(value, level=level, n=areas.n, reason=reason)
    half = deviate(level) * math.sqrt(variance)
    if scale == "identity":
        low, high = max(0.0, value - half), min(1.0, value + half)
        return Estimate(value, low, high, level, "DeLong", areas.n)
    slope = value * (1 - value)
    low, high = (_expit(math.log(value / (1 - value)) + sign * half / slope) for sign in (-1, 1))
    return Estimate(value, low, high, level, "DeLong, logit scale", areas.n)


def compare_paired(
    first: ArrayLike, second: ArrayLike, positive: ArrayLike, *, level: float = 0.95
) -> AucComparison:
    """Difference of two areas on the same cases (DeLong, DeLong and Clarke-Pearson 1988).

    Parameters
    ----------
    first, second : array of float, shape (n,)
        Two scores of the same cases.
    positive : array of bool, shape (n,)
        The reference standard.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    AucComparison
        Not estimable as in `auc`; no interval where the difference has no variance.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    areas = _areas([first, second], positive)
    difference = float(areas.values[0] - areas.values[1])
    contrast = np.array([1.0, -1.0])
    variance = float(contrast @ areas.covariance @ contrast)
    reason = areas.reason or (
        "" if variance > _rounding(areas) else "the difference of the areas has no variance"
    )
    if reason:
        missing = without_interval(difference, level=level, n=areas.n, reason=reason)
        return AucComparison(missing, math.nan, math.nan)
    error = math.sqrt(variance)
    half = deviate(level) * error
    estimate = Estimate(difference, difference - half, difference + half, level, "paired DeLong", areas.n)
    return AucComparison(estimate, difference / error, 2 * NormalDist().cdf(-abs(difference) / error))


def compare_unpaired(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, level: float = 0.95
) -> AucComparison:
    """Difference of two areas on different cases: DeLong's variances in Welch's t test (as pROC does, Robin 2011).

    Parameters
    ----------
    first, second : pair of arrays
        Scores and reference standard of each sample, as for `auc`.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    AucComparison
        Its n counts both samples. Not estimable as in `auc`.

    Raises
    ------
    ValueError
        If lengths differ within a sample.
    """
    from scipy.special import stdtr, stdtrit

    one, other = (_areas([scores], positive) for scores, positive in (first, second))
    difference, n = float(one.values[0] - other.values[0]), one.n + other.n
    variances = [float(areas.covariance[0, 0]) for areas in (one, other)]
    reason = one.reason or other.reason or ("" if sum(variances) > 0 else _NO_VARIANCE)
    if reason:
        missing = without_interval(difference, level=level, n=n, reason=reason)
        return AucComparison(missing, math.nan, math.nan)
    error = math.sqrt(sum(variances))
    freedom = error**4 / sum(
        variance**2 / (areas.n - 1) for variance, areas in zip(variances, (one, other), strict=True)
    )
    half = float(stdtrit(freedom, 1 - tail(level))) * error
    estimate = Estimate(difference, difference - half, difference + half, level, "unpaired DeLong, Welch", n)
    return AucComparison(estimate, difference / error, 2 * float(stdtr(freedom, -abs(difference) / error)))


def compare_jointly(scores: Sequence[ArrayLike], positive: ArrayLike) -> JointTest:
    """Test that several scores of the same cases have the same area (DeLong 1988, equation 7).

    Parameters
    ----------
    scores : sequence of arrays of float, shape (n,)
        At least two scores of the same cases.
    positive : array of bool, shape (n,)
        The reference standard.

    Returns
    -------
    JointTest
        Without a statistic where the differences of the areas have no invertible covariance.

    Raises
    ------
    ValueError
        If lengths differ or there are fewer than two scores.
    """
    from scipy.special import chdtrc

    if len(scores) < 2:
        raise ValueError(f"a comparison needs two scores, not {len(scores)}")
    areas = _areas(scores, positive)
    freedom = len(scores) - 1
    contrasts = np.hstack([np.eye(freedom), -np.ones((freedom, 1))])
    differences = contrasts @ areas.values
    covariance = contrasts @ areas.covariance @ contrasts.T
    reason = areas.reason
    if not reason and np.linalg.matrix_rank(covariance, tol=_rounding(areas), hermitian=True) < freedom:
        reason = "the differences of the areas have no invertible covariance"
    if reason:
        return JointTest(math.nan, freedom, math.nan, reason)
    chi_square = float(differences @ np.linalg.solve(covariance, differences))
    return JointTest(chi_square, freedom, float(chdtrc(freedom, chi_square)))


def roc_curve(scores: ArrayLike, positive: ArrayLike) -> RocCurve:
    """Sensitivity and specificity at every threshold that changes them.

    Parameters
    ----------
    scores : array of float, shape (n,)
        Higher is more likely positive.
    positive : array of bool, shape (n,)
        The reference standard.

    Returns
    -------
    RocCurve
        One point per distinct score, and the one at which nothing is positive.

    Raises
    ------
    ValueError
        If lengths differ or a score is NaN.
    """
    markers, flags = _checked([scores], positive)
    if np.isnan(markers).any():
        raise ValueError("a score is NaN")
    distinct, place = np.unique(-markers[0], return_inverse=True)
    counts = [np.bincount(place[which], minlength=len(distinct)) for which in (flags, ~flags)]
    called, alarms = (np.concatenate([[0], np.cumsum(one)]) for one in counts)
    with np.errstate(invalid="ignore"):
        sensitivity, alarm_rate = called / called[-1], alarms / alarms[-1]
    return RocCurve(np.concatenate([[np.inf], -distinct]), sensitivity, 1 - alarm_rate)


def _areas(scores: Sequence[ArrayLike], positive: ArrayLike) -> _Areas:
    """Areas and DeLong's covariance from mid-ranks: Sun and Xu (2014), equations 4 to 8."""
    markers, flags = _checked(scores, positive)
    k, n = markers.shape
    positives, negatives = int(np.count_nonzero(flags)), int(np.count_nonzero(~flags))
    nothing = np.full((k, k), math.nan)
    if not positives or not negatives:
        missing = "positive" if not positives else "negative"
        return _Areas(np.full(k, math.nan), nothing, n, f"there is no {missing} case")
    if lost := int(np.isnan(markers).any(axis=0).sum()):
        return _Areas(np.full(k, math.nan), nothing, n, f"{lost} cases have no score")
    among_all = np.array([midranks(one) for one in markers])
    above = among_all[:, flags] - np.array([midranks(one) for one in markers[:, flags]])
    below = among_all[:, ~flags] - np.array([midranks(one) for one in markers[:, ~flags]])
    of_positives, of_negatives = above / negatives, 1 - below / positives
    values = of_positives.mean(axis=1)
    if min(positives, negatives) < 2:
        return _Areas(values, nothing, n, f"there are {positives} positive and {negatives} negative cases")
    covariance = np.cov(of_positives) / positives + np.cov(of_negatives) / negatives
    return _Areas(values, covariance.reshape(k, k), n, "")


def midranks(values: Numbers) -> Numbers:
    """Ranks from 1, tied values sharing the mean of theirs; shape (n,)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def _checked(scores: Sequence[ArrayLike], positive: ArrayLike) -> tuple[Numbers, Flags]:
    flags = np.asarray(positive, bool)
    markers = [np.asarray(one, float) for one in scores]
    if any(one.shape != flags.shape or one.ndim != 1 for one in markers):
        raise ValueError(f"shapes {[one.shape for one in markers]} of scores, {flags.shape} of the reference")
    return np.array(markers), flags


def _rounding(areas: _Areas) -> float:
    """What a variance of zero may come out as."""
    return 1e-12 * float(areas.covariance.max(initial=0.0))


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-value))
