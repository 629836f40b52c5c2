"""The section on single cases: what is judged, what was measured, and how the runs went."""

from collections.abc import Iterator

from host.reports.fields import display
from host.reports.marks import Marks
from host.reports.markup import Content, Html, breakable, element, join, number, table
from host.reports.model import CaseSection, Report
from plugin_spec.case import QcEntry
from registry.statements import Measured

MIB = 1024 * 1024


def cases(report: Report, marks: Marks) -> Html:
    """Every case three times: what is judged, what was measured, and how the run went."""
    metrics = [metric.id for metric in report.protocol.metrics]
    strata = sorted({name for case in report.cases for name in case.row.strata})
    head = (
        "Case",
        "Subject",
        *map(breakable, strata),
        "Expected",
        "Outcome",
        "Reason",
        *map(breakable, metrics),
    )
    judged = table(
        head, [tuple(_judged(case, strata, metrics, marks)) for case in report.cases], class_="dense sortable"
    )
    measured = [row for case in report.cases for row in _measured(case)]
    numbers = table(
        ("Case", "Column", "Measured", "Reference", "Difference", "Relative [%]", "Unit"),
        measured,
        class_="dense sortable",
    )
    common = set.intersection(*(set(case.warnings) for case in report.cases))
    runs = table(
        ("Case", "Run", "Time [s]", "Peak memory [MiB]", "Warnings", "Message"),
        [_run(case, common) for case in report.cases],
        class_="dense sortable",
    )
    return join(
        (
            element("h3", "What is judged"),
            judged,
            element(
                "p",
                "* A case without an answer, with what the protocol counts it as. “No value”: the metric "
                "does not apply (a case that is to be refused has nothing to measure) or is not evaluable.",
                class_="note",
            ),
            element("h3", "What was measured"),
            numbers if measured else element("p", "No case has a measurement with a reference."),
            element("h3", "How the runs went"),
            element("p", f"Every case warned: {'; '.join(sorted(common))}.") if common else "",
            runs,
            *_quality(report),
        )
    )


def _quality(report: Report) -> Iterator[Html]:
    """The figures by which the plugin judges its own answers, one column each."""
    names = sorted({one.id for case in report.cases for one in case.qc})
    if not names:
        return
    rows = []
    for case in report.cases:
        found = {one.id: one for one in case.qc}
        rows.append((case.row.case, *(_quality_figure(found.get(name)) for name in names)))
    yield element("h3", "Quality figures of the plugin")
    yield table(("Case", *map(breakable, names)), rows, class_="dense sortable")
    yield element("p", "The plugin's own; a figure that it did not pass is named so.", class_="note")


def _quality_figure(one: QcEntry | None) -> Html:
    if one is None:
        return number("none")
    value = one.value if isinstance(one.value, str) else display(one.value)
    return number(value if one.verdict == "pass" else f"{value} ({one.verdict})")


def _judged(case: CaseSection, strata: list[str], metrics: list[str], marks: Marks) -> Iterator[Content]:
    row = case.row
    yield from (row.case, row.subject, *(row.strata.get(name, "") for name in strata), row.expected)
    yield marks.text(f"case/{row.case}/outcome", class_="good" if row.outcome == row.expected else "bad")
    yield row.reason_code
    for metric in metrics:
        if metric in row.never_met:
            yield element("td", marks.text(f"case/{row.case}/{metric}"), " * not met", class_="number bad")
        elif metric in row.values:
            star = " *" if metric in row.imputed else ""
            yield element("td", marks.text(f"case/{row.case}/{metric}"), star, class_="number")
        else:
            yield "not computed"


def _measured(case: CaseSection) -> Iterator[tuple[Content, ...]]:
    first: dict[str, Measured] = {}
    for measured in case.measured:
        first.setdefault(measured.column, measured)
    for column, reference in sorted(case.references.items()):
        one = first.get(column)
        if one is None or isinstance(one.value, str):
            yield case.row.case, column, number("no value"), _figure(reference), "", "", ""
            continue
        difference = one.value - reference
        relative = f"{100 * difference / reference:+.2f}" if reference else ""
        yield (
            case.row.case,
            column,
            _figure(one.value),
            _figure(reference),
            number(f"{difference:+.4g}", title=repr(difference)),
            number(relative),
            one.unit or "",
        )


def _run(case: CaseSection, common: set[str]) -> tuple[Content, ...]:
    peak = "not known" if case.memory_peak_bytes is None else str(case.memory_peak_bytes // MIB)
    return (
        case.row.case,
        element("code", case.run),
        number(f"{case.duration_s:.1f}"),
        number(f"{peak} of {case.memory_limit_bytes // MIB}"),
        "; ".join(one for one in case.warnings if one not in common),
        case.message,
    )


def _figure(value: float) -> Html:
    return number(display(value), title=repr(value))
