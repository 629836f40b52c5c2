"""One larger report per capability, of made-up numbers that are the same each time, to be looked at and measured."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from host.reports.analyses import analyse
from host.reports.model import CaseSection, FlowSection, Report
from host.reports.sensitivity import sensitivity
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import evaluate
from tests.support.plans import make_criterion, make_metric, make_plan
from tests.support.reports import RUN, make_report

SITES = ("A", "B", "C", "D")
FIELDS = ("1.5 T", "3 T")
Observed = dict[str, list[float]]


def classification_report(n: int = 200) -> Report:
    """Progressive or stable, with a probability: well told apart, a little too sure of itself."""
    random = np.random.RandomState(7)
    truth = random.rand(n) < 0.4
    logit = random.normal(np.where(truth, 1.2, -1.2), 1.3)
    score = 1 / (1 + np.exp(-1.4 * logit))
    rows = [
        _row(at, "grade", float((score[at] >= 0.5) == truth[at]), {
            "predicted": [float(score[at] >= 0.5)], "reference": [float(truth[at])], "score": [float(score[at])],
        }, failed=at in {17, 120})
        for at in range(n)
    ]  # fmt: skip
    wrong = {"predicted": [0.0], "reference": [1.0], "score": [0.0]}
    rows = [_counted(row, "grade", 0.0, wrong) if row.outcome == "failed" else row for row in rows]
    metric = make_metric("classes", id="grade", definition="Progressive or stable; the probability of progressive.",
                         classes=["stable", "progressive"], positive="progressive")  # fmt: skip
    criteria = [
        make_criterion("auc", "grade", id="discrimination", bound=0.8, min_subjects=50,
                       requirement="Progressive scans score above stable ones."),
        make_criterion("sensitivity", "grade", id="sensitivity", bound=0.7, scope="each:site", min_subjects=10,
                       requirement="Progression is found at every site."),
        make_criterion("specificity", "grade", id="specificity", bound=0.7, min_subjects=50,
                       requirement="Stable scans are called stable."),
    ]  # fmt: skip
    return _report("Progression classifier", make_plan(criteria, metrics=[metric]), rows)


def quantification_report(n: int = 60) -> Report:
    """A volume with a small bias, in patients of four sites."""
    random = np.random.RandomState(11)
    reference = random.uniform(5, 60, n)
    measured = reference * 1.02 + random.normal(0.4, 1.2, n)
    rows = [
        _row(at, "volume", float(measured[at] - reference[at]), {
            "predicted": [float(measured[at])], "reference": [float(reference[at])],
        }, failed=at == 9)
        for at in range(n)
    ]  # fmt: skip
    rows = [
        _counted(row, "volume", None, {"reference": row.observations["volume"]["reference"]}, never=True)
        if row.outcome == "failed" else row
        for row in rows
    ]  # fmt: skip
    metric = make_metric("numbers", id="volume", definition="Measured minus reference volume.",
                         failed_case_counts_as="not met")  # fmt: skip
    metric.pop("adverse_by")
    criteria = [
        make_criterion("bias", "volume", id="bias", judged="interval", comparator="abs<=", bound=2.0, min_subjects=35,
                       requirement="Volumes are right on average."),
        make_criterion("linearity_slope", "volume", id="slope", judged="interval", comparator="within", bound=0.95,
                       bound_high=1.05, min_subjects=35, requirement="Volumes are proportional."),
    ]  # fmt: skip
    return _report("Lesion volume", make_plan(criteria, metrics=[metric]), rows)


def segmentation_report(n: int = 40) -> Report:
    """Overlap and the 95th percentile of the surface distance in three definitions."""
    random = np.random.RandomState(3)
    dice = np.clip(random.beta(40, 5, n), 0, 1)
    hd95 = random.gamma(3, 1.1, n)
    metrics = [make_metric("masks", id="overlap", definition="Dice coefficient (Dice 1945).")]
    for name in ("hd95_mm", "hd95_pooled_mm", "hd95_surfels_mm"):
        metrics.append(make_metric("masks", id=name, function=name, unit="mm", definition=f"Surface distance, {name}.",
                                   failed_case_counts_as="image_diagonal"))  # fmt: skip
    rows = []
    for at in range(n):
        row = _row(at, "overlap", float(dice[at]), {}, failed=at == 5)
        values = {"overlap": float(dice[at]), "hd95_mm": float(hd95[at]), "hd95_pooled_mm": float(hd95[at] * 0.7),
                  "hd95_surfels_mm": float(hd95[at] * 1.3)}  # fmt: skip
        if row.outcome == "failed":
            values = {"overlap": 0.0, "hd95_mm": 310.0, "hd95_pooled_mm": 310.0, "hd95_surfels_mm": 310.0}
        imputed = tuple(values) if row.outcome == "failed" else ()
        rows.append(row.model_copy(update={"values": values, "imputed": imputed}))
    criteria = [
        make_criterion("mean", "overlap", id="overlap", bound=0.8, min_subjects=20,
                       requirement="Lesions are delineated as readers do."),
        make_criterion("mean", "overlap", id="overlap_by_site", bound=0.75, scope="each:site", min_subjects=8,
                       requirement="At every site."),
        make_criterion("p95", "hd95_mm", id="distance", judged="estimate", comparator="<=", bound=8.0,
                       requirement="No contour runs far off.", min_subjects=20),
    ]  # fmt: skip
    return _report("Lesion segmentation", make_plan(criteria, metrics=metrics), rows)


def detection_report(n: int = 80) -> Report:
    """Points in images with none to four lesions; some missed, some false."""
    random = np.random.RandomState(5)
    rows = []
    for at in range(n):
        lesions = int(random.poisson(1.6))
        hit = [k for k in range(lesions) if random.rand() < 0.85]
        false = int(random.poisson(0.5))
        scores = [*random.beta(6, 2, len(hit)), *random.beta(2, 4, false)]
        row = _row(at, "found", 2 * len(hit) / max(lesions + len(hit) + false, 1), {
            "scores": [float(one) for one in scores], "matched": [*map(float, hit), *[-1.0] * false],
            "reference": [float(lesions)], "predicted": [float(len(hit) + false)],
            "reference_found": [float(len(hit))], "predicted_matched": [float(len(hit))],
        }, failed=at == 33)  # fmt: skip
        if row.outcome == "failed":
            row = _counted(row, "found", 0.0, {
                "scores": [], "matched": [], "reference": [float(lesions)], "predicted": [20.0],
                "reference_found": [0.0], "predicted_matched": [0.0],
            })  # fmt: skip
        rows.append(row)
    metric = make_metric("findings", id="found", definition="Points within 5 mm of a reference point.")
    criteria = [
        make_criterion("lesion_sensitivity", "found", id="lesions_found", bound=0.7, min_subjects=30,
                       requirement="Lesions are found."),
        make_criterion("false_positives_per_case", "found", id="false_alarms", judged="ci_high", comparator="<=",
                       bound=1.5, min_subjects=30, requirement="Few false alarms."),
    ]  # fmt: skip
    return _report("Lesion detector", make_plan(criteria, metrics=[metric]), rows)


def prediction_report(n: int = 120) -> Report:
    """A risk of progression within 12 and 24 months, better than age alone."""
    random = np.random.RandomState(9)
    age, image = random.normal(0, 1, n), random.normal(0, 1, n)
    hazard = np.exp(0.4 * age + 0.9 * image) / 40
    event_at, censored_at = random.exponential(1 / hazard), random.uniform(6, 48, n)
    time, event = np.minimum(event_at, censored_at), event_at <= censored_at
    rows = []
    for at in range(n):
        risk = [float(1 - np.exp(-hazard[at] * horizon)) for horizon in (12.0, 24.0)]
        row = _row(at, "risk", 0.0, {
            "score": [float(0.4 * age[at] + 0.9 * image[at])], "time": [float(time[at])],
            "event": [float(event[at])], "baseline": [float(age[at])], "probability": risk,
        }, failed=at == 71)  # fmt: skip
        if row.outcome == "failed":
            kept = {name: numbers for name, numbers in row.observations["risk"].items() if name != "score"}
            row = _counted(row, "risk", None, {**kept, "probability": [1.0 - float(event[at])] * 2})
        rows.append(row.model_copy(update={"values": {"risk": None}}))
    metric = make_metric(
        "survival", id="risk", definition="Risk of progression, and within 12 and 24 months.",
        probabilities=[{"horizon": 12.0, "column": "risk_12"}, {"horizon": 24.0, "column": "risk_24"}],
    )  # fmt: skip
    criteria = [
        make_criterion("delta_c", "risk", id="gain", bound=0.02, min_subjects=60,
                       requirement="The image adds to what age tells."),
        make_criterion("o_e_at", "risk", id="calibration", judged="interval", comparator="within", bound=0.5,
                       bound_high=2.0, min_subjects=60, options={"horizon": 12.0},
                       requirement="Risks are neither far too high nor too low."),
    ]  # fmt: skip
    return _report("Progression risk", make_plan(criteria, metrics=[metric]), rows)


def _row(at: int, metric: str, value: float, observed: Observed, *, failed: bool = False) -> CaseRow:
    """A patient's case at one of four sites; where it failed, the caller says what it counts as."""
    return CaseRow(
        case=f"case-{at:03d}",
        subject=f"subject-{at:03d}",
        expected="ok",
        outcome="failed" if failed else "ok",
        reason_code="timeout" if failed else "",
        strata={"site": SITES[at % 4], "field_strength": FIELDS[at % 2]},
        values={metric: value},
        observations={metric: {name: tuple(numbers) for name, numbers in observed.items()}}
        if observed
        else {},
        evidence="patient",
    )


