"""How far predicted probabilities of an event can be believed: Brier scores and calibration.

One case per subject: for several, take the interval from `bootstrap.cluster_bootstrap`.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.proportions import clopper_pearson, wilson
from host.statistics.samples import deviate, not_estimable, tail

Numbers = NDArray[np.float64]

_MOST_STEPS: Final = 50
_CONVERGED: Final = 1e-10
_ROUNDING: Final = 1e-12


@dataclass(frozen=True)
class CalibrationBin:
    """Cases of similar predicted probability, for a plot of calibration.

    Attributes
    ----------
    predicted : float
        Mean predicted probability.
    observed : Estimate
        Fraction with the event, with Wilson's interval; its n counts the cases.
    low, high : float
        Least and greatest predicted probability in it.
    """

    predicted: float
    observed: Estimate
    low: float
    high: float


def brier(probability: ArrayLike, event: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Mean squared distance of the probability from what happened (Brier 1950); 0 is best.

    Parameters
    ----------
    probability : array of float, shape (n,)
        Predicted probability of the event.
    event : array of bool, shape (n,)
        Whether it happened.
    level : float
        Coverage of the two-sided interval: Student's, of the mean of the squared distances, cut off at 0 and 1.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without cases or with a value that is no probability.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    predicted, happened = _checked(probability, event)
    if reason := _fault(predicted):
        return not_estimable(level, len(predicted), reason)
    squares = (predicted - happened) ** 2
    return _mean(float(squares.mean()), squares, level, (0.0, 1.0))


def brier_skill(
    probability: ArrayLike, event: ArrayLike, *, baseline: ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """By what share the Brier score lies below that of a baseline; 0 is no better, 1 perfect.

    Parameters
    ----------
    probability : array of float, shape (n,)
        Predicted probability of the event.
    event : array of bool, shape (n,)
        Whether it happened.
    baseline : array of float, shape (n,), optional
        What to beat. By default the fraction of events in these same cases, which flatters nobody but the baseline.
    level : float
        Coverage of the two-sided interval, from the variance of a ratio of means to first order (the fraction of events
        minimises its own score, so that estimating it adds nothing to first order).

    Returns
    -------
    Estimate
        At most 1. Not estimable where the baseline errs on no case.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    predicted, happened = _checked(probability, event)
    against = np.full(len(happened), happened.mean() if len(happened) else math.nan)
    if baseline is not None:
        against, _ = _checked(baseline, event)
    if reason := _fault(predicted) or _fault(against):
        return not_estimable(level, len(predicted), reason)
    squares, beaten = (predicted - happened) ** 2, (against - happened) ** 2
    if not beaten.any():
        reason = "the baseline errs on no case"
        return not_estimable(level, len(predicted), reason)
    skill = float(1 - squares.mean() / beaten.mean())
    return _mean(skill, (beaten - squares - skill * beaten) / beaten.mean(), level, (-math.inf, 1.0))


