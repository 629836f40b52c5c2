"""Several claims from one sample: how strict each must be so that a false one is rare among them all.

Where every criterion must pass (or every stratum), no correction is due: the chance to pass them all falsely is below
that of any one (intersection-union test, Berger 1982). Where each criterion may be claimed on its own, Holm's procedure
applies.
"""

import math
from collections.abc import Callable, Sequence


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p-values that keep the family-wise error (Holm 1979); reject those at or below alpha.

    Parameters
    ----------
    p_values : sequence of float
        One per claim. NaN, a test that could not be made, stays in the family and is never rejected.

    Returns
    -------
    tuple of float
        In the order given; NaN where that p-value is NaN; empty for none.

    Raises
    ------
    ValueError
        When a p-value lies outside 0 to 1.
    """
    if any(p < 0.0 or p > 1.0 for p in p_values):
        raise ValueError("p-values lie between 0 and 1")
    adjusted, largest = [math.nan] * len(p_values), 0.0
    known = sorted((p, index) for index, p in enumerate(p_values) if not math.isnan(p))
    for rank, (p, index) in enumerate(known):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p))
        adjusted[index] = largest
    return tuple(adjusted)


def holm_by_intervals(claims: Sequence[Callable[[float], bool]], *, alpha: float) -> tuple[float | None, ...]:
    """Holm's procedure for claims that are made by an interval, not by a p-value.

    The claims that hold at alpha / m are made, the others are tried again at alpha / (number left), until none is made:
    the same decisions as `holm` on the p-values.

    Parameters
    ----------
    claims : sequence of callables
        Each says whether its claim holds at an error probability; a claim that holds at one holds at any larger one.
    alpha : float
        Of the whole family.

    Returns
    -------
    tuple of float or None
        Per claim the error probability at which it was made, or None where it was not.
    """
    made: list[float | None] = [None] * len(claims)
    left = list(range(len(claims)))
    while left:
        each = alpha / len(left)
        holding = [index for index in left if claims[index](each)]
        if not holding:
            break
        for index in holding:
            made[index] = each
        left = [index for index in left if made[index] is None]
    return tuple(made)
