"""Detections: declared classes, scores and tracks where declared, and every finding inside the image."""

from collections.abc import Sequence

from host.cases.geometry import Grid
from host.content.documents import read_as
from host.content.images import GRID_TOLERANCE_MM
from host.content.wording import first_of
from host.errors import OutputContradictionError, OutputLabelsError, OutputMalformedError, OutputRangeError
from plugin_spec.documents import Detection, DetectionsDocument, Point
from plugin_spec.ports import DetectionsPort


def check_detections(port: DetectionsPort, data: bytes, within: Grid | None) -> DetectionsDocument:
    """Check a detections file.

    Parameters
    ----------
    port : DetectionsPort
    data : bytes
    within : Grid or None
        Of the image that the port's ``within`` names; every given corner lies inside its outer voxel faces. Numbers
        written as RAS where LPS is declared are told as such, where only the former lie inside.
    """
    document = read_as(DetectionsDocument, port.name, data)
    classes = {one.name for one in port.classes}
    for number, one in enumerate(document.detections, start=1):
        where = f"port {port.name}: finding {number}"
        if one.label not in classes:
            raise OutputLabelsError(f"{where} is a {one.label!r}, which is not declared", subject=port.name)
        _check_fields(port, one, where)
    tracks = [one.track_id for one in document.detections if one.track_id is not None]
    if len(set(tracks)) != len(tracks):
        twice = sorted({track for track in tracks if tracks.count(track) > 1})
        raise OutputContradictionError(
            f"port {port.name}: the tracks {first_of(twice)} stand in two findings of one time-point",
            subject=port.name,
        )
    if within is not None:
        _check_inside(port, document.detections, within)
    return document


def _check_fields(port: DetectionsPort, one: Detection, where: str) -> None:
    """Each finding has exactly the fields that the port declares."""
    declared = {
        "point": port.shape == "point",
        "box": port.shape == "box",
        "score": port.scored,
        "track_id": port.tracked,
    }
    for name, wanted in declared.items():
        if (getattr(one, name) is not None) != wanted:
            said = "lacks" if wanted else "has"
            raise OutputMalformedError(
                f"{where} {said} a {name}; the port declares shape {port.shape}, scored {str(port.scored).lower()}, "
                f"tracked {str(port.tracked).lower()}",
                subject=port.name,
            )


def _check_inside(port: DetectionsPort, found: Sequence[Detection], within: Grid) -> None:
    for number, one in enumerate(found, start=1):
        outside = [corner for corner in one.corners() if not _inside(within, _ras(corner))]
        if not outside:
            continue
        where = ", ".join(f"{coordinate:g}" for coordinate in outside[0])
        message = f"port {port.name}: finding {number} at ({where}) mm LPS lies outside {port.within}"
        if all(_inside(within, corner) for corner in one.corners()):
            raise OutputContradictionError(
                f"{message}, but inside it if the numbers are RAS: change the sign of the first two",
                subject=port.name,
            )
        raise OutputRangeError(message, subject=port.name)


def _ras(lps: Point) -> Point:
    return -lps[0], -lps[1], lps[2]


def _inside(grid: Grid, ras_mm: Point) -> bool:
    """Whether a world position lies inside the outer faces of the image's voxels."""
    return all(
        -0.5 - slack <= position <= size - 0.5 + slack
        for position, size, slack in zip(
            grid.index(ras_mm),
            grid.shape,
            (GRID_TOLERANCE_MM / edge for edge in grid.spacing_mm),
            strict=True,
        )
    )
