"""One protocol for each capability, as a real validation would ask, and rows of simulated patients to judge by it.

The simulated patients are no evidence of anything: they have the shape of results, and differ as a seed says.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from tests.support.plans import make_criterion, make_metric, make_plan, make_row

Capability = str
SUBJECTS = 40
_LESIONS = {
    "connectivity": 26, "matching": "overlap_fraction", "threshold": 0.3, "assignment": "many_to_many",
    "minimum_mm3": 3.0,
}  # fmt: skip
_OUTCOME = make_criterion("rate", "outcome", id="failures", bound=0.85, min_subjects=20)


def _criterion(statistic: str, metric: str, bound: float, **changes: Any) -> dict[str, Any]:
    """A criterion called as its statistic, on twenty subjects at least."""
    return make_criterion(
        statistic, metric, **{"id": statistic, "bound": bound, "min_subjects": 20, **changes}
    )


def _below(statistic: str, metric: str, bound: float, **changes: Any) -> dict[str, Any]:
    return _criterion(statistic, metric, bound, judged="ci_high", comparator="<=", **changes)


def _within(statistic: str, metric: str, low: float, high: float, **changes: Any) -> dict[str, Any]:
    return _criterion(
        statistic, metric, low, judged="interval", comparator="within", bound_high=high, **changes
    )


def detection() -> Protocol:
    """Findings: sensitivity at a false-positive rate, lesion sensitivity and false positives in each vendor's scans."""
    return make_plan(
        [
            _criterion("lesion_sensitivity", "findings", 0.7, scope="each:vendor", min_subjects=10),
            _below("false_positives_per_case", "findings", 2.0, scope="each:vendor", min_subjects=10),
            _criterion("lesion_f1", "findings", 0.6),
            _criterion("sensitivity_at_fp", "findings", 0.6, options={"false_positives_per_case": 1.0}, method="bca"),
            make_criterion("rate", "outcome", id="failures", bound=0.85, min_subjects=20),
        ],
        metrics=[
            make_metric("findings", parameters={"nearness": "distance", "limit_mm": 5.0}),
            make_metric("outcome"),
        ],
        multiplicity="all_strata_must_pass",
        resamples=400,
    )  # fmt: skip


def segmentation() -> Protocol:
    """Overlap, distance, volume and lesions; the claims share one error by Holm's procedure."""
    return make_plan(
        [
            _criterion("mean", "dice", 0.8, id="overlap"),
            _criterion("p5", "dice", 0.6, id="worst_overlap", method="percentile"),
            _below("median", "hd95", 5.0, id="distance"),
            _within("bias", "volume", -2.0, 2.0, id="volume_bias"),
            _criterion("lesion_f1", "lesions", 0.6),
        ],
        metrics=[
            make_metric("masks", id="dice"),
            make_metric(
                "masks", id="hd95", function="hd95_mm", unit="mm", failed_case_counts_as="image_diagonal"
            ),
            make_metric("numbers", id="volume"),
            make_metric("lesions", parameters=_LESIONS),
        ],
        multiplicity="holm",
        resamples=400,
    )


def classification() -> Protocol:
    """Both lower bounds over their goals, area, agreement beyond chance and calibration."""
    return make_plan(
        [
            _criterion("sensitivity", "classes", 0.7, min_subjects=10),
            _criterion("specificity", "classes", 0.7, min_subjects=10),
            _criterion("auc", "classes", 0.8),
            _criterion("kappa_linear", "classes", 0.5),
            _below("brier", "classes", 0.2),
            _within("calibration_slope", "classes", 0.1, 9.0),
        ]
    )


def quantification() -> Protocol:
    """Agreement with the reference, repeatability of two visits, linearity and equivalence."""
    repeated = {
        name: value for name, value in make_metric("numbers", id="repeated").items() if name != "function"
    }
    repeated |= {"failed_case_counts_as": "complete_case"}
    del repeated["adverse_by"]
    return make_plan(
        [
            _within("bias", "numbers", -2.0, 2.0, level=0.95, sides=1),
            _criterion("loa_low", "numbers", -10.0),
            _below("loa_high", "numbers", 10.0),
            _below("wcv", "repeated", 0.1, sides=1),
            _below("rc", "repeated", 10.0),
            _within("linearity_slope", "numbers", 0.95, 1.05),
            _criterion("ccc", "numbers", 0.9),
            _criterion("icc_2_1", "numbers", 0.9, method="bca"),
            _within("deming_slope", "numbers", 0.95, 1.05),
            {**_OUTCOME},
        ],
        metrics=[make_metric("numbers"), repeated, make_metric("outcome")],
        resamples=400,
    )


