"""Fractions and rates of counts that come in clusters, such as the lesions of a subject.

The cluster's counts say how much less evidence there is than in as many independent ones (the design effect); the
interval is that of so many fewer independent counts (Rao and Scott 1992, 1999).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from host.statistics.estimate import Estimate, without_interval
from host.statistics.influence import Clusters, cluster_totals
from host.statistics.proportions import wilson_interval
from host.statistics.samples import deviate, not_estimable, tail

Numbers = NDArray[np.float64]


def clustered_proportion(
    successes: ArrayLike, trials: ArrayLike, *, clusters: Clusters = None, level: float = 0.95
) -> Estimate:
    """All successes over all trials, with Wilson's interval of the effective counts (Rao and Scott 1992).

    Parameters
    ----------
    successes, trials : array of float, shape (n,)
        Counts of each case, 0 <= successes <= trials.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval.

    Returns
    -------
    Estimate
        0 to 1; its n counts the clusters with a trial. Where all trials succeed or none, the design effect cannot be
        estimated and the greatest possible one is taken: a cluster's trials are one. Not estimable without trials; no
        interval with a single cluster.

    Raises
    ------
    ValueError
        If lengths differ or the counts are not those of trials.
    """
    good, tried = _by_cluster(successes, trials, clusters)
    if (good > tried).any():
        raise ValueError("more successes than trials")
    total = float(tried.sum())
    if not total:
        return not_estimable(level, 0, "there is no trial")
    value = float(good.sum()) / total
    if len(tried) < 2:
        return without_interval(value, level=level, n=1, reason="there is a single subject")
    effect, said = _design_effect(good - value * tried, tried, value * (1 - value))
    low, high = wilson_interval(value, total / effect, deviate(level))
    return Estimate(value, low, high, level, f"Wilson of the effective sample, {said}", len(tried))


def clustered_rate(
    events: ArrayLike, exposure: ArrayLike, *, clusters: Clusters = None, level: float = 0.95
) -> Estimate:
    """All events over all exposure, with Poisson's exact interval of the effective counts (Rao and Scott 1999).

    Parameters
    ----------
    events, exposure : array of float, shape (n,)
        Count of each case, and what it is counted over: 1 for a rate per case.
    clusters : sequence, optional
        The subject of each case, if there are several cases of one.
    level : float
        Coverage of the two-sided interval (Garwood 1936).

    Returns
    -------
    Estimate
        0 or more; its n counts the clusters. Without any event the design effect cannot be estimated and the greatest
        possible one is taken: a cluster's exposure is that of one. Not estimable without exposure; no interval with a
        single cluster.

    Raises
    ------
    ValueError
        If lengths differ or a count is negative.
    """
    from scipy.special import gammaincinv

    count, exposed = _by_cluster(events, exposure, clusters)
    total = float(exposed.sum())
    if not total:
        return not_estimable(level, 0, "there is no case")
    value = float(count.sum()) / total
    if len(exposed) < 2:
        return without_interval(value, level=level, n=1, reason="there is a single subject")
    effect, said = _design_effect(count - value * exposed, exposed, value)
    effective = float(count.sum()) / effect
    low = float(gammaincinv(effective, tail(level))) if effective else 0.0
    high = float(gammaincinv(effective + 1, 1 - tail(level)))
    scale = effect / total
    return Estimate(
        value, low * scale, high * scale, level, f"Poisson of the effective sample, {said}", len(exposed)
    )


def _by_cluster(counts: ArrayLike, sizes: ArrayLike, clusters: Clusters) -> tuple[Numbers, Numbers]:
    """Totals of the clusters in which there is anything to count over."""
    count, size = np.asarray(counts, float), np.asarray(sizes, float)
    if count.shape != size.shape or count.ndim != 1:
        raise ValueError(f"shapes {count.shape} and {size.shape} of counts")
    if not ((count >= 0) & (size >= 0)).all():
        raise ValueError("a count is negative or missing")
    total, over = cluster_totals(count, clusters), cluster_totals(size, clusters)
    return total[over > 0], over[over > 0]


def _design_effect(residual: Numbers, size: Numbers, independent: float) -> tuple[float, str]:
    """Variance of the ratio over that of independent counts, at least 1, and how to say so."""
    k, total = len(size), float(size.sum())
    if not independent:
        greatest = float((size**2).sum()) / total
        return greatest, f"design effect at most {greatest:.3g}"
    effect = k / (k - 1) * float((residual**2).sum()) / (total * independent)
    return max(1.0, effect), f"design effect {max(1.0, effect):.3g}"
