"""Protocols of the second version and rows to judge by them, built from the few fields a test is about."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from host.validation.protocol import Protocol
from host.validation.rows import CaseRow

_TEXT = {
    "kit": "kit", "version": "1.0.0", "title": "T", "question": "Q", "context_of_use": "C", "risk": "R",
    "sample_size_basis": "S",
}  # fmt: skip
METRICS: dict[str, dict[str, Any]] = {
    "masks": {
        "function": "dice", "port": "mask", "label": "lesion", "reference_value": 1, "failed_case_counts_as": 0.0,
    },
    "lesions": {
        "function": "lesion_f1", "port": "mask", "label": "lesion", "reference_value": 1,
        "failed_case_counts_as": "all_missed", "failed_false_positives": 20,
    },
    "findings": {
        "function": "finding_f1", "port": "found", "failed_case_counts_as": "all_missed",
        "failed_false_positives": 20,
    },
    "numbers": {
        "function": "difference", "port": "volumes", "column": "ml", "unit": "mL", "failed_case_counts_as": "adverse",
        "adverse_by": 50.0,
    },
    "classes": {
        "port": "grade", "classes": ["low", "high"], "positive": "high", "failed_case_counts_as": "wrong",
    },
    "survival": {
        "port": "risk", "column": "value", "higher_score_means": "earlier event", "failed_case_counts_as": "wrong",
    },
    "outcome": {"failed_case_counts_as": 0.0},
}  # fmt: skip


def make_metric(kind: str, **changes: Any) -> dict[str, Any]:
    """A metric of a kind, called as its kind, as a document."""
    return {"id": kind, "kind": kind, "unit": "1", "definition": "D", **METRICS[kind], **changes}


def make_criterion(statistic: str, metric: str, **changes: Any) -> dict[str, Any]:
    """A criterion on a statistic, as a document; by default the lower end of the interval is at least 0.8."""
    judged = {} if statistic == "every_case" else {"judged": "ci_low", "min_subjects": 2}
    return {
        "id": "c", "requirement": "R", "metric": metric, "statistic": statistic, "comparator": ">=", "bound": 0.8,
        "scope": "overall", "min_cases": 1, "rationale": "Why", **judged, **changes,
    }  # fmt: skip


def make_plan(
    criteria: Sequence[Mapping[str, Any]],
    *,
    metrics: Sequence[Mapping[str, Any]] | None = None,
    **changes: Any,
) -> Protocol:
    """A protocol read from a document, as a file is read; without metrics, those its criteria name, by their kinds."""
    named = dict.fromkeys(str(one["metric"]) for one in criteria)
    document = {
        "contract": "assay.protocol/2",
        **_TEXT,
        "multiplicity": "all_criteria_must_pass",
        "metrics": list(metrics) if metrics is not None else [make_metric(one) for one in named],
        "criteria": list(criteria),
        **changes,
    }
    return Protocol.model_validate_json(json.dumps(document))


def make_row(case: str, value: float | None = None, *, metric: str = "masks", **changes: Any) -> CaseRow:
    """The row of a patient's case, of a subject of its own, with a value of one metric."""
    document = {
        "case": case, "subject": case, "expected": "ok", "outcome": "ok", "reason_code": "", "strata": {},
        "evidence": "patient", "values": {metric: value}, **changes,
    }  # fmt: skip
    return CaseRow.model_validate_json(json.dumps(document))


def observed(case: str, metric: str, **columns: float | Sequence[float]) -> CaseRow:
    """The row of a patient's case that left observations of a metric."""
    each = {name: [one] if isinstance(one, (int, float)) else list(one) for name, one in columns.items()}
    return make_row(case, columns.get("value"), metric=metric, observations={metric: each})  # type: ignore[arg-type]  # a value is one number
