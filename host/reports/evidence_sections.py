"""Sections on the result as a whole: verdict, case flow, criteria, conclusion."""

from collections.abc import Iterator

from host.reports.fields import criterion_key
from host.reports.marks import Marks
from host.reports.markup import Content, Html, element, join, number, table
from host.reports.model import Report
from host.reports.wording import EVIDENCE, SIGN, VERDICT_CLASS, criterion_words, scope_words, verdict_mark
from host.validation.criterion import Criterion
from host.validation.verdict import CriterionVerdict

BANNER_CLASS = {"met": "met", "not met": "not-met", "insufficient evidence": "open-verdict"}
NUMERIC = {"Accepted", "Figure", "Interval", "Without failed cases", "Cases", "Subjects"}
HEAD = ("Scope", "Accepted", "Figure", "Interval", "Without failed cases", "Cases", "Subjects", "Verdict")


def banner(report: Report, marks: Marks) -> Html:
    """The verdict with its evidence class, to be seen first."""
    word = report.verdict.verdict
    tally = ", ".join(
        f"{count} {name}"
        for name in VERDICT_CLASS
        if (count := sum(one.verdict == name for one in report.verdict.criteria))
    )
    return element(
        "div",
        element(
            "p", "Acceptance criteria: ", marks.text("verdict", class_=VERDICT_CLASS[word]), class_="word"
        ),
        element(
            "p",
            f"On {report.kit.evidence} data. Of {len(report.verdict.criteria)} criteria and strata: {tally}.",
        ),
        class_=f"banner {BANNER_CLASS[word]}",
    )


def evidence_class(report: Report, marks: Marks) -> Html:
    """What kind of data the verdict rests on, in plain words."""
    return join((marks.text("evidence"), ". ", EVIDENCE[report.kit.evidence]))


def flow(report: Report, marks: Marks) -> Html:
    """Where every case went, as a table."""
    words = (
        ("cases", "Cases in the kit"),
        ("subjects", "Independent subjects"),
        ("expected_ok", "Expected to be answered"),
        ("expected_refused", "Expected to be refused"),
        ("answered", "Answered, as expected"),
        ("refused_correctly", "Refused, as expected"),
        ("refused_wrongly", "Refused, though usable"),
        ("answered_wrongly", "Answered, though unusable"),
        ("failed", "Failed"),
    )
    rows: list[tuple[Content, Content]] = [(text, marks.number(f"flow/{name}")) for name, text in words]
    reasons = sorted(report.flow.failure_reasons.items())
    rows += [(f"Failed: {reason or 'no reason given'}", number(count)) for reason, count in reasons]
    return table(("Step", "Count"), rows, class_="short")


def criteria(report: Report, marks: Marks) -> Html:
    """Requirement, criterion, figure, interval, verdict: the table that QA signs."""
    parts = [
        element(
            "thead",
            element(
                "tr",
                *(
                    element("th", one, class_="number" if one in NUMERIC else None, scope="col")
                    for one in HEAD
                ),
            ),
        )
    ]
    for criterion in report.protocol.criteria:
        judged = [one for one in report.verdict.criteria if one.criterion == criterion.id]
        parts.append(
            element(
                "tbody",
                element("tr", _requirement(report, criterion), class_="requirement"),
                *(element("tr", *_scope_cells(report, criterion, one, marks)) for one in judged),
            )
        )
    note = (
        "Failed cases stay among the cases and count as the protocol says; “without failed cases” is for comparison "
        "and decides nothing. Where every case is judged, the worst one decides and no interval is computed. "
    )
    if report.protocol.contract == "assay.protocol/1":
        note += "Subjects are the persons or objects behind the cases; cases derived from one add nothing to them."
    else:
        note += "Subjects are patients: derived cases and phantoms are nobody."
    return join((element("table", *parts, class_="criteria dense"), element("p", note, class_="note")))


def _requirement(report: Report, criterion: Criterion) -> Html:
    return element(
        "th",
        criterion.requirement,
        element(
            "div",
            element("code", criterion.id),
            ": ",
            criterion_words(criterion, report.protocol),
            class_="note",
        ),
        element("div", f"Why: {criterion.rationale}", class_="note"),
        colspan=str(len(HEAD)),
        scope="rowgroup",
    )


def _scope_cells(report: Report, criterion: Criterion, one: CriterionVerdict, marks: Marks) -> Iterator[Html]:
    key = criterion_key(one)
    yield element("td", scope_words(one.scope))
    upper = (" to ", marks.text(f"{key}/bound_high")) if criterion.bound_high is not None else ()
    sign = f"{SIGN[criterion.comparator]} " if not upper else ""
    yield element("td", sign, marks.text(f"{key}/bound"), *upper, class_="number")
    yield element("td", *_figure(report, criterion, one, marks), class_="number")
    yield element("td", marks.interval(f"{key}/estimate") if one.estimate else "each case", class_="number")
    yield element("td", *_complete(one, marks), class_="number")
    yield element("td", marks.text(f"{key}/cases"), *_failed(criterion, one, marks), class_="number")
    yield element("td", marks.text(f"{key}/subjects"), *_too_few(criterion, one), class_="number")
    yield element("td", *_verdict(one, marks), *_changed_after_data(report, one))


