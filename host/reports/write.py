"""The report's bytes: canonical JSON out, strict JSON in, and the check that a page says what the JSON says.

Invariants
----------
* Reading a report computes its verdict and its case flow again; a report that contradicts itself is refused.
* A figure on the page is rounded for reading; its exact value stands beside it, and both are checked.
"""

from dataclasses import dataclass
from html.parser import HTMLParser

from pydantic import ValidationError

from host.errors import ReportMalformedError, ReportMismatchError
from host.reports.model import FlowSection, Report
from host.validation.protocol import Criterion
from host.validation.verdict import CriterionVerdict, evaluate
from plugin_spec.model import first_fault
from registry.canonical import canonical_json, digest, parse_json, short
from registry.errors import MalformedJsonError

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


def report_bytes(report: Report) -> bytes:
    """Serialise a report as the canonical JSON that is digested and signed."""
    return canonical_json(report.model_dump(mode="json"))


def content_digest(report: Report) -> str:
    """Name a report by its content without its renderings, so that a rendering can carry the name."""
    return digest(report_bytes(report.model_copy(update={"renderings": ()})))


def read_report(data: bytes) -> Report:
    """Read a report and check that it follows from its own rows.

    Raises
    ------
    ReportMalformedError
        Not strict JSON, or a field that does not fit; the field is named.
    ReportMismatchError
        The verdict or the case flow is not what the rows and the protocol give.
    """
    try:
        parse_json(data, where="report")
        report = Report.model_validate_json(data)
    except MalformedJsonError as error:
        raise ReportMalformedError(error.message, subject="report") from error
    except ValidationError as error:
        raise ReportMalformedError(f"report: {first_fault(error)}", subject="report") from error
    rows = [case.row for case in report.cases]
    if evaluate(report.protocol, rows) != report.verdict:
        raise ReportMismatchError(
            "report: verdict: does not follow from the cases and the protocol", subject=report.validation
        )
    if FlowSection.of(rows) != report.flow:
        raise ReportMismatchError(
            "report: flow: does not count the cases it stands with", subject=report.validation
        )
    return report


def display(value: float | None, bound: float | None = None) -> str:
    """Write a number with five significant digits, or more where rounding would move it across ``bound``."""
    if value is None:
        return NO_VALUE
    for digits in range(5, 17):
        text = f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:.0f}"
        if bound is None or _sides(float(text), bound) == _sides(value, bound):
            break
    return text.removeprefix("-") if float(text) == 0 else text


def report_fields(report: Report) -> dict[str, Field]:
    """Every marked figure and word of the page, by the name in its ``data-field``."""
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
    fields |= {
        f"flow/{name}": _number(n) for name, n in report.flow.model_dump(exclude={"failure_reasons"}).items()
    }
    criteria = {criterion.id: criterion for criterion in report.protocol.criteria}
    for one in report.verdict.criteria:
        fields |= _criterion_fields(criteria[one.criterion], one)
    for case in report.cases:
        row = case.row
        fields |= {f"case/{row.case}/outcome": Field(row.outcome, row.outcome)}
        fields |= {f"case/{row.case}/{metric}": _number(value) for metric, value in row.values.items()}
    return fields


def criterion_key(one: CriterionVerdict) -> str:
    """The start of the names of one criterion's fields."""
    return f"criterion/{one.criterion}/{one.scope}"


def check_agreement(report: Report, html: bytes) -> None:
    """Check that a page shows every marked figure and word of the report, and no other.

    The page's digest in ``renderings`` protects all of it; this finds a page made from another report.

    Raises
    ------
    ReportMismatchError
        A field is missing, unknown, or says something else than the JSON; the first one is named.
    """
    marks = _Marks()
    marks.feed(html.decode("utf-8", errors="replace"))
    marks.close()
    expected = report_fields(report)
    for name, found in marks.found:
        if name not in expected:
            raise ReportMismatchError(
                f"page: {name}: the report has no such field", subject=report.validation
            )
        if found != expected[name]:
            raise ReportMismatchError(
                f"page: {name}: shows {found.text!r} ({found.exact}), "
                f"the report says {expected[name].text!r} ({expected[name].exact})",
                subject=report.validation,
            )
    missing = sorted(expected.keys() - {name for name, _ in marks.found})
    if missing:
        raise ReportMismatchError(f"page: {missing[0]}: is not shown", subject=report.validation)


def _criterion_fields(criterion: Criterion, one: CriterionVerdict) -> dict[str, Field]:
    key = criterion_key(one)
    numbers = {
        "bound": criterion.bound,
        "worst": one.worst_value,
        "complete": one.complete_case_worst_value,
        "cases": one.cases,
        "subjects": one.subjects,
    }
    fields = {f"{key}/{name}": _number(value, criterion.bound) for name, value in numbers.items()}
    case = one.worst_case or "none"
    return fields | {f"{key}/case": Field(case, case), f"{key}/verdict": Field(one.verdict, one.verdict)}


def _number(value: float | None, bound: float | None = None) -> Field:
    return Field(display(value, bound), canonical_json(value).decode())


def _sides(value: float, bound: float) -> tuple[bool, bool, bool, bool]:
    """On which side of the bound, and of its mirror image for "abs<=", a value lies."""
    return value >= bound, value <= bound, value >= -bound, value <= -bound


class _Marks(HTMLParser):
    """Collects the text and the exact value of every element with a ``data-field``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, Field]] = []
        self._open: tuple[str, str | None] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open is not None:
            raise ReportMismatchError(f"page: {self._open[0]}: a marked element holds another element")
        values = dict(attrs)
        name = values.get("data-field")
        if name is not None:
            self._open, self._text = (name, values.get("data-value")), ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if self._open is not None:
            name, exact = self._open
            self.found.append((name, Field(self._text, self._text if exact is None else exact)))
            self._open = None
