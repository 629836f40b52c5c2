"""How many subjects a criterion needs, before anything is measured.

Each answer is the smallest number for which the design does what is asked, under assumptions that the protocol states
as its basis. ``level`` is two-sided as everywhere; ``power`` is the chance to meet the criterion where the assumptions
hold.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import integrate, stats

from host.statistics.agreement import limit_factors
from host.statistics.samples import tail

AucVariance = Literal["hanley_mcneil", "obuchowski"]

LARGEST: Final = 1_000_000  # a study of more subjects is no answer


@dataclass(frozen=True)
class SampleSize:
    """How many subjects, and what they give.

    Attributes
    ----------
    subjects : int or None
        Independent subjects; None where a million do not suffice.
    reached : float
        Power, half-width or bound with that many.
    what : str
        What ``reached`` is.
    method : str
        Formula and its source.
    negatives : int or None
        Subjects without the condition, where ``subjects`` counts those with it.
    """

    subjects: int | None
    reached: float
    what: str
    method: str
    negatives: int | None = None


def for_proportion_width(expected: float, half_width: float, *, level: float = 0.95) -> SampleSize:
    """Subjects so that Wilson's interval of a proportion is no wider than wanted on either side (Newcombe 1998).

    Parameters
    ----------
    expected : float
        The proportion, between 0 and 1.
    half_width : float
        Half the width of the interval.
    """
    _between(0.0, expected, 1.0, "expected")
    _positive(half_width, "half_width")
    z = _deviate(level)

    def reached(n: int) -> float:
        return z * math.sqrt(expected * (1.0 - expected) / n + z**2 / (4.0 * n**2)) / (1.0 + z**2 / n)

    n = _smallest(lambda n: reached(n) <= half_width)
    return _answer(n, reached, "half-width", "Wilson 1927, at the expected proportion")


def for_proportion_goal(
    expected: float, goal: float, *, level: float = 0.95, power: float = 0.8
) -> SampleSize:
    """Subjects so that the lower end of Wilson's interval lies above a goal, by exact binomial probabilities.

    The power of a discrete test goes up and down; from the answer on it does not fall below what is wanted again.

    Parameters
    ----------
    expected, goal : float
        The proportion assumed, and the bound below it.
    """
    _between(0.0, goal, expected, "goal")
    _between(goal, expected, 1.0, "expected")
    _between(0.0, power, 1.0, "power")
    z, scale = _deviate(level), (_deviate(level) + float(stats.norm.ppf(power))) ** 2
    # Twice the normal approximation with the larger variance, and some: beyond it the power never falls short.
    ceiling = int(2.0 * scale * 0.25 / (expected - goal) ** 2) + 200
    if ceiling > LARGEST:
        return SampleSize(None, math.nan, "power", _GOAL)
    counts = np.arange(1, ceiling + 1)
    # Wilson's lower end exceeds the goal exactly where the score test rejects it.
    least = np.floor(counts * goal + z * np.sqrt(counts * goal * (1.0 - goal))) + 1.0
    reached = stats.binom.sf(least - 1.0, counts, expected)
    n = int(np.flatnonzero(reached < power)[-1]) + 2
    return SampleSize(n, float(stats.binom.sf(least[n - 1] - 1.0, n, expected)), "power", _GOAL)


def for_mean_width(sd: float, half_width: float, *, level: float = 0.95) -> SampleSize:
    """Subjects so that Student's interval of a mean is no wider than wanted on either side, at the expected SD.

    Parameters
    ----------
    sd, half_width : float
        In the same unit.
    """
    _positive(sd, "sd")
    _positive(half_width, "half_width")

    def reached(n: int) -> float:
        return float(stats.t.isf(tail(level), n - 1)) * sd / math.sqrt(n)

    n = _smallest(lambda n: reached(n) <= half_width, start=2)
    return _answer(n, reached, "half-width", "Student's t, at the expected SD")


def for_equivalence(
    sd: float, margin: float, *, difference: float = 0.0, alpha: float = 0.05, power: float = 0.8
) -> SampleSize:
    """Subjects so that two one-sided t tests of a mean difference both reject (Schuirmann 1987; exact power).

    Parameters
    ----------
    sd : float
        Of the differences, one per subject.
    margin : float
        The interval must lie inside -margin to margin.
    difference : float, optional
        The true difference that is assumed, smaller than the margin.
    alpha : float, optional
        Of each test: 0.05 is a 90 % interval.
    """
    _positive(sd, "sd")
    _between(-margin, difference, margin, "difference")
    _between(0.0, alpha, 0.5, "alpha")
    _between(0.0, power, 1.0, "power")

    def reached(n: int) -> float:
        return _tost_power(n, margin / sd, difference / sd, alpha)

    n = _smallest(lambda n: reached(n) >= power, start=2)
    return _answer(n, reached, "power", "two one-sided t tests, Schuirmann 1987, exact power")


def for_limits_width(half_width: float, *, level: float = 0.95, coverage: float = 0.95) -> SampleSize:
    """Pairs so that the exact interval of a limit of agreement reaches no further outwards than wanted (Carkeet 2015).

    Parameters
    ----------
    half_width : float
        Outer part of the interval, in SDs of the differences.
    coverage : float, optional
        Share of differences that the limits enclose.
    """
    _positive(half_width, "half_width")
    deviate = float(stats.norm.isf(tail(coverage)))

    def reached(n: int) -> float:
        return limit_factors(n, level=level, coverage=coverage)[1] - deviate

    n = _smallest(lambda n: reached(n) <= half_width, start=2)
    return _answer(n, reached, "outer half-width in SDs", "exact interval, Carkeet 2015")


def for_limits_within(
    sd: float, margin: float, *, bias: float = 0.0, level: float = 0.95, power: float = 0.8
) -> SampleSize:
    """Pairs so that both limits of agreement lie inside a margin with their outer confidence bounds.

    As Lu et al. (2016), with Carkeet's exact bounds in place of the approximate ones.

    Parameters
    ----------
    sd, bias : float
        Of the differences, as assumed.
    margin : float
        The outer bounds must lie inside -margin to margin; more than |bias| + 1.96 sd.
    """
    _positive(sd, "sd")
    _between(0.0, power, 1.0, "power")
    deviate = float(stats.norm.isf(0.025))
    if not margin > abs(bias) + deviate * sd:
        raise ValueError("margin: the limits themselves would lie outside it")

    def reached(n: int) -> float:
        bound = math.sqrt(n) * limit_factors(n, level=level)[1]
        missed = [
            float(stats.nct.cdf(bound, n - 1, math.sqrt(n) * (margin + side * bias) / sd)) for side in (-1, 1)
        ]
        return max(1.0 - sum(missed), 0.0)

    n = _smallest(lambda n: reached(n) >= power, start=2)
    return _answer(n, reached, "power", "Lu et al. 2016 with the exact interval of Carkeet 2015")


def for_wcv(expected: float, claim: float, *, level: float = 0.90, power: float | None = None) -> SampleSize:
    """Subjects, measured twice, so that the upper bound of the wCV does not exceed a claim (Obuchowski et al. 2015).

    A wCV of 0.8 of the claim needs 35 subjects, the number QIBA names.

    Parameters
    ----------
    expected, claim : float
        wCV that is assumed, and the claim above it.
    level : float, optional
        0.90 two-sided is the one-sided 95 % bound of QIBA.
    power : float, optional
        Without it the bound holds at the expected wCV itself, about one time in two.
    """
    _between(0.0, expected, claim, "expected")
    ratio = claim / expected

    def bound(n: int) -> float:
        return expected * math.sqrt(n / float(stats.chi2.ppf(tail(level), n)))

    def chance(n: int) -> float:
        return float(stats.chi2.cdf(ratio**2 * stats.chi2.ppf(tail(level), n), n))

    method = "chi-square bound, Obuchowski et al. 2015"
    if power is None:
        return _answer(_smallest(lambda n: bound(n) <= claim), bound, "upper bound of the wCV", method)
    _between(0.0, power, 1.0, "power")
    wanted = power
    return _answer(_smallest(lambda n: chance(n) >= wanted), chance, "power", method)


def for_auc_goal(
    expected: float,
    goal: float,
    *,
    negatives_per_positive: float = 1.0,
    variance: AucVariance = "hanley_mcneil",
    level: float = 0.95,
    power: float = 0.8,
) -> SampleSize:
    """Subjects with and without the condition so that the lower end of the AUC's interval lies above a goal.

    Parameters
    ----------
    expected, goal : float
        The area that is assumed, and the bound below it; both above 0.5.
    negatives_per_positive : float, optional
    variance : {"hanley_mcneil", "obuchowski"}, optional
        Of the area at the expected value: for exponential scores (Hanley and McNeil 1982, equation 2), or for binormal
        ratings on few levels (Obuchowski 1994), which asks for more and is on the safe side for continuous scores.

    Returns
    -------
    SampleSize
        ``subjects`` counts those with the condition.
    """
    _between(0.5, goal, expected, "goal")
    _between(goal, expected, 1.0, "expected")
    _positive(negatives_per_positive, "negatives_per_positive")
    _between(0.0, power, 1.0, "power")
    of = {"hanley_mcneil": _hanley_mcneil, "obuchowski": _obuchowski}[variance]
    z = _deviate(level)

    def negatives(n: int) -> int:
        return math.ceil(n * negatives_per_positive)

    def reached(n: int) -> float:
        error = math.sqrt(of(expected, n, negatives(n)))
        return float(stats.norm.cdf((expected - goal) / error - z))

    n = _smallest(lambda n: reached(n) >= power, start=2)
    source = "Hanley and McNeil 1982" if variance == "hanley_mcneil" else "Obuchowski 1994"
    found = _answer(n, reached, "power", f"variance of {source}, normal interval")
    return found if n is None else SampleSize(n, found.reached, found.what, found.method, negatives(n))


_GOAL: Final = "Wilson 1927, exact binomial power"


def _tost_power(n: int, margin: float, difference: float, alpha: float) -> float:
    """Chance that both tests reject, by integrating over the distribution of the sample SD (Phillips 1990)."""
    df, root = n - 1, math.sqrt(n)
    critical = float(stats.t.isf(alpha, df))
    widest = margin * root / critical  # a larger SD leaves no room inside the margin
    # The SD's distribution is narrow where n is large: integrate where its mass lies.
    low, high = (math.sqrt(float(stats.chi2.ppf(p, df)) / df) for p in (1e-12, 1.0 - 1e-12))

    def given(sd: float) -> float:
        room = margin * root - critical * sd
        inside = stats.norm.cdf(room - difference * root) - stats.norm.cdf(-room - difference * root)
        return float(2.0 * df * sd * stats.chi2.pdf(df * sd**2, df) * inside)

    return float(integrate.quad(given, low, min(high, widest), limit=200)[0]) if low < widest else 0.0


def _hanley_mcneil(area: float, positives: int, negatives: int) -> float:
    q1, q2 = area / (2.0 - area), 2.0 * area**2 / (1.0 + area)
    extra = (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    return (area * (1.0 - area) + extra) / (positives * negatives)


def _obuchowski(area: float, positives: int, negatives: int) -> float:
    a = 1.414 * float(stats.norm.ppf(area))
    ratio = negatives / positives
    return 0.0099 * math.exp(-(a**2) / 2.0) * (5.0 * a**2 + 8.0 + (a**2 + 8.0) / ratio) / positives


def _smallest(holds: Callable[[int], bool], start: int = 1) -> int | None:
    """The smallest number for which something holds that stays true once it is; by doubling, then halving."""
    high = start
    while not holds(high):
        high *= 2
        if high > LARGEST:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if middle >= start and holds(middle) else (middle, high)
    return high


def _answer(n: int | None, reached: Callable[[int], float], what: str, method: str) -> SampleSize:
    return SampleSize(n, math.nan if n is None else reached(n), what, method)


def _deviate(level: float) -> float:
    return float(stats.norm.isf(tail(level)))


def _between(low: float, value: float, high: float, name: str) -> None:
    if not low < value < high:
        raise ValueError(f"{name}: {value} does not lie between {low} and {high}")


def _positive(value: float, name: str) -> None:
    if not value > 0.0:
        raise ValueError(f"{name}: {value} is not above 0")
