"""Figures of a validation report, as SVG text. Importing this package loads matplotlib."""

from host.reports.figures.charts import measured_against_reference, metric_by_case, reference_and_measured
from host.reports.figures.flow import flow_figure
from host.reports.figures.overlay import overlay_figure
from host.reports.html import Figure
from host.reports.model import Report

__all__ = [
    "flow_figure",
    "measured_against_reference",
    "metric_by_case",
    "overlay_figure",
    "standard_figures",
]


def standard_figures(report: Report) -> list[Figure]:
    """Make every figure that needs no image: case flow, measured against reference, metrics by case."""
    figures = [
        Figure(
            "flow",
            "Case flow",
            "Every case of the kit and where it went. Failed cases stay in the denominator.",
            flow_figure(report),
        )
    ]
    for column in sorted({column for case in report.cases for column in case.references}):
        if any(reference_and_measured(case, column) for case in report.cases):
            figures.append(
                Figure(
                    f"measured-{column}",
                    f"Measured against reference: {column}",
                    "Points are single cases. No interval is drawn, because cases derived from one scan are "
                    "not independent. The diagonal is identity; the shaded band is the tolerance of the "
                    "protocol, where it has one. The case farthest off in each stratum is named.",
                    measured_against_reference(report, column),
                )
            )
    for metric in report.protocol.metrics:
        if metric.kind != "outcome" and any(metric.id in case.row.values for case in report.cases):
            figures.append(
                Figure(
                    f"metric-{metric.id}",
                    f"{metric.id} by case",
                    f"{metric.definition} The shaded side of the line is accepted. A cross is a case without "
                    "an answer, drawn at what the protocol counts it as.",
                    metric_by_case(report, metric.id),
                )
            )
    return figures
