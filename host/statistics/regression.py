"""Straight lines between a reference and a measurement: Deming, Passing-Bablok, and whether the line is one.

`deming` and `passing_bablok` allow for error in both variables; `linearity` takes the reference as known.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import ROUNDING, Numbers, fault, not_estimable, pairs, student, tail

ErrorMethod = Literal["jackknife", "analytic"]

_METHODS: Final = {
    "jackknife": "Deming, jackknife (Linnet 1993)",
    "analytic": "Deming, errors from the correlation (Strike 1991)",
}
_PASSING: Final = "Passing and Bablok 1983"
_NO_LINE: Final = "the points do not determine a line"


@dataclass(frozen=True)
class Line:
    """A fitted line y = intercept + slope x.

    Attributes
    ----------
    slope, intercept : Estimate
        The intercept in the unit of y.
    slope_error, intercept_error : float
        Standard errors; NaN where the method has none.
    """

    slope: Estimate
    intercept: Estimate
    slope_error: float = math.nan
    intercept_error: float = math.nan


@dataclass(frozen=True)
class Linearity:
    """How a measurement follows the reference.

    Attributes
    ----------
    slope, intercept : Estimate
        Of the least squares line.
    quadratic : Estimate
        Coefficient of the squared reference in a second fit; 0 where the response is linear.
    quadratic_p : float
        Two-sided p of that coefficient.
    departure : float
        Largest distance between the line and the quadratic curve over the range of the reference, in the unit of the
        measurement (CLSI EP06): what the curvature amounts to.
    """

    slope: Estimate
    intercept: Estimate
    quadratic: Estimate
    quadratic_p: float
    departure: float


def deming(
    x: ArrayLike,
    y: ArrayLike,
    *,
    error_ratio: float = 1.0,
    errors: ErrorMethod = "jackknife",
    level: float = 0.95,
) -> Line:
    """Deming regression: both measurements err, in a known ratio (Linnet 1990, 1993).

    Parameters
    ----------
    x, y : array_like, shape (n,)
        One pair per subject.
    error_ratio : float, optional
        Variance of the errors of x over that of the errors of y; 1 is orthogonal regression.
    errors : {"jackknife", "analytic"}, optional
        Standard errors by leaving each subject out, or from the correlation (Strike 1991) as in the R package mcr;
        either way Student's t with n - 2 degrees of freedom.
    level : float, optional

    Returns
    -------
    Line
        NaN with a reason below three subjects or where x and y are not correlated.

    Raises
    ------
    ValueError
        When the error ratio is not positive.
    """
    if not error_ratio > 0.0:
        raise ValueError(f"the error ratio is positive, not {error_ratio}")
    first, second = pairs(x, y)
    n = first.size
    if reason := fault(np.column_stack((first, second)), least=3):
        return _no_line(level, n, reason)
    slope, intercept = _deming_line(first, second, error_ratio)
    if math.isnan(slope):
        return _no_line(level, n, _NO_LINE)
    spread = _analytic_errors if errors == "analytic" else _jackknife_errors
    slope_error, intercept_error = (
        (0.0, 0.0)
        if _fits(second - intercept - slope * first, second)
        else spread(first, second, error_ratio)
    )
    half = student(level, n - 2)
    return Line(
        _around(slope, half * slope_error, level, n, _METHODS[errors]),
        _around(intercept, half * intercept_error, level, n, _METHODS[errors]),
        slope_error,
        intercept_error,
    )


def passing_bablok(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Line:
    """Passing-Bablok regression: the shifted median of all slopes, for positively related methods.

    Passing and Bablok (1983), with their interval of the slope from the normal approximation and of the intercept from
    the ends of the slope. Pairs of equal points are left out; slopes of exactly -1 are not counted.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        One pair per subject. Memory grows with n^2: about 0.2 GB for 3000.
    level : float, optional

    Returns
    -------
    Line
        NaN with a reason below three subjects or where most slopes are negative.
    """
    first, second = pairs(x, y)
    n = first.size
    if reason := fault(np.column_stack((first, second)), least=3):
        return _no_line(level, n, reason)
    slopes = _slopes(first, second)
    if not np.isfinite(slopes).any():
        return _no_line(level, n, _NO_LINE)
    offset = int(np.count_nonzero(slopes < -1.0))
    middle = _ranked(slopes, (slopes.size - 1) / 2.0 + offset)
    if not math.isfinite(middle):
        return _no_line(level, n, "the methods are not positively related")
    intercept = float(np.median(second - middle * first))
    width = float(stats.norm.isf(tail(level))) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18.0)
    lowest = round((slopes.size - width) / 2.0)
    low, high = _ranked(slopes, lowest - 1 + offset), _ranked(slopes, slopes.size - lowest + offset)
    if not (math.isfinite(low) and math.isfinite(high)):
        reason = f"{n} subjects are too few for an interval of the slope"
        return Line(
            without_interval(middle, level=level, n=n, reason=reason),
            without_interval(intercept, level=level, n=n, reason=reason),
        )
    ends = [float(np.median(second - slope * first)) for slope in (high, low)]
    return Line(
        Estimate(middle, low, high, level, _PASSING, n),
        Estimate(intercept, ends[0], ends[1], level, _PASSING, n),
    )


def linearity(reference: ArrayLike, measured: ArrayLike, *, level: float = 0.95) -> Linearity:
    """Least squares line and quadratic term of a measurement on the reference (Raunig et al. 2015; CLSI EP06).

    Parameters
    ----------
    reference, measured : array_like, shape (n,)
        One pair per subject; the reference is taken as without error.
    level : float, optional

    Returns
    -------
    Linearity
        NaN with a reason below three subjects (four for the quadratic term), or where too few values of the reference
        differ.
    """
    first, second = pairs(reference, measured)
    n, distinct = first.size, np.unique(first).size
    reason = fault(np.column_stack((first, second)), least=3) or (_NO_LINE if distinct < 2 else "")
    if reason:
        nothing = not_estimable(level, n, reason)
        return Linearity(nothing, nothing, nothing, math.nan, math.nan)
    centre = float(first.mean())
    line, line_errors = _least_squares(first - centre, second, 1)
    slope = _student(line[1], line_errors[1], level, n, n - 2)
    error = math.hypot(
        line_errors[0], centre * line_errors[1]
    )  # the centred intercept is independent of the slope
    intercept = _student(line[0] - line[1] * centre, error, level, n, n - 2)
    if n < 4 or distinct < 3:
        return Linearity(
            slope,
            intercept,
            not_estimable(level, n, "a curve needs four subjects and three values of the reference"),
            math.nan,
            math.nan,
        )
    curve, curve_errors = _least_squares(first - centre, second, 2)
    quadratic = _student(curve[2], curve_errors[2], level, n, n - 3)
    ratio = abs(curve[2]) / curve_errors[2] if curve_errors[2] else math.nan
    return Linearity(
        slope, intercept, quadratic, 2.0 * float(stats.t.sf(ratio, n - 3)), _departure(first, line, curve)
    )


def _deming_line(x: Numbers, y: Numbers, error_ratio: float) -> tuple[float, float]:
    """Slope and intercept (Linnet 1993, equations 3 and 4); NaN where x and y are uncorrelated."""
    u = float(((x - x.mean()) ** 2).sum())
    q = float(((y - y.mean()) ** 2).sum())
    p = float(((x - x.mean()) * (y - y.mean())).sum())
    if p == 0.0:
        return math.nan, math.nan
    difference = error_ratio * q - u
    slope = (difference + math.hypot(difference, 2.0 * math.sqrt(error_ratio) * p)) / (2.0 * error_ratio * p)
    return slope, float(y.mean()) - slope * float(x.mean())


def _jackknife_errors(x: Numbers, y: Numbers, error_ratio: float) -> tuple[float, float]:
    """Standard errors of the mean pseudovalues (Linnet 1993); NaN where leaving a subject out leaves no line."""
    n = x.size
    keep = ~np.eye(n, dtype=np.bool_)
    left_out = np.array([_deming_line(x[row], y[row], error_ratio) for row in keep])
    slope, intercept = (n - 1) / math.sqrt(n) * left_out.std(axis=0, ddof=1)
    return float(slope), float(intercept)


def _analytic_errors(x: Numbers, y: Numbers, error_ratio: float) -> tuple[float, float]:
    """Error of the slope from the correlation, and of the intercept from that (Strike 1991)."""
    n = x.size
    slope, _ = _deming_line(x, y, error_ratio)
    correlation = float(np.corrcoef(x, y)[0, 1])
    error = abs(slope) * math.sqrt(max(1.0 - correlation**2, 0.0) / (n - 2)) / abs(correlation)
    return error, error * math.sqrt(float((x**2).mean()))


def _slopes(x: Numbers, y: Numbers) -> Numbers:
    """Slopes of all pairs of unequal points in order, without those of exactly -1.

    A vertical slope counts as +inf; -inf, which is below -1, would shift the median and the values alike.
    """
    i, j = np.triu_indices(x.size, k=1)
    run, rise = x[j] - x[i], y[j] - y[i]
    slopes = np.full(run.size, np.inf)
    np.divide(rise, run, out=slopes, where=run != 0.0)
    return np.sort(slopes[(slopes != -1.0) & ((run != 0.0) | (rise != 0.0))])


def _ranked(slopes: Numbers, rank: float) -> float:
    """The slope of that rank from 0, the mean of two where it lies between; NaN beyond the ends."""
    low, high = math.floor(rank), math.ceil(rank)
    if low < 0 or high >= slopes.size:
        return math.nan
    return float(slopes[low] + slopes[high]) / 2.0 if low != high else float(slopes[low])


def _least_squares(x: Numbers, y: Numbers, degree: int) -> tuple[list[float], list[float]]:
    """Coefficients from the constant up, and their standard errors."""
    design = np.vander(x, degree + 1, increasing=True)
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    rest = y - design @ coefficients
    variance = 0.0 if _fits(rest, y) else float(rest @ rest) / (x.size - degree - 1)
    inverse = np.linalg.pinv(design)
    errors = np.sqrt(variance * (inverse**2).sum(axis=1))
    return [float(value) for value in coefficients], [float(value) for value in errors]


def _fits(rest: Numbers, y: Numbers) -> bool:
    """Whether a line or curve leaves nothing but rounding."""
    return bool(np.linalg.norm(rest) <= ROUNDING * np.linalg.norm(y))


def _departure(x: Numbers, line: list[float], curve: list[float]) -> float:
    """Largest gap between both fits on the range of x: at its ends, or where their difference turns."""
    centred = x - x.mean()
    gap = np.array([curve[0] - line[0], curve[1] - line[1], curve[2]])
    places = [float(centred.min()), float(centred.max())]
    turn = -gap[1] / (2.0 * gap[2]) if gap[2] else places[0]
    places.append(min(max(float(turn), places[0]), places[1]))
    return max(abs(float(gap[0] + gap[1] * at + gap[2] * at**2)) for at in places)


def _student(value: float, error: float, level: float, n: int, df: int) -> Estimate:
    return _around(value, student(level, df) * error, level, n, "least squares, Student's t")


def _around(value: float, half: float, level: float, n: int, method: str) -> Estimate:
    if not half > 0.0:  # NaN too
        return without_interval(value, level=level, n=n, reason="the points lie on the line: no interval")
    return Estimate(value, value - half, value + half, level, method, n)


def _no_line(level: float, n: int, reason: str) -> Line:
    nothing = not_estimable(level, n, reason)
    return Line(nothing, nothing)
