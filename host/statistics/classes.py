"""How well classes are told: sensitivity and its kin with their intervals, and weighted kappa.

One case per subject: for several, take the interval from `bootstrap.cluster_bootstrap`.
"""

import math
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.proportions import INTERVALS, ProportionMethod
from host.statistics.samples import deviate, not_estimable

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]
KappaWeights = Literal["none", "linear", "quadratic"]

_ROUNDING: Final = 1e-12


def sensitivity(
    predicted: ArrayLike, reference: ArrayLike, *, level: float = 0.95, interval: ProportionMethod = "wilson"
) -> Estimate:
    """Fraction of the positive cases that are called positive (recall).

    Parameters
    ----------
    predicted, reference : array of bool, shape (n,)
        Whether each case is called positive, and is.
    level : float
        Coverage of the two-sided interval.
    interval : {"wilson", "clopper_pearson"}
        How the interval is made.

    Returns
    -------
    Estimate
        0 to 1; its n counts the positive cases. Not estimable without one.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    called, positive = _flags(predicted, reference)
    return _fraction(called, positive, "positive case", level, interval)


def specificity(
    predicted: ArrayLike, reference: ArrayLike, *, level: float = 0.95, interval: ProportionMethod = "wilson"
) -> Estimate:
    """Fraction of the negative cases that are called negative.

    Parameters
    ----------
    predicted, reference : array of bool, shape (n,)
        Whether each case is called positive, and is.
    level : float
        Coverage of the two-sided interval.
    interval : {"wilson", "clopper_pearson"}
        How the interval is made.

    Returns
    -------
    Estimate
        0 to 1; its n counts the negative cases. Not estimable without one.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    called, positive = _flags(predicted, reference)
    return _fraction(~called, ~positive, "negative case", level, interval)


def positive_predictive_value(
    predicted: ArrayLike, reference: ArrayLike, *, level: float = 0.95, interval: ProportionMethod = "wilson"
) -> Estimate:
    """Fraction of the cases called positive that are (precision); it holds for the kit's share of positive cases.

    Parameters
    ----------
    predicted, reference : array of bool, shape (n,)
        Whether each case is called positive, and is.
    level : float
        Coverage of the two-sided interval.
    interval : {"wilson", "clopper_pearson"}
        How the interval is made.

    Returns
    -------
    Estimate
        0 to 1; its n counts the cases called positive. Not estimable without one.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    called, positive = _flags(predicted, reference)
    return _fraction(positive, called, "case called positive", level, interval)


def negative_predictive_value(
    predicted: ArrayLike, reference: ArrayLike, *, level: float = 0.95, interval: ProportionMethod = "wilson"
) -> Estimate:
    """Fraction of the cases called negative that are; it holds for the kit's share of positive cases.

    Parameters
    ----------
    predicted, reference : array of bool, shape (n,)
        Whether each case is called positive, and is.
    level : float
        Coverage of the two-sided interval.
    interval : {"wilson", "clopper_pearson"}
        How the interval is made.

    Returns
    -------
    Estimate
        0 to 1; its n counts the cases called negative. Not estimable without one.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    called, positive = _flags(predicted, reference)
    return _fraction(~positive, ~called, "case called negative", level, interval)


def accuracy(
    predicted: ArrayLike, reference: ArrayLike, *, level: float = 0.95, interval: ProportionMethod = "wilson"
) -> Estimate:
    """Fraction of the cases given their own class, whatever the classes.

    Parameters
    ----------
    predicted, reference : array of int or bool, shape (n,)
        The class of each case.
    level : float
        Coverage of the two-sided interval.
    interval : {"wilson", "clopper_pearson"}
        How the interval is made.

    Returns
    -------
    Estimate
        0 to 1. Not estimable without cases.

    Raises
    ------
    ValueError
        If lengths differ.
    """
    first, second = _classes(predicted, reference)
    return _fraction(first == second, np.ones(len(first), bool), "case", level, interval)


