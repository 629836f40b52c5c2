"""Sections that look at the result from another side: other assumptions, repeats, perturbations, the release before."""

from collections.abc import Iterator, Sequence
from typing import Final

from host.reports.fields import display
from host.reports.marks import Marks
from host.reports.markup import Content, Html, element, facts, join, number, table
from host.reports.model import Report
from host.reports.wording import VERDICT_CLASS, named
from host.validation.verdict import CaseRow

PERTURBATION = "perturbation"
AGREEMENT_CLASS: Final = {"equal": "good", "different": "bad", "not comparable": "open"}


def sensitivity(report: Report, marks: Marks) -> Html:
    """The criteria once more under other assumptions; none of these rows decides."""
    if not report.sensitivity:
        return element(
            "p",
            "No other assumption was tried: the protocol's criteria judge single cases, or it was not done.",
        )
    changed = sum(one.verdict != one.as_registered for one in report.sensitivity)
    rows = [
        (
            *marks.cells(key, ("analysis", "changed", "criterion", "scope", "metric")),
            marks.number(f"{key}/estimate/value"),
            element("td", marks.interval(f"{key}/estimate"), class_="number"),
            marks.number(f"{key}/estimate/n"),
            marks.text(f"{key}/verdict", class_=VERDICT_CLASS[one.verdict]),
            marks.text(f"{key}/as_registered"),
        )
        for at, one in enumerate(report.sensitivity, start=1)
        for key in [f"sensitivity/{at}"]
    ]
    head = (
        "Analysis", "What differs", "Criterion", "Scope", "Metric", "Estimate", "Interval", "n", "It would be",
        "As registered",
    )  # fmt: skip
    told = (
        f"In {changed} of {len(rows)} rows the verdict would be another one."
        if changed
        else f"None of the {len(rows)} rows would change a verdict."
    )
    return join((element("p", told), table(head, rows, class_="dense sortable")))


def sameness(report: Report, marks: Marks) -> Html:
    """Answers that ought to be the same, and what declared perturbations do to the figures."""
    return join(
        (
            element("h3", "The same answer again"),
            _same(report, marks),
            *_warm(report, marks),
            element("h3", "Declared perturbations"),
            _perturbed(report),
        )
    )


def _same(report: Report, marks: Marks) -> Html:
    if not report.sameness:
        return element("p", "No case was run again to see whether the answer stays the same.")
    rows = [
        (
            *marks.cells(key, ("id", "kind", "asked", "check", "engine", "seed", "rule")),
            marks.number(f"{key}/cases"),
            marks.number(f"{key}/same"),
            marks.text(f"{key}/agreement", class_=AGREEMENT_CLASS[one.agreement]),
            *marks.cells(key, ("not_made",)),
        )
        for at, one in enumerate(report.sameness, start=1)
        for key in [f"sameness/{at}"]
    ]
    head = (
        "Comparison", "Kind", "Asked for beside the protocol", "The cases", "Engine", "Seed of the order",
        "Determinism claimed", "Cases", "Same each time", "Agreement", "Why not compared",
    )  # fmt: skip
    return join((table(head, rows, class_="dense"), *_pairs(report, marks)))


def _pairs(report: Report, marks: Marks) -> Iterator[Html]:
    """Every run again with what does not agree; the runs that are judged stand in the section on cases."""
    pairs = [(row.id, pair) for row in report.sameness for pair in row.pairs]
    if not pairs:
        return
    rows = [
        (
            comparison,
            *marks.cells(key, ("case", "repetition")),
            element("code", marks.text(f"{key}/run")),
            marks.text(f"{key}/differences"),
        )
        for at, (comparison, _) in enumerate(pairs, start=1)
        for key in [f"again/{at}"]
    ]
    head = ("Comparison", "Case", "Repetition", "Run", "Differs from the run that is judged")
    yield table(head, rows, class_="dense sortable")


def _warm(report: Report, marks: Marks) -> Iterator[Html]:
    """How the answers of warm containers compare with those that are judged above, if it was looked at."""
    warm = report.warm
    if warm is None:
        return
    yield element("h3", "Warm containers")
    yield element(
        "p",
        f"Every case ran once more in warm containers, one after another in an order shuffled by the seed {warm.seed}, "
        f"and was compared with its run above by the determinism the plugin claims ({warm.claim}): ",
        marks.text("warm", class_="good" if warm.agreement == "equal" else "bad"),
        ". The verdict rests on the runs in fresh containers.",
    )
    yield table(
        ("Case", "Run", "Differences"),
        [
            (one.case, element("code", one.run), "; ".join(one.differences) or "none")
            for one in sorted(warm.runs, key=lambda one: one.case)
        ],
        class_="dense",
    )