def prediction() -> Protocol:
    """Concordance, its gain over the comparator, area, Brier score and calibration at two years."""
    risks = [{"horizon": 12.0, "column": "risk_12"}, {"horizon": 24.0, "column": "risk_24"}]
    return make_plan(
        [
            _criterion("harrell_c", "survival", 0.55),
            _criterion("uno_c", "survival", 0.55, options={"tau": 24}),
            _criterion("delta_c", "survival", 0.02),
            _criterion("auc_at", "survival", 0.55, options={"horizon": 24}),
            _below("integrated_brier", "survival", 0.25),
            _within("o_e_at", "survival", 0.3, 3.0, options={"horizon": 24}),
        ],
        metrics=[make_metric("survival", probabilities=risks)],
        resamples=400,
    )


PLANS: Mapping[Capability, Callable[[], Protocol]] = {
    "detection": detection,
    "segmentation": segmentation,
    "classification": classification,
    "quantification": quantification,
    "prediction": prediction,
}


def simulated_rows(capability: Capability, *, seed: int = 0, subjects: int = SUBJECTS) -> list[CaseRow]:
    """Rows of good answers: two visits of each subject for quantification, one case of each otherwise."""
    random = np.random.RandomState(seed)
    visits = 2 if capability == "quantification" else 1
    rows = []
    for number in range(subjects):
        truth = float(random.uniform(20, 100))
        for visit in range(visits):
            values, observations = _FIGURES[capability](random, number, truth)
            rows.append(
                make_row(
                    f"case-{number:03d}-{visit}",
                    subject=f"subject-{number:03d}",
                    strata={"vendor": "ab"[number % 2]},
                    values={**values, "outcome": 1.0},
                    observations=observations,
                )
            )
    return rows


def failed_row(capability: Capability, case: str = "case-failed") -> CaseRow:
    """A further case that failed, as it is scored."""
    values, observations = _FAILED[capability]
    imputed = [name for name in observations if name != "repeated"] + [
        n for n, v in values.items() if v is not None
    ]
    return make_row(
        case,
        subject=case,
        outcome="failed",
        reason_code="timeout",
        strata={"vendor": "a"},
        values={**values, "outcome": 0.0},
        observations=observations,
        imputed=sorted(set(imputed)),
    )


def turned_into_a_failure(capability: Capability, row: CaseRow) -> CaseRow:
    """The same case as it is scored where it failed instead of answering: the worst for its own reference."""
    observed = {name: dict(one) for name, one in row.observations.items()}
    values, imputed = _LOST[capability](observed)
    return make_row(
        row.case,
        subject=row.subject,
        outcome="failed",
        reason_code="timeout",
        strata=dict(row.strata),
        values={**values, "outcome": 0.0},
        observations=imputed,
        imputed=sorted({*imputed, *(name for name, value in values.items() if value is not None)}),
    )


Figures = tuple[dict[str, float | None], dict[str, dict[str, list[float]]]]


def _counts(random: np.random.RandomState) -> dict[str, list[float]]:
    reference = int(random.randint(1, 8))
    found = int(random.binomial(reference, 0.9))
    return {
        "reference": [reference], "reference_found": [found], "predicted": [found + int(random.poisson(0.4))],
        "predicted_matched": [found],
    }  # fmt: skip


def _detection(random: np.random.RandomState, number: int, truth: float) -> Figures:
    counts = _counts(random)
    found, false = (
        int(counts["predicted_matched"][0]),
        int(counts["predicted"][0] - counts["predicted_matched"][0]),
    )
    scores = [float(one) for one in (*random.uniform(0.5, 1, found), *random.uniform(0, 0.6, false))]
    matched = [*map(float, range(found)), *[-1.0] * false]
    return {"findings": None}, {"findings": {**counts, "scores": scores, "matched": matched}}


def _segmentation(random: np.random.RandomState, number: int, truth: float) -> Figures:
    measured = float(truth + random.normal(0, 2))
    figures = {
        "dice": float(random.uniform(0.82, 0.97)),
        "hd95": float(random.uniform(1, 4)),
        "volume": measured - truth,
    }
    counts = _counts(random)
    return figures, {"volume": {"predicted": [measured], "reference": [truth]}, "lesions": counts}


def _classification(random: np.random.RandomState, number: int, truth: float) -> Figures:
    reference = number % 2
    score = float(np.clip(random.normal(0.22 + 0.56 * reference, 0.2), 0.02, 0.98))
    predicted = float(score >= 0.5)
    observed = {"predicted": [predicted], "reference": [float(reference)], "score": [score]}
    return {"classes": float(predicted == reference)}, {"classes": observed}


