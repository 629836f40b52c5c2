"""How well two measurements of the same thing agree: bias, limits of agreement, concordance.

Every function takes one pair per subject; `bland_altman_repeated` takes several differences per subject. Differences
are always the first argument minus the second.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import (
    ROUNDING,
    Numbers,
    constant,
    fault,
    not_estimable,
    pairs,
    sample,
    student,
    tail,
)
from host.statistics.variances import sum_interval

LimitMethod = Literal["exact", "approximate"]

_METHODS: Final = {
    "exact": "exact, noncentral t (Carkeet 2015)",
    "approximate": "s sqrt(1/n + z^2/(2(n-1))) (Bland and Altman 1999)",
}
_NO_SPREAD: Final = "all differences are equal: no interval"


@dataclass(frozen=True)
class BlandAltman:
    """The figures of a Bland-Altman plot.

    Attributes
    ----------
    bias : Estimate
        Mean difference, in the unit of the measurement, with Student's interval.
    sd : float
        Standard deviation of the differences, divisor n - 1.
    loa_low, loa_high : Estimate
        Limits of agreement, each with the interval of that limit.
    proportional_bias : Estimate
        Slope of the difference on the mean of the pair (least squares, Student's interval); 0 where the difference does
        not depend on the size. Methods of unequal precision give a slope without any such dependence.
    """

    bias: Estimate
    sd: float
    loa_low: Estimate
    loa_high: Estimate
    proportional_bias: Estimate


def bland_altman(
    a: ArrayLike,
    b: ArrayLike,
    *,
    level: float = 0.95,
    coverage: float = 0.95,
    limits: LimitMethod = "exact",
) -> BlandAltman:
    """Bias and limits of agreement of two measurements (Bland and Altman 1986).

    Parameters
    ----------
    a, b : array_like, shape (n,)
        One pair per subject; the difference is a - b.
    level : float, optional
        Coverage of the intervals.
    coverage : float, optional
        Share of differences that the limits enclose: 0.95 gives bias -/+ 1.96 SD.
    limits : {"exact", "approximate"}, optional
        Interval of a limit: exact for normal differences by the noncentral t distribution (Carkeet 2015), or from
        SE = s sqrt(1/n + z^2/(2(n-1))) and Student's t (Bland and Altman 1999, section 2).

    Returns
    -------
    BlandAltman
        NaN with a reason below two pairs; no intervals where all differences are equal.
    """
    first, second = pairs(a, b)
    differences = first - second
    n = differences.size
    if reason := fault(differences, least=2):
        nothing = not_estimable(level, n, reason)
        return BlandAltman(nothing, math.nan, nothing, nothing, nothing)
    sd = float(np.std(differences, ddof=1))
    return BlandAltman(
        mean_difference(differences, level=level),
        sd,
        _limit(differences, sd, -_deviate(coverage), limits, level),
        _limit(differences, sd, _deviate(coverage), limits, level),
        _slope(differences, (first + second) / 2.0, level),
    )


def mean_difference(differences: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Mean of one number per subject with Student's interval: the bias, where the numbers are differences.

    Parameters
    ----------
    differences : array_like, shape (n,)
    level : float, optional

    Returns
    -------
    Estimate
        No interval for one subject, or where all numbers are equal; no value for none.
    """
    values = sample(differences)
    if reason := fault(values, least=1):
        return not_estimable(level, values.size, reason)
    mean = float(values.mean())
    if reason := fault(values, least=2):
        return without_interval(mean, level=level, n=values.size, reason=reason)
    if constant(values):
        return without_interval(mean, level=level, n=values.size, reason=_NO_SPREAD)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    half = student(level, values.size - 1) * error
    return Estimate(mean, mean - half, mean + half, level, "Student's t", values.size)


def bland_altman_repeated(
    differences: Sequence[ArrayLike], *, level: float = 0.95, coverage: float = 0.95
) -> BlandAltman:
    """Limits of agreement where subjects gave several pairs, whose true value may vary (Bland and Altman 1999, 5.3).

    The variance of a single difference is the sum of the components between and within subjects from a one-way analysis
    of variance. Intervals of the limits by MOVER (Zou 2013, equations 6-9).

    Parameters
    ----------
    differences : sequence of array_like
        The differences of each subject; subjects without any are left out.
    level, coverage : float, optional
        As for `bland_altman`.

    Returns
    -------
    BlandAltman
        ``n`` counts subjects; the bias is the mean over subjects of their mean difference. There is no proportional
        bias. NaN with a reason below two subjects, or where no subject has two differences.
    """
    groups = [values for values in map(sample, differences) if values.size]
    n = len(groups)
    flat = np.concatenate(groups) if groups else np.empty(0)
    reason = fault(flat, least=1) or ("" if n > 1 else f"{n} subjects, and this needs at least 2")
    if not reason and flat.size == n:
        reason = "no subject has two differences: use the limits for one pair per subject"
    if reason:
        nothing = not_estimable(level, n, reason)
        return BlandAltman(nothing, math.nan, nothing, nothing, nothing)
    means = np.array([values.mean() for values in groups])
    variance, variance_low, variance_high = _total_variance(groups, means, level)
    bias, sd, z = mean_difference(means, level=level), math.sqrt(variance), _deviate(coverage)
    lower, upper = bias.value - z * sd, bias.value + z * sd
    half = (bias.high - bias.low) / 2.0
    outer = math.hypot(half, z * (math.sqrt(variance_high) - sd))
    inner = math.hypot(half, z * (sd - math.sqrt(variance_low)))
    method = "MOVER, several differences per subject (Zou 2013)"
    if math.isnan(half):
        limits = [without_interval(value, level=level, n=n, reason=bias.reason) for value in (lower, upper)]
    else:
        limits = [
            Estimate(lower, lower - outer, lower + inner, level, method, n),
            Estimate(upper, upper - inner, upper + outer, level, method, n),
        ]
    proportional = not_estimable(level, n, "not defined for several differences per subject")
    return BlandAltman(bias, sd, limits[0], limits[1], proportional)


def concordance(a: ArrayLike, b: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Lin's concordance correlation coefficient, divisor n, interval by Fisher's z (Lin 1989; variance as in Lin 2000).

    Parameters
    ----------
    a, b : array_like, shape (n,)
        One pair per subject.
    level : float, optional

    Returns
    -------
    Estimate
        -1 to 1. NaN below three pairs or where neither varies; no interval at a correlation of exactly 0, 1 or -1.
    """
    first, second = pairs(a, b)
    n = first.size
    if reason := fault(np.column_stack((first, second)), least=3):
        return not_estimable(level, n, reason)
    covariance, spread, shift = _moments(first, second)
    if spread == 0.0 and shift == 0.0:
        return not_estimable(level, n, "neither measurement varies")
    value = 2.0 * covariance / (spread + shift)
    product = float(np.std(first) * np.std(second))
    correlation = covariance / product if product else 0.0
    if correlation == 0.0 or 1.0 - abs(value) <= ROUNDING or 1.0 - abs(correlation) <= ROUNDING:
        reason = f"Fisher's z has no interval at a correlation of {correlation:.6g}"
        return without_interval(value, level=level, n=n, reason=reason)
    half = float(stats.norm.isf(tail(level))) * _fisher_error(value, correlation, shift / product, n)
    low, high = math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)
    return Estimate(value, low, high, level, "Fisher's z (Lin 1989, 2000)", n)


def bias_correction(a: ArrayLike, b: ArrayLike) -> float:
    """C_b, the part of the concordance that is accuracy: concordance / Pearson correlation (Lin 1989).

    Parameters
    ----------
    a, b : array_like, shape (n,)

    Returns
    -------
    float
        Above 0 to 1; NaN for an empty sample or where one measurement does not vary.
    """
    first, second = pairs(a, b)
    if fault(np.column_stack((first, second)), least=1):
        return math.nan
    _, spread, shift = _moments(first, second)
    product = float(np.std(first) * np.std(second))
    return 2.0 * product / (spread + shift) if product else math.nan


def limit_factors(n: int, *, level: float = 0.95, coverage: float = 0.95) -> tuple[float, float]:
    """SDs from the bias to the inner and the outer end of the exact interval of a limit of agreement (Carkeet 2015).

    Parameters
    ----------
    n : int
        Pairs, at least 2.
    level, coverage : float, optional
        As for `bland_altman`.
    """
    centre = math.sqrt(n) * _deviate(coverage)
    inner, outer = (
        float(stats.nct.ppf(p, n - 1, centre)) / math.sqrt(n) for p in (tail(level), 1.0 - tail(level))
    )
    return inner, outer


def _limit(differences: Numbers, sd: float, deviate: float, method: LimitMethod, level: float) -> Estimate:
    n, mean = differences.size, float(differences.mean())
    value = mean + deviate * sd
    if constant(differences):
        return without_interval(value, level=level, n=n, reason=_NO_SPREAD)
    if method == "approximate":
        half = student(level, n - 1) * sd * math.sqrt(1.0 / n + deviate**2 / (2.0 * (n - 1)))
        return Estimate(value, value - half, value + half, level, _METHODS[method], n)
    inner, outer = limit_factors(n, level=level, coverage=1.0 - 2.0 * float(stats.norm.sf(abs(deviate))))
    ends = (mean - outer * sd, mean - inner * sd) if deviate < 0 else (mean + inner * sd, mean + outer * sd)
    return Estimate(value, *ends, level, _METHODS[method], n)


def _slope(differences: Numbers, means: Numbers, level: float) -> Estimate:
    n = differences.size
    if n < 3:
        return not_estimable(level, n, f"{n} subjects, and this needs at least 3")
    if constant(means):
        return not_estimable(level, n, "all means are equal")
    if constant(differences):
        return without_interval(0.0, level=level, n=n, reason=_NO_SPREAD)
    fit = stats.linregress(means, differences)
    half, slope = student(level, n - 2) * float(fit.stderr), float(fit.slope)
    if 1.0 - abs(float(fit.rvalue)) <= ROUNDING:
        return without_interval(slope, level=level, n=n, reason="the differences lie on a line: no interval")
    return Estimate(slope, slope - half, slope + half, level, "least squares, Student's t", n)


def _total_variance(groups: list[Numbers], means: Numbers, level: float) -> tuple[float, float, float]:
    """Variance of one difference of a subject to come, and its interval (Zou 2013, equation 8)."""
    counts = np.array([values.size for values in groups])
    df_within = int(counts.sum()) - len(groups)
    within = math.fsum(float(((values - values.mean()) ** 2).sum()) for values in groups) / df_within
    shares = (float(means.var(ddof=1)), (1.0 - float(np.mean(1.0 / counts))) * within)
    return math.fsum(shares), *sum_interval(shares, (len(groups) - 1, df_within), level=level)


def _moments(a: Numbers, b: Numbers) -> tuple[float, float, float]:
    """Covariance, sum of variances and squared shift, with divisor n."""
    covariance = float(np.mean((a - a.mean()) * (b - b.mean())))
    return covariance, float(a.var() + b.var()), float((a.mean() - b.mean()) ** 2)


def _fisher_error(value: float, correlation: float, shift: float, n: int) -> float:
    """Standard error of atanh(CCC) (Lin 1989, equation 5, with the misprint put right in Lin 2000)."""
    squared = value**2
    first = (1.0 - correlation**2) * squared / ((1.0 - squared) * correlation**2)
    second = 2.0 * value**3 * (1.0 - value) * shift / (correlation * (1.0 - squared) ** 2)
    third = value**4 * shift**2 / (2.0 * correlation**2 * (1.0 - squared) ** 2)
    return math.sqrt(max(first + second - third, 0.0) / (n - 2))


def _deviate(coverage: float) -> float:
    return float(stats.norm.isf(tail(coverage)))