def _perturbed(report: Report) -> Html:
    """Each metric by perturbation; the criteria above say what is accepted."""
    levels = sorted({case.row.strata.get(PERTURBATION, "") for case in report.cases} - {""})
    if not levels:
        return element("p", "The kit declares no perturbed cases.")
    metrics = [one for one in report.protocol.metrics if one.kind not in {"outcome", "sameness"}]
    metrics = [one for one in metrics if one.against != "locked_release"]
    made = {one.id: one.summary for one in report.protocol.perturbations}
    rows = []
    for level in levels:
        members = [case.row for case in report.cases if case.row.strata.get(PERTURBATION) == level]
        rows.append(
            (
                level,
                made.get(level, "by the kit"),
                number(len(members)),
                *(_spread(members, metric.id) for metric in metrics),
            )
        )
    head = ("Perturbation", "What was done", "Cases", *(named(one) for one in metrics))
    note = "Least to greatest value over the cases; failed cases count as the protocol says."
    return join((table(head, rows, class_="dense sortable"), element("p", note, class_="note")))


def _spread(rows: Sequence[CaseRow], metric: str) -> Html:
    values = [value for row in rows if (value := row.values.get(metric)) is not None]
    failed = sum(metric in row.never_met for row in rows)
    note: Content = element("div", f"{failed} not met", class_="note") if failed else ""
    if not values:
        return number("no value", note=note)
    low, high = display(min(values)), display(max(values))
    return number(low if low == high else f"{low} to {high}", note=note)


def version_delta(report: Report, marks: Marks) -> Html:
    """Equivalence with the release of an earlier report."""
    delta = report.version_delta
    if delta is None:
        told = "No earlier release was named to compare with."
        left = [one.id for one in report.protocol.criteria if _is_about_versions(report, one.metric)]
        more = f" The criteria on such a comparison stay open: {', '.join(left)}." if left else ""
        return element("p", told, more)
    rows = [
        (
            *marks.cells(key, ("metric", "unit")),
            marks.number(f"{key}/difference/value"),
            element("td", marks.interval(f"{key}/difference"), class_="number"),
            marks.number(f"{key}/difference/n"),
            marks.number(f"{key}/margin", otherwise="none"),
            *(
                _optional(marks, f"{key}/{name}")
                for name in ("loa_low", "loa_high", "repeatability", "change")
            ),
            marks.text(f"{key}/verdict", class_=VERDICT_CLASS[one.verdict]),
        )
        for at, one in enumerate(delta.rows, start=1)
        for key in [f"version/{at}"]
    ]
    head = (
        "Metric", "Unit", "Mean difference", "Interval", "n", "Margin", "Lower limit of agreement",
        "Upper limit of agreement", "Repeatability coefficient", "Mean difference of changes", "Criteria on it",
    )  # fmt: skip
    named = facts(
        (
            ("Version", marks.text("delta/1/version")),
            ("Release", marks.digest("delta/1/release")),
            ("By its report", marks.digest("delta/1/report")),
            ("Of validation", element("code", marks.text("delta/1/validation"))),
            (
                "Locked by the trial",
                marks.text("delta/1/trial") if delta.trial else "not asked for by a trial",
            ),
            ("Cases that both answered", marks.text("delta/1/cases")),
        )
    )
    note = (
        "New release minus old one, on the same cases. Overlaps of their masks, where the protocol asks for them, "
        "stand among the criteria."
    )
    return join((named, table(head, rows, class_="dense") if rows else "", element("p", note, class_="note")))


def _is_about_versions(report: Report, metric: str) -> bool:
    return report.protocol.metric(metric).against == "locked_release"


def _optional(marks: Marks, key: str) -> Html:
    if not marks.has(f"{key}/value"):
        return number("not given")
    interval = element("div", marks.interval(key), ", n ", marks.text(f"{key}/n"), class_="note")
    return element("td", marks.text(f"{key}/value"), interval, class_="number")
