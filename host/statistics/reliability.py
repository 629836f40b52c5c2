"""How much of the variance between measurements lies between subjects: intraclass correlation coefficients.

Forms as Shrout and Fleiss (1979) number them. 1: every subject has raters of its own. 2: the raters are a sample of
those to come (absolute agreement). 3: these raters are all there are (consistency). Second part: the reliability of one
rating (1) or of the mean of the k ratings (k).
"""

import math
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from host.statistics.estimate import Estimate, without_interval
from host.statistics.samples import ROUNDING, Numbers, fault, not_estimable, tail

Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]

FORMS: Final[tuple[Form, ...]] = ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")
_METHOD: Final = "F distribution (Shrout and Fleiss 1979; McGraw and Wong 1996)"


class _Squares(NamedTuple):
    """Mean squares of the two-way table without replication, as Shrout and Fleiss abbreviate them."""

    n: int
    k: int
    between: float  # BMS, subjects
    within: float  # WMS
    raters: float  # JMS
    error: float  # EMS


def icc(ratings: ArrayLike, *, form: Form = "2,1", level: float = 0.95) -> Estimate:
    """Intraclass correlation coefficient in one of the six forms of Shrout and Fleiss (1979).

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, k)
        Column j holds rater (or session, or scanner) j; for form 1 the order in a row means nothing.
    form : {"1,1", "2,1", "3,1", "1,k", "2,k", "3,k"}, optional
    level : float, optional

    Returns
    -------
    Estimate
        At most 1, possibly below 0. NaN below two subjects or two raters, where a rating is missing, or where no
        variance is left to share out; no interval where the ratings agree perfectly.

    Raises
    ------
    ValueError
        When the ratings are not a table, or the form is none of the six.
    """
    table = np.array(ratings, dtype=np.float64)
    if table.ndim != 2 or form not in FORMS:
        raise ValueError(f"ratings form a table of subjects by raters, and form is one of {', '.join(FORMS)}")
    if reason := _fault(table):
        return not_estimable(level, len(table), reason)
    squares = _mean_squares(table)
    design, unit = form.split(",")
    signal, total = _variances(squares, design, unit == "k")
    if total <= ROUNDING * (squares.between + squares.within):
        return not_estimable(level, squares.n, "subjects do not differ: there is no variance to share out")
    value, noise = signal / total, squares.error if design == "3" else squares.within
    # The F ratio of perfect agreement is infinite up to rounding.
    if noise <= ROUNDING * squares.between:
        reason = "the ratings agree perfectly: no interval"
        return without_interval(value, level=level, n=squares.n, reason=reason)
    low, high = _interval(squares, design, tail(level))
    if unit == "k":
        low, high = _stepped_up(low, squares.k), _stepped_up(high, squares.k)
    return Estimate(value, low, high, level, _METHOD, squares.n)


def _fault(table: Numbers) -> str:
    if reason := fault(table, least=2):
        return reason
    if table.shape[1] < 2:
        return "one rater, and this needs at least 2"
    return "no rating differs from another" if float(np.ptp(table)) == 0.0 else ""


def _mean_squares(table: Numbers) -> _Squares:
    n, k = table.shape
    subjects, raters = table.mean(axis=1), table.mean(axis=0)
    between = k * float(subjects.var(ddof=1))
    judges = n * float(raters.var(ddof=1))
    within = float(((table - subjects[:, None]) ** 2).sum()) / (n * (k - 1))
    rest = table - subjects[:, None] - raters + table.mean()
    return _Squares(n, k, between, within, judges, float((rest**2).sum()) / ((n - 1) * (k - 1)))


def _variances(s: _Squares, design: str, mean_of_k: bool) -> tuple[float, float]:
    """Variance between subjects and total variance, both times k (Shrout and Fleiss 1979, pages 423-426)."""
    noise = s.within if design == "1" else s.error
    raters = (s.raters - s.error) / s.n if design == "2" else 0.0
    rest = raters if mean_of_k else (s.k - 1) * noise + s.k * raters
    return s.between - noise, s.between + rest


def _interval(s: _Squares, design: str, alpha: float) -> tuple[float, float]:
    """Interval of the single-rating form; that of the mean of k follows from it by Spearman and Brown."""
    if design == "2":
        return _random_interval(s, alpha)
    noise, df = (s.within, s.n * (s.k - 1)) if design == "1" else (s.error, (s.n - 1) * (s.k - 1))
    ratio = s.between / noise
    low = ratio / float(stats.f.isf(alpha, s.n - 1, df))
    high = ratio * float(stats.f.isf(alpha, df, s.n - 1))
    return (low - 1.0) / (low + s.k - 1.0), (high - 1.0) / (high + s.k - 1.0)


def _random_interval(s: _Squares, alpha: float) -> tuple[float, float]:
    """Form 2,1: Satterthwaite's degrees of freedom (McGraw and Wong 1996, table 7, as corrected)."""
    n, k = s.n, s.k
    signal, total = _variances(s, "2", mean_of_k=False)
    rho = signal / total
    a = k * rho / (n * (1.0 - rho))
    b = 1.0 + k * rho * (n - 1) / (n * (1.0 - rho))
    spread = (a * s.raters) ** 2 / (k - 1) + (b * s.error) ** 2 / ((n - 1) * (k - 1))
    v = (a * s.raters + b * s.error) ** 2 / spread
    to_low, to_high = float(stats.f.isf(alpha, n - 1, v)), float(stats.f.isf(alpha, v, n - 1))
    rest = k * s.raters + (k * n - k - n) * s.error
    low = n * (s.between - to_low * s.error) / (to_low * rest + n * s.between)
    high = n * (to_high * s.between - s.error) / (rest + n * to_high * s.between)
    return low, high


def _stepped_up(rho: float, k: int) -> float:
    """Spearman and Brown; minus infinity where one rating is as unreliable as can be."""
    rest = 1.0 + (k - 1) * rho
    return k * rho / rest if rest > 0.0 else -math.inf
