"""The figures of one validation: the charts, and overlays of the worst cases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host.reports.figure import Figure
from host.reports.figures.charts import standard_figures
from host.reports.figures.overlay import overlay_figure
from host.reports.model import Report
from host.reports.slices import load_canonical, recoded
from host.reports.worst import shown_cases


@dataclass(frozen=True)
class CaseImages:
    """Where the images of a case are, and how its labels are numbered.

    Attributes
    ----------
    image, predicted, reference : Path
        On one grid.
    codes : mapping of int to int
        Value in the prediction to value in the reference.
    labels : mapping of int to str
        Value in the reference to name.
    """

    image: Path
    predicted: Path
    reference: Path
    codes: Mapping[int, int]
    labels: Mapping[int, str]


def draw(report: Report, images_of: Callable[[str], CaseImages | None]) -> list[Figure]:
    """Draw every figure of a report.

    Parameters
    ----------
    report : Report
    images_of : callable
        Images of a case by its id; ``None`` for a case without any.
    """
    figures = standard_figures(report)
    for case_id, why in shown_cases(report).items():
        images = images_of(case_id)
        if images is not None:
            figures.append(_overlay(case_id, why, images))
    return figures


def _overlay(case_id: str, why: str, images: CaseImages) -> Figure:
    image, spacing_mm = load_canonical(images.image)
    predicted, _ = load_canonical(images.predicted)
    reference, _ = load_canonical(images.reference)
    figure_id = f"overlay-{case_id.lower().replace('_', '-').replace('.', '-')}"
    title = f"{case_id} ({why})"
    return Figure(
        figure_id,
        title,
        "Reference, output and where they differ, on three planes through the largest disagreement. "
        "The patient's right is on the left of the picture.",
        overlay_figure(
            image,
            recoded(predicted, images.codes),
            reference,
            spacing_mm=spacing_mm,
            labels=images.labels,
            title=title,
            figure_id=figure_id,
        ),
        "gallery",
    )
