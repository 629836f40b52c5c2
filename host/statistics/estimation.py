"""A registered statistic of some cases: which cases it concerns, by which method its interval is made, and the result.

Where cases share subjects, only what resamples subjects, or was made for several cases each, gives an interval.
"""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from host.statistics.bootstrap import cluster_bootstrap
from host.statistics.cases import Cases
from host.statistics.estimate import Estimate, without_interval
from host.statistics.registration import BOOTSTRAPS, Asked, Options, StatisticRegistration


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How an interval is to be made.

    Attributes
    ----------
    level : float
        Coverage of the two-sided interval.
    method : str or None
        As declared; else the statistic's own where each subject has one case, and a bootstrap of subjects where not.
    seed, resamples : int
        Of a bootstrap.
    within : str or None
        Stratum within whose levels a bootstrap draws subjects.
    options : mapping
        As the statistic takes them.
    """

    level: float = 0.95
    method: str | None = None
    seed: int = 0
    resamples: int = 2000
    within: str | None = None
    options: Options = field(default_factory=dict)


def estimate(statistic: StatisticRegistration, cases: Cases, plan: Plan) -> Estimate:
    """Compute a registered statistic with its interval.

    Returns
    -------
    Estimate
        ``n`` counts the subjects of the cases that say anything on it. No interval, with the reason, where the method
        that was declared does not suit cases that share subjects.

    Raises
    ------
    ValueError
        A method or an option that the statistic does not have.
    """
    options = statistic.complete(plan.options)
    concerned = _concerned(statistic, cases)
    method = plan.method or default_method(statistic, concerned)
    if method not in statistic.offered:
        raise ValueError(f"{statistic.name} has no method {method!r}; it has: {', '.join(statistic.offered)}")
    if method in BOOTSTRAPS:
        return _resampled(statistic, concerned, plan, method)
    asked = Asked(level=plan.level, method=method, options=options)
    found = statistic.compute(concerned, asked)
    if _is_clustered(concerned) and method not in statistic.clustered_methods:
        n = concerned.n_subjects
        reason = f"{method} takes one case per subject, and {len(concerned)} cases come from {n} subjects"
        return without_interval(found.value, level=plan.level, n=n, reason=reason)
    return found


def point(statistic: StatisticRegistration, cases: Cases, options: Options) -> Estimate:
    """Compute a registered statistic without an interval; raises as `estimate` does."""
    concerned = _concerned(statistic, cases)
    value, reason = _value(
        statistic, concerned, Asked(level=0.95, method=_quick(statistic), options=statistic.complete(options))
    )
    return without_interval(value, level=0.95, n=concerned.n_subjects, reason=reason)


def default_method(statistic: StatisticRegistration, cases: Cases) -> str:
    """The statistic's first own method that suits the cases; a BCa bootstrap of subjects where there is none."""
    own = (
        statistic.clustered_methods
        if _is_clustered(cases)
        else (*statistic.methods, *statistic.clustered_methods)
    )
    return own[0] if own else BOOTSTRAPS[0]


def _concerned(statistic: StatisticRegistration, cases: Cases) -> Cases:
    return cases if statistic.concerns is None else cases.take(np.flatnonzero(statistic.concerns(cases)))


def _is_clustered(cases: Cases) -> bool:
    return cases.n_subjects < len(cases)


def _quick(statistic: StatisticRegistration) -> str:
    own = (*statistic.methods, *statistic.clustered_methods)
    return statistic.quick_method or (own[0] if own else "")


def _value(statistic: StatisticRegistration, cases: Cases, asked: Asked) -> tuple[float, str]:
    if not len(cases):
        return math.nan, "there is no case"
    found = statistic.compute(cases, asked)
    return found.value, found.reason if math.isnan(found.value) else ""


def _resampled(statistic: StatisticRegistration, cases: Cases, plan: Plan, method: Any) -> Estimate:
    """The statistic with an interval by resampling subjects with all their cases."""
    asked = Asked(level=plan.level, method=_quick(statistic), options=statistic.complete(plan.options))
    value, reason = _value(statistic, cases, asked)
    if reason:
        return without_interval(value, level=plan.level, n=cases.n_subjects, reason=reason)
    strata = [one.get(plan.within, "") for one in cases.strata] if plan.within else None
    value_of = statistic.resampled(cases, asked) if statistic.resampled is not None else None
    return cluster_bootstrap(
        value_of or (lambda indices: statistic.compute(cases.take(indices), asked).value),
        cases.subjects.tolist(),
        seed=plan.seed,
        strata=strata,
        resamples=plan.resamples,
        method=method,
        level=plan.level,
    )
