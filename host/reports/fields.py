"""Every figure and word that the page must show as the report has it, by name.

Invariants
----------
* A figure on the page is rounded for reading; its exact value stands beside it, and both are checked.
* A report of the first contract has the fields it always had: its page was signed with them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise, product
from typing import Final

from host.reports.model import Report
from host.reports.sections import OracleRow
from host.reports.write import content_digest
from host.validation.estimate_row import EstimateRow
from host.validation.protocol import Criterion
from host.validation.verdict import CriterionVerdict
from plugin_spec.model import StrictModel
from registry.canonical import canonical_json, short

NO_VALUE = "no value"


@dataclass(frozen=True)
class Field:
    """A figure or word as the page shows it.

    Attributes
    ----------
    text : str
        What a person reads.
    exact : str
        The value itself: a number in canonical JSON, or the same as ``text``.
    """

    text: str
    exact: str


def report_fields(report: Report) -> dict[str, Field]:
    """Every marked figure and word of the page, by the name in its ``data-field``."""
    fields = _identity(report) | cross_fields(report)
    criteria = {criterion.id: criterion for criterion in report.protocol.criteria}
    for one in report.verdict.criteria:
        fields |= _criterion_fields(criteria[one.criterion], one)
    for case in report.cases:
        row = case.row
        fields |= {f"case/{row.case}/outcome": Field(row.outcome, row.outcome)}
        fields |= {f"case/{row.case}/{metric}": _number(value) for metric, value in row.values.items()}
    for key, listed in _listed(report):
        fields |= row_fields(key, listed)
    for number, (before, oracle) in enumerate(pairwise(_oracles(report)), start=2):
        if before.id == oracle.id:  # its source is shown once, above the first of its numbers
            del fields[f"oracle/{number}/id"], fields[f"oracle/{number}/source"]
    return fields


def cross_fields(report: Report) -> dict[str, Field]:
    """How many answered cases of each reference class were called each class, of every metric with classes."""
    counts: Counter[str] = Counter()
    for metric in report.protocol.metrics:
        for called, right in product(range(len(metric.classes or ())), repeat=2):
            counts[f"cross/{metric.id}/{right}/{called}"] = 0
        for row in (case.row for case in report.cases):
            observed = row.observations.get(metric.id, {}) if metric.id not in row.imputed else {}
            if metric.classes and "predicted" in observed:
                right, called = (int(observed[name][0]) for name in ("reference", "predicted"))
                counts[f"cross/{metric.id}/{right}/{called}"] += 1
    return {name: _number(count) for name, count in counts.items()}


def _identity(report: Report) -> dict[str, Field]:
    release, kit = report.release, report.kit
    words = {
        "validation": report.validation,
        "subset": report.subset,
        "verdict": report.verdict.verdict,
        "evidence": kit.evidence,
        **({"warm": report.warm.agreement} if report.warm else {}),
    }
    digests = {
        "content": content_digest(report),
        "release": release.record,
        "image": release.image,
        "manifest": release.manifest,
        "kit": kit.kit_digest,
        "protocol": kit.protocol_digest,
        "registration": report.registration.record,
    }
    fields = {name: Field(word, word) for name, word in words.items()}
    fields |= {name: Field(short(whole), whole) for name, whole in digests.items()}
    counts = report.flow.model_dump(exclude={"failure_reasons"})
    return fields | {f"flow/{name}": _number(count) for name, count in counts.items()}


def _oracles(report: Report) -> tuple[OracleRow, ...]:
    return report.self_test.oracles if report.self_test else ()


# Fields whose rows are listed by themselves.
_ROWS_OF_THEIR_OWN: Final = frozenset({"pairs", "rows"})


def _listed(report: Report) -> Iterable[tuple[str, StrictModel]]:
    """Rows of sections that are shown whole, each under its number from 1."""
    sections: dict[str, Iterable[StrictModel]] = {
        "check": report.installation_checks,
        "oracle": _oracles(report),
        "not_run": report.self_test.not_run if report.self_test else (),
        "order": report.order_proof.events if report.order_proof else (),
        "analysis": report.analyses,
        "sensitivity": report.sensitivity,
        "sameness": report.sameness,
        "again": [pair for row in report.sameness for pair in row.pairs],
        "interrupted": report.interruptions,
        "delta": [report.version_delta] if report.version_delta else [],
        "version": report.version_delta.rows if report.version_delta else (),
        "deviation": report.deviations,
        "attempt": report.attempts if report.contract != "assay.report/1" else (),
        "leak": report.leak.found if report.leak else (),
        "reader": report.readers.agreement if report.readers else (),
    }
    return chain.from_iterable(
        ((f"{name}/{number}", row) for number, row in enumerate(rows, start=1))
        for name, rows in sections.items()
    )


def row_fields(key: str, row: StrictModel) -> dict[str, Field]:
    """The fields of one row, whatever its model: ``key/FIELD``, and of an estimate its parts.

    Parameters
    ----------
    key : str
    row : StrictModel
        Its values are words, numbers, digests, times, lists of words or of rows, estimates, or estimates by name.
    """
    fields: dict[str, Field] = {}
    for name in type(row).model_fields:
        value = getattr(row, name)
        if name in _ROWS_OF_THEIR_OWN:
            continue
        if isinstance(value, EstimateRow):
            fields |= estimate_fields(f"{key}/{name}", value)
        elif isinstance(value, Mapping):
            for inner, estimate in value.items():
                fields |= estimate_fields(f"{key}/{inner}", estimate)
        elif isinstance(value, tuple) and any(isinstance(one, StrictModel) for one in value):
            for number, one in enumerate(value, start=1):
                fields |= row_fields(f"{key}/{name}/{number}", one)
        elif value is not None and value != "":
            fields[f"{key}/{name}"] = _field(name, value)
    return fields


def estimate_fields(key: str, one: EstimateRow, bound: float | None = None) -> dict[str, Field]:
    """Value, ends of the interval, level and n of an estimate; an end that is not there is said in words."""
    fields = {f"{key}/value": _number(one.value, bound), f"{key}/n": _number(one.n)}
    if one.low is None and one.high is None:
        return fields | {f"{key}/interval": Field("no interval", "null")}
    for name, end in (("low", one.low), ("high", one.high)):
        fields[f"{key}/{name}"] = Field("open", "null") if end is None else _number(end, bound)
    return fields | {f"{key}/level": Field(f"{100 * one.level:g} %", canonical_json(one.level).decode())}


def criterion_key(one: CriterionVerdict) -> str:
    """The start of the names of one criterion's fields."""
    return f"criterion/{one.criterion}/{one.scope}"


