"""The section on results by metric and stratum: figures, and what they show in numbers."""

from collections.abc import Iterator, Sequence

from host.reports.fields import display
from host.reports.figure import Figure
from host.reports.marks import Marks
from host.reports.markup import Content, Html, element, join, number, table
from host.reports.model import Report
from host.reports.sections import AnalysisRow
from host.reports.wording import named
from host.reports.worst import RankedCase, worst_cases

# What an analysis calls its figures, for reading.
QUANTITIES = {
    "bias": "Bias (mean difference, measured − reference)",
    "loa_low": "Lower limit of agreement",
    "loa_high": "Upper limit of agreement",
    "proportional_bias": "Proportional bias (slope of the difference on the mean)",
    "concordance": "Concordance correlation coefficient (Lin)",
    "auc": "Area under the ROC curve",
    "sensitivity": "Sensitivity, as it was called",
    "specificity": "Specificity, as it was called",
    "brier": "Brier score",
    "slope": "Calibration slope",
    "intercept": "Calibration intercept",
    "observed_expected": "Observed over expected events",
    "harrell_c": "Harrell's C",
    "false_positives_per_case": "False positives per case",
    "precision": "Precision (positive predictive value)",
}
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
        if (found := [*_pictures(figures, metric.id), *_numbers(report, metric.id, marks)])
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


def _numbers(report: Report, metric: str, marks: Marks) -> Iterator[Html]:
    rows = [
        (f"analysis/{at}", one) for at, one in enumerate(report.analyses, start=1) if one.metric == metric
    ]
    for key, row in rows:
        yield element("p", KINDS[row.kind], " of ", *_whole(key, marks), class_="table-title lead")
        yield table(("Quantity", "Estimate", "Interval", "n", "How"), _lines(key, row, marks), class_="dense")
        if row.note:
            yield element("p", marks.text(f"{key}/note"), class_="note")


def _whole(key: str, marks: Marks) -> Iterator[Html | str]:
    yield marks.text(f"{key}/metric")
    yield " ("
    yield marks.text(f"{key}/kind")
    yield ", "
    yield marks.text(f"{key}/scope")
    yield ")"


def _lines(key: str, row: AnalysisRow, marks: Marks) -> Iterator[tuple[Html | str, ...]]:
    for name, one in row.estimates.items():
        yield (
            QUANTITIES.get(name, name),
            marks.number(f"{key}/{name}/value"),
            element("td", marks.interval(f"{key}/{name}"), class_="number"),
            marks.number(f"{key}/{name}/n"),
            one.method if not one.reason else f"no interval: {one.reason}",
        )
