"""Survival tables of patients that scikit-survival's wheel holds, as plain arrays."""

from typing import NamedTuple

import numpy as np
from sksurv.datasets import load_gbsg2, load_veterans_lung_cancer
from sksurv.util import Surv


class Table(NamedTuple):
    """Two covariates and the follow-up of each patient."""

    score: np.ndarray
    baseline: np.ndarray
    time: np.ndarray
    event: np.ndarray

    @property
    def outcome(self):
        """As scikit-survival wants it."""
        return Surv.from_arrays(self.event, self.time)


def veterans():
    """137 men with lung cancer (Kalbfleisch and Prentice 1980): a low Karnofsky score and age as risks, days."""
    table, outcome = load_veterans_lung_cancer()
    karnofsky, age = (table[name].to_numpy(float) for name in ("Karnofsky_score", "Age_in_years"))
    return Table(-karnofsky, -age, outcome["Survival_in_days"].copy(), outcome["Status"].copy())


def breast_cancer():
    """686 women of the German Breast Cancer Study Group 2 (Schumacher 1994): positive nodes and age as risks, days.

    Censorings lie half a day later than recorded. That is what censoring after an event on the same day means, and
    takes away the ties for which packages have different rules.
    """
    table, outcome = load_gbsg2()
    nodes, age = (table[name].to_numpy(float) for name in ("pnodes", "age"))
    event = outcome["cens"].copy()
    return Table(nodes, age, outcome["time"] + np.where(event, 0.0, 0.5), event)
