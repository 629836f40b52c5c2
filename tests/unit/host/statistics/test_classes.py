"""Class metrics against Cohen (1968) and scikit-learn, and what they do not answer."""

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, precision_score, recall_score

from host.statistics.classes import (
    accuracy,
    confusion,
    negative_predictive_value,
    positive_predictive_value,
    sensitivity,
    specificity,
    weighted_kappa,
)
from host.statistics.proportions import clopper_pearson, wilson
from tests.support.case_weights import standard_error

# Cohen (1968), table 1: 200 cases, judge B by judge A, and what he lets each disagreement weigh.
JUDGES = np.array([[88, 10, 2], [14, 40, 6], [18, 10, 12]])
COHEN = np.array([[0, 1, 3], [1, 0, 6], [3, 6, 0]])
SWAPPED = np.array([[0, 6, 3], [6, 0, 1], [3, 1, 0]])


def ratings(table):
    rows, columns = np.indices(table.shape)
    return np.repeat(columns.ravel(), table.ravel()), np.repeat(rows.ravel(), table.ravel())


# Values: Cohen (1968). Errors by Fleiss, Cohen and Everitt (1969): the R package DMAR, vignette "Weighted Kappa".
@pytest.mark.parametrize(
    ("weights", "kappa", "error", "tolerance"),
    [("none", 0.492, 0.051, 5e-4), (COHEN, 0.348, 0.0755, 5e-5), (SWAPPED, 0.574, 0.0553, 5e-5)],
)
def test_kappa_is_that_of_cohen_1968_with_the_error_of_1969(weights, kappa, error, tolerance):
    found = weighted_kappa(*ratings(JUDGES), classes=3, weights=weights)
    assert found.value == pytest.approx(kappa, abs=5e-4)
    assert standard_error(found) == pytest.approx(error, abs=tolerance)
    assert found.n == 200


@pytest.mark.parametrize(
    ("weights", "theirs"), [("none", None), ("linear", "linear"), ("quadratic", "quadratic")]
)
def test_kappa_is_that_of_scikit_learn(weights, theirs):
    random = np.random.RandomState(2)
    real = random.randint(0, 5, 150)
    called = np.clip(real + random.randint(-2, 2, 150), 0, 4)
    found = weighted_kappa(called, real, classes=5, weights=weights)
    assert found.value == pytest.approx(cohen_kappa_score(real, called, weights=theirs))


@pytest.mark.parametrize("weights", ["none", "linear", "quadratic"])
def test_the_error_of_kappa_is_equation_13_of_fleiss_cohen_and_everitt(weights):
    """Written out in agreement weights, as they print it."""
    shares, k = JUDGES / 200, 3
    distance = np.abs(np.subtract.outer(np.arange(k), np.arange(k)))
    agreement = {"none": distance == 0, "linear": 1 - distance / 2, "quadratic": 1 - distance**2 / 4}[weights]
    rows, columns = shares.sum(1), shares.sum(0)
    observed, expected = (agreement * shares).sum(), (agreement * np.outer(rows, columns)).sum()
    means = (agreement @ columns)[:, None] + (rows @ agreement)[None, :]
    inner = (shares * (agreement * (1 - expected) - means * (1 - observed)) ** 2).sum()
    variance = (inner - (observed * expected - 2 * expected + observed) ** 2) / (200 * (1 - expected) ** 4)
    found = weighted_kappa(*ratings(JUDGES), classes=3, weights=weights)
    assert found.value == pytest.approx((observed - expected) / (1 - expected))
    assert standard_error(found) == pytest.approx(math.sqrt(variance))


def test_quadratic_kappa_with_equal_margins_is_the_correlation():
    table = np.array([[40, 10, 10], [10, 60, 10], [10, 10, 40]])
    called, real = ratings(table)
    found = weighted_kappa(called, real, classes=3, weights="quadratic")
    assert found.value == pytest.approx(np.corrcoef(called, real)[0, 1])


def test_kappa_of_full_agreement_has_no_interval():
    found = weighted_kappa([0, 1, 2, 2], [0, 1, 2, 2], classes=3)
    assert found.value == 1.0
    assert found.reason == "all cases agree"


def test_kappa_without_chance_disagreement_is_not_estimable():
    found = weighted_kappa([1, 1], [1, 1], classes=3)
    assert math.isnan(found.value)
    assert found.reason == "chance alone would agree on every case"
    assert weighted_kappa([], [], classes=3).reason == "there is no case"


def test_kappa_that_cannot_vary_has_no_interval():
    found = weighted_kappa([0, 0, 0], [1, 1, 1], classes=2)
    assert found.value == 0.0
    assert found.reason == "the asymptotic variance is zero"


@pytest.mark.parametrize("weights", [np.ones((3, 3)), np.zeros((2, 2)), -COHEN])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(ValueError, match="zero on the diagonal"):
        weighted_kappa([0], [1], classes=3, weights=weights)


def test_counts_are_those_of_scikit_learn():
    called, real = ratings(JUDGES)
    np.testing.assert_array_equal(confusion(called, real, classes=3), confusion_matrix(real, called))
    np.testing.assert_array_equal(confusion(called, real, classes=3), JUDGES)


def test_a_class_that_nobody_declared_is_refused():
    with pytest.raises(ValueError, match="not among 0 to 1"):
        confusion([0, 2], [0, 1], classes=2)
    with pytest.raises(ValueError, match="not among 0 to 1"):
        confusion([0, 1], [-1, 1], classes=2)


def test_binary_fractions_are_those_of_scikit_learn_with_the_interval_of_their_counts():
    random = np.random.RandomState(4)
    real = random.rand(80) < 0.3
    called = np.where(random.rand(80) < 0.2, ~real, real)
    true, false = np.count_nonzero(called & real), np.count_nonzero(called & ~real)
    assert sensitivity(called, real) == wilson(int(true), int(real.sum()))
    assert sensitivity(called, real).value == recall_score(real, called)
    assert specificity(called, real).value == recall_score(~real, ~called)
    assert positive_predictive_value(called, real) == wilson(int(true), int(true + false))
    assert positive_predictive_value(called, real).value == precision_score(real, called)
    assert negative_predictive_value(called, real).value == precision_score(~real, ~called)
    assert accuracy(called, real).value == accuracy_score(real, called)
    exact = specificity(called, real, level=0.9, interval="clopper_pearson")
    assert exact == clopper_pearson(int(np.count_nonzero(~called & ~real)), int((~real).sum()), level=0.9)


def test_accuracy_counts_cases_given_their_own_class():
    called, real = ratings(JUDGES)
    assert accuracy(called, real) == wilson(140, 200)


@pytest.mark.parametrize(
    ("fraction", "what"),
    [
        (sensitivity, "positive case"),
        (specificity, "negative case"),
        (positive_predictive_value, "case called positive"),
        (negative_predictive_value, "case called negative"),
        (accuracy, "case"),
    ],
)
def test_a_fraction_of_nothing_is_not_estimable(fraction, what):
    found = fraction([], [])
    assert math.isnan(found.value)
    assert found.reason == f"there is no {what}"


def test_lengths_that_differ_are_refused():
    for call in (sensitivity, accuracy):
        with pytest.raises(ValueError, match="shapes"):
            call([1, 0], [1])