def display(value: float | None, bound: float | None = None) -> str:
    """Write a number with five significant digits, or more where rounding would move it across ``bound``."""
    if value is None:
        return NO_VALUE
    for digits in range(5, 17):
        text = f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:.0f}"
        if bound is None or _sides(float(text), bound) == _sides(value, bound):
            break
    return text.removeprefix("-") if float(text) == 0 else text


def _criterion_fields(criterion: Criterion, one: CriterionVerdict) -> dict[str, Field]:
    key = criterion_key(one)
    numbers: dict[str, float | None] = {
        "bound": criterion.bound,
        "cases": one.cases,
        "subjects": one.subjects,
    }
    fields = {f"{key}/verdict": Field(one.verdict, one.verdict)}
    if one.estimate is None or one.worst_case is not None:  # some statistics have no value per case
        numbers |= {"worst": one.worst_value, "complete": one.complete_case_worst_value}
        case = one.worst_case or "none"
        fields[f"{key}/case"] = Field(case, case)
    fields |= {f"{key}/{name}": _number(value, criterion.bound) for name, value in numbers.items()}
    if criterion.bound_high is not None:
        fields[f"{key}/bound_high"] = _number(criterion.bound_high)
    for name, estimate in (("estimate", one.estimate), ("complete_case", one.complete_case)):
        if estimate is not None:
            fields |= estimate_fields(f"{key}/{name}", estimate, criterion.bound)
    for name, word in (("reason", one.reason), ("of", one.evidence)):
        if word:
            fields[f"{key}/{name}"] = Field(word, word)
    if one.failed:
        fields[f"{key}/failed"] = _number(one.failed)
    if one.adjusted_level is not None:
        fields[f"{key}/adjusted_level"] = _number(one.adjusted_level)
    return fields


def _field(name: str, value: object) -> Field:
    if isinstance(value, bool):
        return Field("yes" if value else "no", "true" if value else "false")
    if isinstance(value, int | float):
        return _number(value)
    if value == ():
        return Field("none", "")
    text = "; ".join(value) if isinstance(value, tuple) else str(value)
    if text.startswith("sha256:"):
        return Field(short(text), text)
    return Field(text.replace("T", " ", 1), text) if name.endswith("at") else Field(text, text)


def _number(value: float | None, bound: float | None = None) -> Field:
    return Field(display(value, bound), canonical_json(value).decode())


def _sides(value: float, bound: float) -> tuple[bool, bool, bool, bool]:
    """On which side of the bound, and of its mirror image for "abs<=", a value lies."""
    return value >= bound, value <= bound, value >= -bound, value <= -bound
