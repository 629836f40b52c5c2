"""Sections on the result as a whole: verdict, criteria, case flow, attempts, conclusion."""

from host.reports.marks import Marks
from host.reports.markup import Content, Html, element, join, moment, number, table
from host.reports.model import Report
from host.reports.write import criterion_key
from host.validation.protocol import Criterion, Metric
from host.validation.verdict import CriterionVerdict

VERDICT_CLASS = {"met": "good", "not met": "bad", "insufficient evidence": "open"}
BANNER_CLASS = {"met": "met", "not met": "not-met", "insufficient evidence": "open-verdict"}
SIGN = {">=": "≥", "<=": "≤", "abs<=": "within ±"}
EVIDENCE = {
    "derived": "Derived data: images computed from other images. No case is a patient; this is no evidence "
    "of how the algorithm performs in patients.",
    "phantom": "Phantom data: images of an object or a simulation. No case is a patient; this is no evidence "
    "of how the algorithm performs in patients.",
    "patient": "Patient data: images of people.",
}


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
    """Requirement, criterion, worst value, verdict: the table that QA signs."""
    by_id = {one.id: one for one in report.protocol.criteria}
    judged = report.verdict.criteria
    rows = [
        _criterion(report, by_id[one.criterion], one, marks, first=one.criterion != before)
        for one, before in zip(judged, ("", *(one.criterion for one in judged)), strict=False)
    ]
    head = (
        "Requirement", "Metric", "Scope", "Every case", "Bound", "Worst value", "Worst case",
        "Worst answered case", "Cases", "Subjects", "Verdict",
    )  # fmt: skip
    note = (
        "The worst case decides. A failed case counts as the protocol says and stays among the cases; “worst "
        "answered case” leaves such cases out, for comparison only. Subjects are the independent persons or "
        "objects behind the cases; no interval is computed over cases derived from one of them."
    )
    return join((table(head, rows, class_="dense"), element("p", note, class_="note")))


def _criterion(
    report: Report, criterion: Criterion, one: CriterionVerdict, marks: Marks, *, first: bool
) -> tuple[Content, ...]:
    """One scope of a criterion; its requirement and reason stand in the first scope's row only."""
    key = criterion_key(one)
    metric = report.protocol.metric(criterion.metric)
    return (
        join(
            (
                criterion.requirement,
                element("br"),
                element("span", f"Why: {criterion.rationale}", class_="note"),
            )
        )
        if first
        else "",
        join((element("code", metric.id), _unit(metric))),
        _scope(one),
        SIGN[criterion.comparator],
        marks.number(f"{key}/bound"),
        element(
            "td", marks.text(f"{key}/worst"), _not_its_own(report, criterion.metric, one), class_="number"
        ),
        element("td", marks.text(f"{key}/case"), _because(report, criterion.metric, one)),
        marks.number(f"{key}/complete"),
        element("td", marks.text(f"{key}/cases"), _too_few(criterion, one), class_="number"),
        marks.number(f"{key}/subjects"),
        element("td", marks.text(f"{key}/verdict", class_=VERDICT_CLASS[one.verdict])),
    )


def _because(report: Report, metric: str, one: CriterionVerdict) -> Html:
    """Why a worst case without an answer has the value it has."""
    row = next((case.row for case in report.cases if case.row.case == one.worst_case), None)
    if row is None or metric not in row.imputed + row.never_met:
        return Html("")
    counted = "counts as not met" if metric in row.never_met else "value by the protocol"
    return element("div", f"{row.outcome}: {counted}", class_="note")


def _not_its_own(report: Report, metric: str, one: CriterionVerdict) -> Html:
    """A worst case without a value leaves the worst value to the cases that answered."""
    row = next((case.row for case in report.cases if case.row.case == one.worst_case), None)
    if row is None or one.worst_value is None or metric not in row.never_met:
        return Html("")
    return element("div", "of those that answered", class_="note")


def _unit(metric: Metric) -> str:
    return "" if metric.unit == "1" else f" [{metric.unit}]"


def _scope(one: CriterionVerdict) -> str:
    return one.scope.replace("=", ": ").replace("_", " ")


def _too_few(criterion: Criterion, one: CriterionVerdict) -> Html:
    if one.cases >= criterion.min_cases:
        return Html("")
    return element("div", f"{criterion.min_cases} needed", class_="note")


def attempts(report: Report) -> Html:
    """Every execution of this kit in this registry."""
    rows = [
        (
            str(one.attempt),
            join(
                (
                    element("code", one.validation),
                    " (this report)" if one.validation == report.validation else "",
                )
            ),
            f"{one.plugin} {one.version}",
            moment(one.started_at),
            "yes" if one.finished else "no",
            one.verdict,
        )
        for one in report.attempts
    ]
    note = "Executions in this registry. Runs elsewhere on the same data cannot be excluded."
    head = ("Attempt", "Validation", "Release", "Began", "Finished", "Verdict")
    return join((table(head, rows), element("p", note, class_="note")))


def conclusion(report: Report, marks: Marks) -> Html:
    """What follows, and for what it holds."""
    named = [
        element(
            "li",
            f"{one.criterion} ({_scope(one)}): ",
            element("span", one.verdict, class_=VERDICT_CLASS[one.verdict]),
        )
        for one in report.verdict.criteria
        if one.verdict != "met"
    ]
    return join(
        (
            element(
                "p",
                "The acceptance criteria of the protocol are: ",
                marks.text("verdict"),
                ".",
            ),
            element("ul", *named) if named else "",
            element(
                "p",
                f"This holds for the release named above, on {report.kit.evidence} data, within the "
                f"operating range and the limitations above. {EVIDENCE[report.kit.evidence]}",
            ),
        )
    )
