"""The figures of one validation: the charts, and overlays of the first and the worst case."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host.reports.figures import overlay_figure, standard_figures
from host.reports.html import Figure
from host.reports.model import Report
from host.reports.slices import load_canonical, recoded
from host.validation.verdict import worst_of

MAX_OVERLAYS = 4


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


def shown_cases(report: Report) -> dict[str, str]:
    """The first case that answered, and the worst of each criterion on a label; case id to why it is shown.

    At most ``MAX_OVERLAYS``: each adds about 0.6 MB to the page.
    """
    rows = {one.row.case: one.row for one in report.cases if one.row.expected == one.row.outcome == "ok"}
    shown = {case: "first case" for case in list(rows)[:1]}
    for criterion in report.protocol.criteria:
        if report.protocol.metric(criterion.metric).kind != "masks":
            continue
        valued = [
            (value, row) for row in rows.values() if (value := row.values.get(criterion.metric)) is not None
        ]
        _, worst = worst_of(criterion, valued)
        if worst is not None:
            shown.setdefault(worst.case, f"worst case of {criterion.id}")
    return dict(list(shown.items())[:MAX_OVERLAYS])


def _overlay(case_id: str, why: str, images: CaseImages) -> Figure:
    image, spacing_mm = load_canonical(images.image)
    predicted, _ = load_canonical(images.predicted)
    reference, _ = load_canonical(images.reference)
    return Figure(
        f"overlay-{case_id.lower().replace('_', '-').replace('.', '-')}",
        f"{case_id} ({why})",
        "Reference, output and where they differ, on three planes through the largest disagreement. "
        "The patient's right is on the left of the picture.",
        overlay_figure(
            image,
            recoded(predicted, images.codes),
            reference,
            spacing_mm=spacing_mm,
            labels=images.labels,
            title=case_id,
        ),
    )
