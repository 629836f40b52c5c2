"""The section on results by metric and stratum: figures, and what they show in numbers."""

from collections.abc import Iterator, Sequence

from host.reports.fields import display
from host.reports.figure import Figure
from host.reports.marks import Marks
from host.reports.markup import Content, Html, element, join, number, table
from host.reports.model import Report
from host.reports.sections import AnalysisRow
from host.reports.wording import QUANTITIES, named, scope_words
from host.reports.worst import RankedCase, worst_cases
from host.validation.metric import Metric

KINDS = {
    "agreement": "Agreement with the reference",
    "roc": "Discrimination",
    "calibration": "Calibration",
    "froc": "Detection",
    "survival": "Discrimination over time",
    "strata": "By stratum, for information",
}


def results(report: Report, figures: Sequence[Figure], marks: Marks) -> Html:
    """Metric by metric: its figures, then their numbers."""
    parts = [
        join((element("h3", named(metric)), element("p", metric.definition, class_="note lead"), *found))
        for metric in report.protocol.metrics
        if (found := [*_pictures(figures, metric.id), *_numbers(report, metric, marks)])
    ]
    return join(parts) or element("p", "No metric has a value that could be drawn.")


def worst(report: Report, figures: Sequence[Figure]) -> Html:
    """The five worst cases of each metric that a criterion looks at, and overlays where there are images."""
    tables = [
        join(
            (
                element("p", named(metric), class_="table-title lead"),
                table(
                    ("Rank", "Case", "Value", "Outcome", "Strata", "Message"),
                    [_worst_row(rank, one) for rank, one in enumerate(found, start=1)],
                    class_="dense",
                ),
            )
        )
        for metric in report.protocol.metrics
        if (found := worst_cases(report, metric.id))
    ]
    shown = placed(figures, "gallery") or element(
        "p", "No case has an image on which its answer could be drawn."
    )
    return join((*tables, element("h3", "Pictures"), shown))


def _worst_row(rank: int, case: RankedCase) -> tuple[Content, ...]:
    row = case.section.row
    strata = "; ".join(f"{name.replace('_', ' ')}: {level}" for name, level in sorted(row.strata.items()))
    outcome = f"{row.outcome}{f' ({row.reason_code})' if row.reason_code else ''}"
    value = number(
        display(case.value) if case.value is not None else "not met",
        note=element("div", case.note, class_="note") if case.note else "",
    )
    return str(rank), row.case, value, outcome, strata, case.section.message


def picture(figure: Figure) -> Html:
    """A figure with its title and how to read it."""
    return element(
        "figure",
        element("h4", figure.title),
        figure.svg,
        element("figcaption", figure.caption),
        id=f"figure-{figure.id}",
    )


def placed(figures: Sequence[Figure], place: str) -> Html:
    """The figures that belong to one place."""
    return join(picture(one) for one in figures if one.place == place)


def _pictures(figures: Sequence[Figure], metric: str) -> Iterator[Html]:
    yield from (picture(one) for one in figures if one.place == f"metric {metric}")


def _numbers(report: Report, metric: Metric, marks: Marks) -> Iterator[Html]:
    yield from _cross(metric, marks)
    rows = [
        (f"analysis/{at}", one) for at, one in enumerate(report.analyses, start=1) if one.metric == metric.id
    ]
    for key, row in rows:
        of, where = (marks.text(f"{key}/{name}") for name in ("metric", "scope"))
        about = join((" (criterion ", where, ")")) if row.kind == "strata" else join((" (", where, ")"))
        kind = marks.text(f"{key}/kind", class_="note")
        yield element("p", KINDS[row.kind], ": ", of, about, " ", kind, class_="table-title lead")
        yield table(("Quantity", "Estimate", "Interval", "n", "How"), _lines(key, row, marks), class_="dense")
    if rows and any(metric.id in case.row.imputed + case.row.never_met for case in report.cases):
        yield element(
            "p", "Cases that failed are left out of these numbers; the criteria count them.", class_="note"
        )


def _cross(metric: Metric, marks: Marks) -> Iterator[Html]:
    """The classes as they were called against those that are right."""
    classes = metric.classes or ()
    if not classes:
        return
    yield element("p", f"Calls against the reference standard: {metric.id}", class_="table-title lead")
    head = ("Reference", *(f"called {name}" for name in classes))
    rows = [
        (name, *(marks.number(f"cross/{metric.id}/{right}/{called}") for called in range(len(classes))))
        for right, name in enumerate(classes)
    ]
    yield table(head, rows, class_="dense short")
    yield element(
        "p", "Cases that failed are left out of this table; the criteria count them.", class_="note"
    )


def _lines(key: str, row: AnalysisRow, marks: Marks) -> Iterator[tuple[Html | str, ...]]:
    order = {name: place for place, name in enumerate(QUANTITIES)}
    for name, one in sorted(
        row.estimates.items(), key=lambda pair: (order.get(pair[0], len(order)), pair[0])
    ):
        yield (
            QUANTITIES.get(name, scope_words(name)),
            marks.number(f"{key}/{name}/value"),
            element("td", marks.interval(f"{key}/{name}"), class_="number"),
            marks.number(f"{key}/{name}/n"),
            f"{one.method}: {one.reason}".removeprefix("none: ") if one.reason else one.method,
        )