def _counted(
    row: CaseRow, metric: str, value: float | None, observed: Any, *, never: bool = False
) -> CaseRow:
    """A failed case with what it counts as."""
    names = (metric,)
    return row.model_copy(
        update={
            "values": {metric: value},
            "observations": {metric: {name: tuple(numbers) for name, numbers in observed.items()}},
            "imputed": () if never else names,
            "never_met": names if never else (),
        }
    )


def _report(title: str, protocol: Protocol, rows: Sequence[CaseRow]) -> Report:
    base = make_report(title=title)
    cases = tuple(
        CaseSection(
            row=row,
            run=f"{RUN[:12]}{at:04d}",
            message="no result within 600 s" if row.outcome == "failed" else "",
            measured=(),
            references={},
            duration_s=12.5 + at % 7,
            memory_peak_bytes=900 * 1024**2,
            memory_limit_bytes=4 * 1024**3,
            qc=(),
            warnings=(),
        )
        for at, row in enumerate(rows)
    )
    verdict = evaluate(protocol, rows)
    return base.model_copy(
        update={
            "protocol": protocol,
            "cases": cases,
            "verdict": verdict,
            "flow": FlowSection.of(rows),
            "kit": base.kit.model_copy(update={"evidence": "patient", "title": "Made-up patients"}),
            "analyses": analyse(protocol, rows),
            "sensitivity": sensitivity(protocol, rows, verdict),
            "attempts": tuple(one.model_copy(update={"verdict": verdict.verdict}) for one in base.attempts),
        }
    )


CAPABILITIES: dict[str, Callable[[], Report]] = {
    "classification": classification_report,
    "quantification": quantification_report,
    "segmentation": segmentation_report,
    "detection": detection_report,
    "prediction": prediction_report,
}
