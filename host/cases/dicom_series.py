"""Many instances as one series: whether they belong together and fit their port, and the grid they span. Pure."""

import math
from collections.abc import Sequence
from typing import Final

from host.cases.dicom import Instance, Placement
from host.cases.errors import GridError
from host.cases.geometry import Grid, Triple
from plugin_spec.ports import DicomSeriesPort

# Slices this close to evenly spaced, and to one line, are a grid; vendors write positions with six decimals.
_SPACING_TOLERANCE_MM: Final = 0.01
_COSINE_TOLERANCE: Final = 1e-4


def series_order(one: Instance) -> tuple[int, int, str]:
    """By instance number, those without one last, then by SOP instance UID: the same whatever the files are called."""
    return (one.number is None, one.number or 0, one.sop_instance)


def series_fault(port: DicomSeriesPort, instances: Sequence[Instance]) -> str:
    """Why these instances are not the series that the port declares, in one line; empty when they are."""
    for name, found in (
        ("series", {one.series for one in instances}),
        ("SOP classes", {one.sop_class for one in instances}),
        ("modalities", {one.modality for one in instances}),
    ):
        if len(found) > 1:
            return f"port {port.name}: the folder holds instances of {len(found)} {name}, not of one"
    if len({one.sop_instance for one in instances}) != len(instances):
        return f"port {port.name}: an instance stands in the folder twice"
    first = instances[0]
    if not first.series:
        return f"port {port.name}: the instances name no series"
    if first.sop_class not in port.sop_classes:
        return (
            f"port {port.name}: the SOP class is {first.sop_class[:64] or 'not given'}, which is not declared"
        )
    if first.modality != port.modality:
        return f"port {port.name}: the modality is {first.modality[:16] or 'not given'}, not {port.modality}"
    if not port.instances_min <= len(instances) <= port.instances_max:
        return (
            f"port {port.name}: the series has {len(instances)} instances; "
            f"{port.instances_min} to {port.instances_max} are declared"
        )
    return ""


def series_grid(instances: Sequence[Instance]) -> Grid | None:
    """The grid that single-frame slices span; ``None`` where they are not evenly spaced along one straight line."""
    places = [one.placement for one in instances if one.placement is not None]
    if len(places) != len(instances) or len(places) < 2 or not _alike(places):
        return None
    first = places[0]
    row, column = first.orientation[:3], first.orientation[3:]
    normal = (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )
    ordered = sorted(places, key=lambda one: math.fsum(map(_product, one.position_mm, normal)))
    start, end = ordered[0].position_mm, ordered[-1].position_mm
    step = tuple((b - a) / (len(ordered) - 1) for a, b in zip(start, end, strict=True))
    for number, one in enumerate(ordered):
        expected = [a + number * length for a, length in zip(start, step, strict=True)]
        if math.dist(one.position_mm, expected) > _SPACING_TOLERANCE_MM:
            return None
    return _grid(first, (step[0], step[1], step[2]), start, len(ordered))


def _grid(first: Placement, step: Triple, start: Sequence[float], slices: int) -> Grid | None:
    row = [cosine * first.spacing_mm[1] for cosine in first.orientation[:3]]
    column = [cosine * first.spacing_mm[0] for cosine in first.orientation[3:]]
    # From LPS to RAS: the first two world axes change their sign.
    x, y, z = (
        (sign * row[axis], sign * column[axis], sign * step[axis], sign * start[axis])
        for axis, sign in enumerate((-1.0, -1.0, 1.0))
    )
    try:
        return Grid((first.columns, first.rows, slices), (x, y, z, (0.0, 0.0, 0.0, 1.0)))
    except GridError:
        return None


def _alike(places: Sequence[Placement]) -> bool:
    first = places[0]
    return all(
        (one.columns, one.rows) == (first.columns, first.rows)
        and math.dist(one.spacing_mm, first.spacing_mm) <= _COSINE_TOLERANCE
        and math.dist(one.orientation, first.orientation) <= _COSINE_TOLERANCE
        for one in places
    )


def _product(a: float, b: float) -> float:
    return a * b