def calibration_slope(probability: ArrayLike, event: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Slope of a logistic regression of the event on the log odds predicted (Cox 1958); 1 is best.

    Below 1 the predictions are too extreme, above 1 too timid.

    Parameters
    ----------
    probability : array of float, shape (n,)
        Predicted probability of the event.
    event : array of bool, shape (n,)
        Whether it happened.
    level : float
        Coverage of the two-sided interval (Wald's).

    Returns
    -------
    Estimate
        Not estimable where a probability is exactly 0 or 1, where all predictions are equal, where all cases or none
        have the event, or where the prediction separates them completely.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    return _recalibrated(probability, event, free_slope=True, level=level)


def calibration_intercept(probability: ArrayLike, event: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Calibration in the large: the intercept of the same regression with its slope held at 1; 0 is best.

    Above 0 the event happens more often than predicted (Van Calster 2019).

    Parameters
    ----------
    probability : array of float, shape (n,)
        Predicted probability of the event.
    event : array of bool, shape (n,)
        Whether it happened.
    level : float
        Coverage of the two-sided interval (Wald's).

    Returns
    -------
    Estimate
        In log odds. Not estimable where a probability is exactly 0 or 1, or where all cases or none have the event.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    return _recalibrated(probability, event, free_slope=False, level=level)


def observed_expected(probability: ArrayLike, event: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Events that happened over the sum of the predicted probabilities; 1 is best.

    Parameters
    ----------
    probability : array of float, shape (n,)
        Predicted probability of the event.
    event : array of bool, shape (n,)
        Whether it happened.
    level : float
        Coverage of the two-sided interval: Clopper and Pearson's of the observed fraction, over the mean prediction,
        which is taken as it is.

    Returns
    -------
    Estimate
        0 or more. Not estimable where no event is expected.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    predicted, happened = _checked(probability, event)
    n = len(predicted)
    if reason := _fault(predicted) or ("" if predicted.any() else "no event is expected"):
        return not_estimable(level, n, reason)
    mean = float(predicted.mean())
    observed = clopper_pearson(int(happened.sum()), n, level=level)
    return Estimate(
        observed.value / mean,
        observed.low / mean,
        observed.high / mean,
        level,
        "Clopper-Pearson over expected",
        n,
    )


def calibration_bins(
    probability: ArrayLike, event: ArrayLike, *, bins: int = 10, level: float = 0.95
) -> tuple[CalibrationBin, ...]:
    """Cases in groups of about equal size by their predicted probability, for a plot.

    Parameters
    ----------
    probability : array of float, shape (n,)
        Predicted probability of the event.
    event : array of bool, shape (n,)
        Whether it happened.
    bins : int
        How many groups at most; equal probabilities stay together, so there may be fewer.
    level : float
        Coverage of the intervals.

    Returns
    -------
    tuple of CalibrationBin
        By rising probability; empty without cases.

    Raises
    ------
    ValueError
        If lengths differ, a value is no probability, or no bin is asked for.
    """
    predicted, happened = _checked(probability, event)
    found = []
    for which in equal_groups(predicted, bins):
        chosen = predicted[which]
        observed = wilson(int(happened[which].sum()), len(chosen), level=level)
        found.append(CalibrationBin(float(chosen.mean()), observed, float(chosen.min()), float(chosen.max())))
    return tuple(found)


def equal_groups(predicted: Numbers, bins: int) -> tuple[NDArray[np.bool_], ...]:
    """Which cases are in each of about equally large groups of similar probability; equal ones stay together.

    Raises
    ------
    ValueError
        If a value is no probability or no group is asked for.
    """
    if bins < 1:
        raise ValueError(f"{bins} bins")
    if not len(predicted):
        return ()
    if fault := _fault(predicted):
        raise ValueError(fault)
    quantiles: Numbers = np.quantile(predicted, np.arange(1, bins) / bins, method="lower")
    group = np.searchsorted(np.unique(quantiles), predicted, side="left")
    return tuple(group == number for number in np.unique(group))


def all_equal(predicted: Numbers) -> bool:
    """Whether predictions differ by no more than rounding."""
    return float(np.ptp(predicted)) <= _ROUNDING * float(np.abs(predicted).max())


def _recalibrated(probability: ArrayLike, event: ArrayLike, *, free_slope: bool, level: float) -> Estimate:
    """The slope of a logistic regression on the log odds, or its intercept if the slope is held at 1."""
    predicted, happened = _checked(probability, event)
    n = len(predicted)
    reason = _fault(predicted)
    if not reason and (certain := int(((predicted == 0) | (predicted == 1)).sum())):
        reason = f"{certain} probabilities are exactly 0 or 1"
    if not reason and happened.min() == happened.max():
        reason = "all cases have the event" if happened[0] else "no case has the event"
    if not reason and free_slope and all_equal(predicted):
        reason = "all predictions are equal"
    if reason:
        return not_estimable(level, n, reason)
    log_odds = np.log(predicted / (1 - predicted))
    scale = float(log_odds.std()) if free_slope else 1.0
    design = np.ones((n, 1))
    if free_slope:
        design = np.column_stack([design, (log_odds - log_odds.mean()) / scale])
    fitted = logistic_fit(design, happened, 0.0 if free_slope else log_odds)
    if fitted is None:
        reason = "the predictions separate the events from the rest completely"
        return not_estimable(level, n, reason)
    value, error = float(fitted[0][-1]) / scale, math.sqrt(fitted[1][-1, -1]) / scale
    half = deviate(level) * error
    return Estimate(value, value - half, value + half, level, "logistic recalibration, Wald", n)


def logistic_fit(
    design: Numbers, happened: Numbers, offset: Numbers | float
) -> tuple[Numbers, Numbers] | None:
    """Maximum likelihood of a logistic regression by Newton's steps.

    Parameters
    ----------
    design : ndarray of float, shape (n, k)
        Of full rank.
    happened : ndarray of float, shape (n,)
        1 where the event happened, else 0.
    offset : ndarray of float, shape (n,), or float
        Added to the linear predictor with a coefficient of 1.

    Returns
    -------
    tuple of ndarray or None
        Coefficients (k,) and their covariance (k, k); None where the likelihood has no maximum.
    """
    coefficients: Numbers = np.zeros(design.shape[1])
    for _ in range(_MOST_STEPS):
        mean = 1 / (1 + np.exp(-np.clip(design @ coefficients + offset, -700, 700)))
        information = (design * (mean * (1 - mean))[:, None]).T @ design
        if np.linalg.matrix_rank(information, tol=_CONVERGED, hermitian=True) < len(coefficients):
            return None
        step = np.linalg.solve(information, design.T @ (happened - mean))
        before = _log_likelihood(design @ coefficients + offset, happened)
        while _log_likelihood(design @ (coefficients + step) + offset, happened) < before - _CONVERGED:
            step = step / 2
        coefficients = coefficients + step
        if np.abs(step).max() < _CONVERGED * max(1.0, np.abs(coefficients).max()):
            return coefficients, np.linalg.inv(information).astype(np.float64)
    return None


def _log_likelihood(log_odds: Numbers, happened: Numbers) -> float:
    return -float(np.logaddexp(0.0, (1 - 2 * happened) * log_odds).sum())


def _mean(value: float, terms: Numbers, level: float, ends: tuple[float, float]) -> Estimate:
    """The value with Student's interval of a mean of as many terms, cut off at the ends."""
    from scipy.special import stdtrit

    n = len(terms)
    error = float(terms.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
    if error <= _ROUNDING:
        return without_interval(value, level=level, n=n, reason="there is no spread between cases")
    half = float(stdtrit(n - 1, 1 - tail(level))) * error
    return Estimate(value, max(ends[0], value - half), min(ends[1], value + half), level, "Student's t", n)


def _checked(probability: ArrayLike, event: ArrayLike) -> tuple[Numbers, Numbers]:
    predicted, happened = np.asarray(probability, float), np.asarray(event, bool)
    if predicted.shape != happened.shape or predicted.ndim != 1:
        raise ValueError(f"shapes {predicted.shape} of probabilities and {happened.shape} of events")
    return predicted, happened.astype(float)


def _fault(predicted: Numbers) -> str:
    if not len(predicted):
        return "there is no case"
    odd = len(predicted) - int(((predicted >= 0) & (predicted <= 1)).sum())
    return f"{odd} values are not probabilities" if odd else ""
