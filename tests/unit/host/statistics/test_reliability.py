"""The six intraclass correlations, against printed numbers."""

import math

import numpy as np
import pandas
import pingouin
import pytest

from host.statistics.published_samples import RATINGS
from host.statistics.reliability import FORMS, Form, icc


@pytest.mark.parametrize(
    ("form", "value"),
    [("1,1", 0.1657), ("2,1", 0.2898), ("3,1", 0.7148), ("1,k", 0.4428), ("2,k", 0.6201), ("3,k", 0.9093)],
)
def test_the_six_forms_are_those_of_shrout_and_fleiss(form: Form, value: float) -> None:
    assert icc(RATINGS, form=form).value == pytest.approx(value, abs=5e-5)


@pytest.mark.parametrize("form", ["1,1", "2,1", "3,1"])
def test_the_interval_covers_as_often_as_it_says(form: Form) -> None:
    random = np.random.RandomState(5)
    rater = 0.0 if form != "2,1" else 1.0
    true = 4.0 / (4.0 + rater**2 + 1.0)
    inside = []
    for _ in range(1000):
        table = (
            random.normal(0, 2, size=(30, 1))
            + rater * random.normal(size=(1, 12))
            + random.normal(size=(30, 12))
        )
        found = icc(table, form=form)
        inside.append(found.low <= true <= found.high)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.025)


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")
@pytest.mark.parametrize("noise", [0.5, 2.0, 8.0])
def test_the_six_forms_and_their_intervals_are_those_of_pingouin(noise: float) -> None:
    """Its intervals come rounded to two digits."""
    random = np.random.RandomState(17)
    table = (
        random.normal(20, 3, size=(14, 1))
        + random.normal(0, 1, size=(1, 3))
        + noise * random.normal(size=(14, 3))
    )
    cells = [(i, j, value) for i, row in enumerate(table) for j, value in enumerate(row)]
    frame = pandas.DataFrame(cells, columns=["subject", "rater", "value"])
    theirs = pingouin.intraclass_corr(frame, targets="subject", raters="rater", ratings="value")
    for form, wanted in zip(FORMS, theirs.itertuples(), strict=True):
        found = icc(table, form=form)
        assert found.value == pytest.approx(wanted.ICC, rel=1e-6, abs=1e-9)
        assert (found.low, found.high) == pytest.approx(tuple(wanted.CI95), abs=0.0051)


def test_consistency_ignores_a_rater_who_reads_higher_and_agreement_does_not() -> None:
    table = np.array(RATINGS, dtype=float)
    shifted = table + np.array([0.0, 5.0, 0.0, 0.0])
    assert icc(shifted, form="3,1").value == pytest.approx(icc(table, form="3,1").value)
    assert icc(shifted, form="2,1").value != pytest.approx(icc(table, form="2,1").value)


def test_perfect_agreement_has_no_interval() -> None:
    found = icc([(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)])
    assert found.value == pytest.approx(1.0)
    assert not found.has_interval


@pytest.mark.parametrize("form", FORMS)
def test_subjects_that_do_not_differ_give_no_reliability_above_0(form: Form) -> None:
    found = icc([(1.0, 2.0), (2.0, 1.0), (1.0, 2.0)], form=form)
    assert found.value < 0.0 if form.endswith("1") else "do not differ" in found.reason
    assert math.isnan(icc([(1.0, 1.0), (1.0, 1.0)], form=form).value)


def test_what_cannot_be_estimated_says_why() -> None:
    assert "at least 2" in icc([(1.0, 2.0)]).reason
    assert "one rater" in icc([(1.0,), (2.0,)]).reason
    assert "not finite" in icc([(1.0, math.nan), (2.0, 2.0)]).reason


def test_a_wrong_form_or_shape_is_a_programmers_error() -> None:
    with pytest.raises(ValueError, match="form is one of"):
        icc(RATINGS, form="4,1")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="table of subjects"):
        icc([1.0, 2.0])
