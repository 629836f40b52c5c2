"""Plans that make no sense, or that a failed case could profit from, are refused in one line."""

from typing import Any

import pytest
from pydantic import ValidationError

from plugin_spec.model import first_fault
from tests.support.plans import make_criterion, make_metric, make_plan


def refusal(*args: Any, **fields: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        make_plan(*args, **fields)
    told = first_fault(refused.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("statistic", "metric", "changes", "told"),
    [
        ("average", "masks", {}, "criterion c: no statistic 'average'; there are: every_case, mean, "),
        ("mean", "masks", {"judged": None}, "judged: say what of mean is judged"),
        ("mean", "masks", {"comparator": "<="}, "ci_low is judged by >=, not by <="),
        ("mean", "masks", {"judged": "ci_high"}, "ci_high is judged by <=, not by >="),
        ("mean", "masks", {"judged": "interval"}, "interval is judged by abs<= or within, not by >="),
        ("mean", "masks", {"comparator": "within"}, "bound_high: stands with comparator 'within'"),
        ("mean", "masks", {"bound_high": 0.9}, "bound_high: stands with comparator 'within'"),
        (
            "mean",
            "masks",
            {"judged": "interval", "comparator": "within", "bound_high": 0.7},
            "bound_high: 0.7 must be above the bound 0.8",
        ),
        ("mean", "masks", {"min_subjects": None}, "min_subjects: say on how many independent subjects"),
        ("mean", "masks", {"judged": "estimate", "level": 0.9}, "level: no interval is judged; leave it out"),
        ("mean", "masks", {"judged": "estimate", "method": "t"}, "method: no interval is judged; leave it out"),
        ("mean", "masks", {"level": 0.5}, "level"),
        ("mean", "masks", {"sides": 3}, "sides"),
        ("mean", "masks", {"method": "wilson"}, "mean has no 'wilson'; it has: t, bca, percentile"),
        ("mean", "masks", {"options": {"tau": 3}}, "options: mean has no 'tau'; it has: none"),
        ("every_case", "masks", {"judged": "estimate"}, "judged: every_case judges each value; leave it out"),
        ("every_case", "survival", {}, "a survival metric has no value per case; name a statistic"),
        ("mean", "survival", {}, "mean needs a value per case, which a survival metric has not"),
        ("sensitivity", "masks", {}, "sensitivity is a statistic of classes, and masks is of masks"),
        ("bias", "classes", {}, "bias is a statistic of numbers, and classes is of classes"),
        ("sensitivity", "classes", {"bound": 1.2}, "sensitivity cannot be there; it lies between 0 and 1"),
        ("sensitivity", "classes", {"bound": 0.0}, "sensitivity can be nothing else"),
        ("rate", "masks", {}, "rate is a statistic of outcome and sameness"),
        ("rdc", "numbers", {"judged": "ci_high", "comparator": "<="}, "rdc needs condition"),
    ],
)  # fmt: skip
def test_a_criterion_that_makes_no_sense_is_refused(
    statistic: str, metric: str, changes: dict[str, Any], told: str
) -> None:
    criterion = {k: v for k, v in make_criterion(statistic, metric, **changes).items() if v is not None}
    assert told in refusal([criterion])


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("masks", {"failed_case_counts_as": "wrong"}, "a masks metric takes a number or: adverse"),
        ("masks", {"failed_case_counts_as": "adverse"}, "adverse_by: stands with failed_case_counts_as"),
        ("masks", {"adverse_by": 3.0}, "adverse_by: stands with failed_case_counts_as"),
        ("masks", {"failed_case_counts_as": "image_diagonal"}, "an image diagonal is in mm, the metric in 1"),
        (
            "masks",
            {"positive": "high"},
            "a masks metric takes exactly: function, label, port, reference_value",
        ),
        ("lesions", {"failed_case_counts_as": "not met"}, "failed_false_positives: stands with"),
        ("numbers", {"function": None}, "adverse is relative to a reference; name a function"),
        ("classes", {"classes": ["low", "low"]}, "classes: each may stand once"),
        ("classes", {"positive": "middle"}, "positive: 'middle' is none of the classes"),
        ("classes", {"classes": ["low"]}, "classes"),
        ("survival", {"higher_score_means": None}, "a survival metric takes exactly"),
        ("outcome", {"failed_case_counts_as": "not met"}, "an outcome metric takes a number or: no word"),
    ],
)
def test_a_metric_that_makes_no_sense_is_refused(kind: str, changes: dict[str, Any], told: str) -> None:
    metric = {k: v for k, v in make_metric(kind, **changes).items() if v is not None}
    criterion = make_criterion("every_case", kind)
    assert told in refusal([criterion], metrics=[metric])


def test_a_metric_needs_what_its_statistic_reads() -> None:
    unnamed = {k: v for k, v in make_metric("classes").items() if k != "positive"}
    told = refusal([make_criterion("auc", "classes")], metrics=[unnamed])
    assert told == "criterion c: auc needs positive of metric classes"
    alone = make_metric("numbers", failed_case_counts_as="not met")
    alone = {k: v for k, v in alone.items() if k not in {"function", "adverse_by"}}
    told = refusal([make_criterion("ccc", "numbers")], metrics=[alone])
    assert "ccc needs a reference, and numbers names no function that compares with one" in told
    make_plan(
        [make_criterion("wcv", "numbers", judged="ci_high", comparator="<=", bound=0.1)], metrics=[alone]
    )


