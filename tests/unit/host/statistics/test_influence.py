"""Intervals from pulls on statistics whose variance is known."""

import math

import numpy as np
import pytest

from host.statistics.influence import cluster_count, from_pulls, standard_error

VALUES = np.random.RandomState(1).normal(3.0, 2.0, 40)
PULLS = (VALUES - VALUES.mean()) / 40


def test_the_pulls_on_a_mean_give_its_standard_error_with_divisor_n():
    found = from_pulls(float(VALUES.mean()), PULLS, clusters=None, level=0.9)
    assert standard_error(PULLS, None) == pytest.approx(VALUES.std() / math.sqrt(40))
    assert (found.high - found.low) / 2 == pytest.approx(1.6448536269514722 * VALUES.std() / math.sqrt(40))
    assert (found.n, found.method) == (40, "infinitesimal jackknife")


def test_copies_of_a_subject_add_no_evidence():
    copies, subjects = np.repeat(PULLS / 3, 3), [f"s{number}" for number in range(40) for _ in range(3)]
    assert standard_error(copies, subjects) == pytest.approx(standard_error(PULLS, None))
    assert from_pulls(3.0, copies, clusters=subjects, level=0.95).n == 40


def test_an_interval_is_cut_off_where_the_statistic_ends():
    found = from_pulls(0.99, PULLS, clusters=None, level=0.95, ends=(0.0, 1.0))
    assert found.high == 1.0
    assert found.low < 0.99


def test_a_single_subject_and_pulls_of_nothing_give_no_interval():
    assert from_pulls(1.0, PULLS, clusters=["s"] * 40, level=0.95).reason == "there is a single subject"
    found = from_pulls(1.0, np.zeros(40), clusters=None, level=0.95)
    assert found.value == 1.0
    assert found.reason == "no case pulls the estimate: its variance is zero"


def test_there_is_one_cluster_per_case():
    assert cluster_count(None, 7) == 7
    with pytest.raises(ValueError, match="3 cases but 2 clusters"):
        cluster_count(["a", "b"], 3)