def confusion(predicted: ArrayLike, reference: ArrayLike, *, classes: int) -> Counts:
    """How often each class is called what.

    Parameters
    ----------
    predicted, reference : array of int, shape (n,)
        Class of each case, 0 to classes - 1.
    classes : int
        How many there are, seen or not.

    Returns
    -------
    ndarray of int, shape (classes, classes)
        Rows are the reference standard, columns the prediction.

    Raises
    ------
    ValueError
        If lengths differ or a class is not one of them.
    """
    called, real = _classes(predicted, reference)
    every = np.concatenate([called, real])
    if ((every < 0) | (every >= classes)).any():
        raise ValueError(f"a class is not among 0 to {classes - 1}")
    table: Counts = np.bincount(real * classes + called, minlength=classes * classes)
    return table.reshape(classes, classes)


def weighted_kappa(
    predicted: ArrayLike,
    reference: ArrayLike,
    *,
    classes: int,
    weights: KappaWeights | ArrayLike = "none",
    level: float = 0.95,
) -> Estimate:
    """Agreement on classes beyond chance (Cohen 1960, 1968), with the interval of Fleiss, Cohen and Everitt (1969).

    Parameters
    ----------
    predicted, reference : array of int, shape (n,)
        Class of each case, 0 to classes - 1, in their order.
    classes : int
        How many there are, seen or not.
    weights : {"none", "linear", "quadratic"} or array of float, shape (classes, classes)
        What a disagreement weighs: all alike, by the distance between the classes, by its square, or as declared (zero
        on the diagonal, rows the reference standard).
    level : float
        Coverage of the two-sided interval, from Fleiss, Cohen and Everitt (1969), equation 13, cut off at -1 and 1.

    Returns
    -------
    Estimate
        At most 1. Not estimable where chance alone would agree: without cases, or when all are of one class for both.
        No interval where all cases agree.

    Raises
    ------
    ValueError
        If lengths differ, a class is not one of them, or the weights do not fit.
    """
    table = confusion(predicted, reference, classes=classes)
    n = int(table.sum())
    disagreement = _disagreement(weights, classes)
    shares = table / n if n else table.astype(float)
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = float((disagreement * shares).sum()), float(rows @ disagreement @ columns)
    if not expected:
        reason = "there is no case" if not n else "chance alone would agree on every case"
        return not_estimable(level, n, reason)
    kappa = 1 - observed / expected
    # Each case's pull on kappa, to first order; the variance is that of a mean of n of them.
    chance = (disagreement @ columns)[:, None] + rows @ disagreement
    pull = (observed * chance - expected * disagreement) / expected**2
    variance = float((shares * pull**2).sum() - (shares * pull).sum() ** 2) / n
    if variance <= _ROUNDING:
        reason = "all cases agree" if not observed else "the asymptotic variance is zero"
        return without_interval(kappa, level=level, n=n, reason=reason)
    half = deviate(level) * math.sqrt(variance)
    return Estimate(
        kappa, max(-1.0, kappa - half), min(1.0, kappa + half), level, "Fleiss, Cohen and Everitt (1969)", n
    )


def _disagreement(weights: KappaWeights | ArrayLike, classes: int) -> Numbers:
    distance = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes))).astype(float)
    if isinstance(weights, str):
        return {"none": (distance > 0).astype(float), "linear": distance, "quadratic": distance**2}[weights]
    declared = np.asarray(weights, float)
    if declared.shape != (classes, classes) or declared.diagonal().any() or (declared < 0).any():
        raise ValueError(f"weights must be ({classes}, {classes}), not negative, and zero on the diagonal")
    return declared


def _fraction(among: Flags, which: Flags, what: str, level: float, interval: ProportionMethod) -> Estimate:
    n = int(np.count_nonzero(which))
    if not n:
        return not_estimable(level, 0, f"there is no {what}")
    return INTERVALS[interval](int(np.count_nonzero(among & which)), n, level=level)


def _flags(predicted: ArrayLike, reference: ArrayLike) -> tuple[Flags, Flags]:
    called, positive = np.asarray(predicted, bool), np.asarray(reference, bool)
    _check_lengths(called.shape, positive.shape)
    return called, positive


def _classes(predicted: ArrayLike, reference: ArrayLike) -> tuple[Counts, Counts]:
    called, real = np.asarray(predicted, np.int64), np.asarray(reference, np.int64)
    _check_lengths(called.shape, real.shape)
    return called, real


def _check_lengths(predicted: tuple[int, ...], reference: tuple[int, ...]) -> None:
    if predicted != reference or len(predicted) != 1:
        raise ValueError(f"shapes {predicted} predicted and {reference} in the reference standard")