def _quantification(random: np.random.RandomState, number: int, truth: float) -> Figures:
    measured = float(truth + random.normal(0, 1))
    observed = {"predicted": [measured], "reference": [truth]}
    return {"numbers": measured - truth, "repeated": measured}, {"numbers": observed, "repeated": observed}


def _prediction(random: np.random.RandomState, number: int, truth: float) -> Figures:
    risk = float(random.uniform(0.05, 0.95))
    time = float(-20 * np.log(random.uniform()) / (0.1 + 4 * risk**2))
    end = float(random.uniform(20, 60))
    observed = {
        "score": [risk], "baseline": [float(random.uniform())], "time": [min(time, end)], "event": [float(time < end)],
        "probability": [1 - float(np.exp(-at * (0.1 + 4 * risk**2) / 20)) for at in (12, 24)],
    }  # fmt: skip
    return {"survival": None}, {"survival": observed}


_FIGURES: Mapping[Capability, Callable[[np.random.RandomState, int, float], Figures]] = {
    "detection": _detection,
    "segmentation": _segmentation,
    "classification": _classification,
    "quantification": _quantification,
    "prediction": _prediction,
}
_MISSED: dict[str, list[float]] = {
    "reference": [3], "reference_found": [0], "predicted": [20], "predicted_matched": [0]
}  # fmt: skip
_BOTH_WAYS: dict[str, list[float]] = {
    "predicted_low": [0.0], "predicted_high": [100.0], "reference": [50.0], "value_low": [-50.0], "value_high": [50.0],
}  # fmt: skip
_FAILED: Mapping[Capability, Figures] = {
    "detection": ({"findings": None}, {"findings": {**_MISSED, "scores": [1.0] * 20, "matched": [-1.0] * 20}}),
    "segmentation": (
        {"dice": 0.0, "hd95": 300.0, "volume": None}, {"volume": _BOTH_WAYS, "lesions": _MISSED},
    ),
    "classification": (
        {"classes": 0.0}, {"classes": {"predicted": [0.0], "reference": [1.0], "score": [0.0]}},
    ),
    "quantification": ({"numbers": None, "repeated": None}, {"numbers": _BOTH_WAYS}),
    "prediction": (
        {"survival": None},
        {"survival": {"time": [10.0], "event": [1.0], "baseline": [0.5], "probability": [0.0, 0.0]}},
    ),
}  # fmt: skip


Observed = dict[str, Any]


def _missed(one: Observed) -> Observed:
    """Every lesion missed, and twenty found where there is none."""
    return {
        "reference": one["reference"],
        "reference_found": [0],
        "predicted": [20],
        "predicted_matched": [0],
    }


def _off_by(one: Observed, error: float = 100.0) -> Observed:
    """A number that is wrong by as much in either direction."""
    reference = one["reference"][0]
    return {
        "predicted_low": [reference - error], "predicted_high": [reference + error], "reference": [reference],
        "value_low": [-error], "value_high": [error],
    }  # fmt: skip


def _wrong_class(one: Observed) -> Observed:
    wrong = 1.0 - one["reference"][0]
    return {"predicted": [wrong], "reference": one["reference"], "score": [wrong]}


def _wrong_risks(one: Observed) -> Observed:
    """The wrong risk with certainty at each horizon; the rank is the judge's to choose."""
    (time,), (event,) = one["time"], one["event"]
    risks = [0.0 if event and time <= horizon else 1.0 for horizon in (12, 24)]
    return {"time": [time], "event": [event], "baseline": one["baseline"], "probability": risks}


_LOST: Mapping[Capability, Callable[[Observed], tuple[dict[str, float | None], Observed]]] = {
    "detection": lambda one: (
        {"findings": None},
        {"findings": {**_missed(one["findings"]), "scores": [1.0] * 20, "matched": [-1.0] * 20}},
    ),
    "segmentation": lambda one: (
        {"dice": 0.0, "hd95": 300.0, "volume": None},
        {"volume": _off_by(one["volume"]), "lesions": _missed(one["lesions"])},
    ),
    "classification": lambda one: ({"classes": 0.0}, {"classes": _wrong_class(one["classes"])}),
    "quantification": lambda one: (
        {"numbers": None, "repeated": None}, {"numbers": _off_by(one["numbers"])},
    ),
    "prediction": lambda one: ({"survival": None}, {"survival": _wrong_risks(one["survival"])}),
}  # fmt: skip
