"""The figures of one validation: the charts, and overlays of the worst cases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from host.reports.figure import Figure
from host.reports.figures.charts import standard_figures
from host.reports.figures.marked import FindingMark, marked_figure
from host.reports.figures.overlay import overlay_figure
from host.reports.figures.strata import plain
from host.reports.markup import Html
from host.reports.model import Report
from host.reports.slices import load_canonical, recoded
from host.reports.worst import shown_cases

LABELS = "Reference, output and where they differ, on three planes through the largest disagreement."
MARKS = "Findings on three planes through the first that was missed, or else through the first there is; within 5 mm."


@dataclass(frozen=True)
class CaseImages:
    """Where the images of a case are, and what is drawn on them.

    Attributes
    ----------
    image : Path
    predicted, reference : Path or None
        Label maps on its grid.
    codes : mapping of int to int
        Value in the prediction to value in the reference.
    labels : mapping of int to str
        Value in the reference to name.
    marks : tuple of FindingMark
        Findings, where the answer is a list of them.
    """

    image: Path
    predicted: Path | None = None
    reference: Path | None = None
    codes: Mapping[int, int] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)
    marks: tuple[FindingMark, ...] = ()


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
            figures.append(_picture(case_id, why, images))
    return figures


def _picture(case_id: str, why: str, images: CaseImages) -> Figure:
    figure_id, title = f"picture-{plain(case_id)}", f"{case_id} ({why})"
    drawn, caption = _labels(images, title, figure_id), LABELS
    if drawn is None:
        drawn, caption = _marks(images, title, figure_id), MARKS
    return Figure(
        figure_id, title, f"{caption} The patient's right is on the left of the picture.", drawn, "gallery"
    )


def _labels(images: CaseImages, title: str, figure_id: str) -> Html | None:
    if images.predicted is None or images.reference is None:
        return None
    image = load_canonical(images.image)
    return overlay_figure(
        image.data,
        recoded(load_canonical(images.predicted).data, images.codes),
        load_canonical(images.reference).data,
        spacing_mm=image.spacing_mm,
        labels=images.labels,
        title=title,
        figure_id=figure_id,
    )


def _marks(images: CaseImages, title: str, figure_id: str) -> Html:
    return marked_figure(load_canonical(images.image), images.marks, title=title, figure_id=figure_id)