@pytest.mark.parametrize(
    ("metric", "criterion", "told"),
    [
        (
            make_metric("masks", failed_case_counts_as=0.9),
            make_criterion("mean", "masks"),
            "criterion c: a failed case would satisfy it, as 0.9 does",
        ),
        (
            make_metric("masks", failed_case_counts_as="complete_case"),
            make_criterion("mean", "masks"),
            "masks leaves failed cases out, and no criterion on an outcome metric bounds how many those are",
        ),
        (
            make_metric("masks", function="hd95_mm", unit="mm", failed_case_counts_as="image_diagonal"),
            make_criterion("mean", "masks"),
            "a failed case, which counts as the largest distance, would help",
        ),
        (
            make_metric("numbers", adverse_by=1.0),
            make_criterion("every_case", "numbers", comparator="abs<=", bound=2.0),
            "a failed case would satisfy it, as 1 does either way; raise adverse_by",
        ),
        (
            {**make_metric("numbers", failed_case_counts_as=9.0), "adverse_by": None},
            make_criterion("bias", "numbers", judged="ci_high", comparator="<=", bound=2.0),
            "bias cannot be computed from a case that counts as 9",
        ),
        (
            make_metric("numbers", adverse_by=1.0),
            make_criterion("bias", "numbers", judged="interval", comparator="within", bound=-2.0, bound_high=2.0),
            "a failed case would satisfy it, as 1 does either way; raise adverse_by",
        ),
        (
            make_metric("numbers", adverse_by=1.0),
            make_criterion("loa_high", "numbers", judged="ci_high", comparator="<=", bound=2.0),
            "a failed case would satisfy it, as 1 does either way; raise adverse_by",
        ),
        (
            make_metric("numbers"),
            make_criterion("ccc", "numbers"),
            "ccc cannot be held against adverse_by of numbers, and no criterion on an outcome metric bounds",
        ),
        (
            make_metric("numbers", function="relative_difference_percent", unit="%"),
            make_criterion("bias", "numbers", judged="interval", comparator="within", bound=-2.0, bound_high=2.0),
            "bias cannot be held against adverse_by of numbers",
        ),
    ],
)  # fmt: skip
def test_a_plan_under_which_a_failed_case_would_help_is_refused(
    metric: dict[str, Any], criterion: dict[str, Any], told: str
) -> None:
    given = {name: value for name, value in metric.items() if value is not None}
    assert told in refusal([criterion], metrics=[given])


NOISE = {
    "id": "noise", "kind": "noise", "level": 5.0, "unit": "%", "inputs": ["t1"], "seed": 1,
    "distribution": "rician", "reference_percentile": 99.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "outcome", "is_bounded"),
    [
        ("overall", {}, True),
        ("site=a", {}, True),
        ("overall", {"scope": "each:site"}, True),
        ("site=a", {"scope": "site=a"}, True),
        ("overall", {"scope": "site=a"}, False),
        ("site=a", {"scope": "site=b"}, False),
        ("overall", {"scope": "each:perturbation"}, False),
        ("overall", {"comparator": "<=", "bound": 0.5, "judged": "ci_high"}, False),
    ],
)
def test_failures_that_are_left_out_are_bounded_among_the_very_cases_that_are_judged(
    scope: str, outcome: dict[str, Any], is_bounded: bool
) -> None:
    metrics = [
        make_metric("masks", failed_case_counts_as="complete_case"),
        make_metric("outcome", failed_case_counts_as=1.0 if "comparator" in outcome else 0.0),
    ]
    failures: dict[str, Any] = make_criterion("every_case", "outcome", id="failures", bound=1.0)
    if "judged" in outcome:
        failures = make_criterion("rate", "outcome", id="failures")
    criteria = [make_criterion("mean", "masks", scope=scope), {**failures, **outcome}]
    if is_bounded:
        make_plan(criteria, metrics=metrics, perturbations=[NOISE])
    else:
        told = refusal(criteria, metrics=metrics, perturbations=[NOISE])
        assert f"bounds how many those are in scope {scope}" in told


def test_an_interval_over_perturbed_copies_is_refused() -> None:
    told = refusal([make_criterion("mean", "masks", scope="each:perturbation")], perturbations=[NOISE])
    assert "perturbed copies are no patients, and get no interval" in told


@pytest.mark.parametrize(
    ("multiplicity", "changes", "told"),
    [
        ("all_strata_must_pass", {}, "no criterion has a scope each:STRATUM"),
        ("holm", {"level": 0.9}, "holm divides one error among criteria that judge intervals at one level"),
        ("holm", {"sides": 1}, "holm divides one error among criteria that judge intervals at one level"),
    ],
)
def test_a_correction_that_does_not_fit_its_criteria_is_refused(
    multiplicity: str, changes: dict[str, Any], told: str
) -> None:
    criteria = [make_criterion("mean", "masks"), make_criterion("mean", "masks", id="d", **changes)]
    assert told in refusal(criteria, multiplicity=multiplicity)


def test_the_strata_that_a_plan_needs_are_those_of_scopes_options_and_resampling() -> None:
    wide = make_criterion(
        "rdc",
        "numbers",
        judged="ci_high",
        comparator="<=",
        options={"condition": "scanner"},
        scope="each:site",
    )
    failures = make_criterion("every_case", "outcome", id="failures", bound=1.0)
    plan = make_plan([wide, failures], resample_within="vendor")
    assert plan.strata_of("numbers") == {"scanner", "site", "vendor"}
    assert make_plan([make_criterion("mean", "masks", scope="site=a")]).strata_of("masks") == {"site"}