def _figure(report: Report, criterion: Criterion, one: CriterionVerdict, marks: Marks) -> Iterator[Content]:
    """The estimate with its n, and the worst case."""
    key = criterion_key(one)
    if one.estimate is not None:
        yield marks.text(f"{key}/estimate/value")
        method = "" if one.estimate.method == "none" else f", {one.estimate.method}"
        yield element("div", "n ", marks.text(f"{key}/estimate/n"), method, class_="note")
        if marks.has(f"{key}/worst"):
            worst = marks.text(f"{key}/worst")
            yield element("div", "worst ", worst, ", ", marks.text(f"{key}/case"), class_="note")
        return
    yield marks.text(f"{key}/worst")
    row = next((case.row for case in report.cases if case.row.case == one.worst_case), None)
    counted = ""
    if row is not None and criterion.metric in row.never_met:
        counted = f" {row.outcome}: counts as not met"
    elif row is not None and criterion.metric in row.imputed:
        counted = f" {row.outcome}: value by the protocol"
    own = one.worst_value is None or not counted.endswith("not met")
    yield element(
        "div",
        "" if own else "of those that answered; ",
        "worst case ",
        marks.text(f"{key}/case"),
        class_="note",
    )
    if counted:
        yield element("div", counted.strip(), class_="note")


def _complete(one: CriterionVerdict, marks: Marks) -> Iterator[Content]:
    key = criterion_key(one)
    if one.complete_case is None:
        yield marks.text(f"{key}/complete")
        return
    yield marks.text(f"{key}/complete_case/value")
    yield element("div", marks.interval(f"{key}/complete_case"), class_="note whole")
    yield element("div", "n ", marks.text(f"{key}/complete_case/n"), class_="note")
    if marks.has(f"{key}/complete"):
        yield element("div", "worst ", marks.text(f"{key}/complete"), class_="note")


def _failed(criterion: Criterion, one: CriterionVerdict, marks: Marks) -> Iterator[Content]:
    if one.failed:
        yield element("div", marks.text(f"{criterion_key(one)}/failed"), " failed", class_="note")
    if one.cases < criterion.min_cases:
        yield element("div", f"{criterion.min_cases} needed", class_="note")


def _too_few(criterion: Criterion, one: CriterionVerdict) -> Iterator[Content]:
    if criterion.min_subjects is not None and one.subjects < criterion.min_subjects:
        yield element("div", f"{criterion.min_subjects} needed", class_="note")


def _verdict(one: CriterionVerdict, marks: Marks) -> Iterator[Content]:
    key = criterion_key(one)
    yield element("span", verdict_mark(one.verdict), class_=VERDICT_CLASS[one.verdict], aria_hidden="true")
    yield marks.text(f"{key}/verdict", class_=VERDICT_CLASS[one.verdict])
    if one.evidence is not None:
        yield element("div", "on ", marks.text(f"{key}/of"), " data", class_="note")
    if one.reason:
        yield element("div", marks.text(f"{key}/reason"), class_="note")
    if one.adjusted_level is not None:
        yield element("div", "judged at ", marks.text(f"{key}/adjusted_level"), " (Holm)", class_="note")


def _changed_after_data(report: Report, one: CriterionVerdict) -> Iterator[Content]:
    """The deviations that moved what this verdict rests on once data may have been seen."""
    late = [
        str(deviation.number)
        for deviation in report.deviations
        if deviation.after_executions and one.criterion in deviation.criteria
    ]
    if late:
        what = f"deviation{'s' if len(late) > 1 else ''} {', '.join(late)}"
        yield element("div", f"CHANGED AFTER DATA MAY HAVE BEEN SEEN: {what}", class_="bad")


def conclusion(report: Report, marks: Marks) -> Html:
    """What follows, and for what it holds."""
    named = [
        element(
            "li",
            f"{one.criterion} ({scope_words(one.scope)}): ",
            element("span", one.verdict, class_=VERDICT_CLASS[one.verdict]),
        )
        for one in report.verdict.criteria
        if one.verdict != "met"
    ]
    return join(
        (
            element("p", "The acceptance criteria of the protocol are: ", marks.text("verdict"), "."),
            element("ul", *named) if named else "",
            element(
                "p",
                f"This holds for the release named above, on {report.kit.evidence} data, within the "
                f"operating range and the limitations above. {EVIDENCE[report.kit.evidence]}",
            ),
            element(
                "p", "Whether it is enough for a use is for those to decide who sign below.", class_="note"
            ),
        )
    )
