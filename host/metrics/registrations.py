"""The built-in metrics, through the same hook as anybody's; nothing is imported until it is asked for."""

import math
from collections.abc import Iterator
from typing import Any

from host.metrics.detection_registrations import finding_metrics, lesion_metrics
from host.metrics.lazy import function_of
from plugin_spec.host_hooks import MetricParameter, MetricRegistration, host_hookimpl

_BORDER = "border voxels share a face with a voxel outside the mask, beyond the image's edge included"
_SURFELS = "elements of the marching-cubes surface, each by its area"
_BOTH_NAN = "not evaluable if both masks are empty"
_SURFACE = MetricParameter(
    name="surface",
    summary=f"what the surface is: {_BORDER}; or surfels, {_SURFELS}",
    choices=("border_voxels", "surfels"),
    default="border_voxels",
)
_FIXED_TOLERANCES_MM = (1, 2, 3)  # names that protocols of version 1 have, which give no parameters


@host_hookimpl
def assay_metrics() -> Iterator[MetricRegistration]:
    """Yield the built-in metrics."""
    yield from _overlap()
    yield from _hausdorff()
    yield from _surface()
    yield from _volume()
    yield from lesion_metrics()
    yield from finding_metrics()
    yield from _numbers()


def _overlap() -> Iterator[MetricRegistration]:
    for name, definition, empty_case, source in (
        ("dice", "2 |P and R| / (|P| + |R|)", _BOTH_NAN, "Dice 1945"),
        ("jaccard", "|P and R| / |P or R|", _BOTH_NAN, "Jaccard 1912"),
        (
            "voxel_sensitivity",
            "|P and R| / |R|: the share of the reference that was found",
            "not evaluable if the reference is empty",
            "Maier-Hein 2024",
        ),
        (
            "voxel_precision",
            "|P and R| / |P|: the share of what was found that is right",
            f"{_BOTH_NAN}; 0 if only the predicted one is",
            "Maier-Hein 2024",
        ),
    ):
        yield MetricRegistration(
            name=name,
            definition=definition,
            empty_case=empty_case,
            operands="masks",
            unit="1",
            better="higher",
            worst=0.0,
            source=source,
            load=function_of("overlap", name),
        )


def _hausdorff() -> Iterator[MetricRegistration]:
    linear = "percentile by linear interpolation"
    reached = "percentile as the smallest distance within which that share of the area lies"
    percentile = MetricParameter(name="percentile", summary="100 is the largest distance", maximum=100.0)
    directions = MetricParameter(
        name="directions",
        summary="the larger of the two directed percentiles, or the percentile of both directions pooled",
        choices=("larger", "pooled"),
    )
    for name, definition, source, parameters, fixed in (
        (
            "hd_mm",
            "the largest distance from a point of either surface to the other surface",
            "Huttenlocher 1993",
            (_SURFACE,),
            {"percentile": 100.0},
        ),
        (
            "hd95_mm",
            f"the larger of the two directed 95th percentiles between border voxels; {_BORDER}; {linear}",
            "Huttenlocher 1993; Maier-Hein 2024",
            (),
            {},
        ),
        (
            "hd95_pooled_mm",
            f"95th percentile of both directions' distances between border voxels, pooled; {_BORDER}; {linear}",
            "Reinke 2024",
            (),
            {"directions": "pooled"},
        ),
        (
            "hd95_surfels_mm",
            f"the larger of the two directed 95th percentiles between {_SURFELS}; {reached}",
            "Nikolov 2021",
            (),
            {"surface": "surfels"},
        ),
        (
            "hausdorff_percentile_mm",
            f"percentile of distances between surfaces; border voxels: {linear}; surfels: {reached}",
            "Huttenlocher 1993",
            (percentile, directions, _SURFACE),
            {},
        ),
    ):
        yield _distance(name, "hausdorff_percentile_mm", definition, source, parameters, **fixed)


def _surface() -> Iterator[MetricRegistration]:
    yield _distance(
        "assd_mm",
        "average_symmetric_surface_distance_mm",
        f"mean distance over the points of both surfaces; {_BORDER}",
        "Heimann 2009",
        (_SURFACE,),
    )
    yield _distance(
        "masd_mm",
        "mean_average_surface_distance_mm",
        f"mean of the two directed mean distances; {_BORDER}",
        "Beneš 2015",
        (_SURFACE,),
    )
    tolerance = MetricParameter(
        name="tolerance_mm", summary="what readers differ by; a distance equal to it is within"
    )
    yield _share_within("nsd", "a declared tolerance", (tolerance, _SURFACE))
    for tolerance_mm in _FIXED_TOLERANCES_MM:
        yield _share_within(f"nsd_{tolerance_mm}mm", f"{tolerance_mm} mm", (), tolerance_mm=tolerance_mm)


def _distance(
    name: str,
    function: str,
    definition: str,
    source: str,
    parameters: tuple[MetricParameter, ...] = (),
    **fixed: Any,
) -> MetricRegistration:
    return MetricRegistration(
        name=name,
        definition=definition,
        empty_case=f"{_BOTH_NAN}, infinite if one is",
        operands="masks",
        unit="mm",
        better="zero",
        worst="image_diagonal",
        source=source,
        load=function_of("surface", function, **fixed),
        parameters=parameters,
    )


def _share_within(
    name: str, tolerance: str, parameters: tuple[MetricParameter, ...], **fixed: Any
) -> MetricRegistration:
    return MetricRegistration(
        name=name,
        definition=f"share of both surfaces within {tolerance} of the other one; {_BORDER}",
        empty_case=f"{_BOTH_NAN}, 0 if one is",
        operands="masks",
        unit="1",
        better="higher",
        worst=0.0,
        source="Nikolov 2021",
        load=function_of("surface", "normalized_surface_dice", **fixed),
        parameters=parameters,
    )


def _volume() -> Iterator[MetricRegistration]:
    for name, definition, empty_case, unit, source in (
        (
            "volume_difference_ml",
            "predicted minus reference volume",
            "an empty mask has 0 mL",
            "mL",
            "by definition",
        ),
        (
            "absolute_volume_difference_ml",
            "absolute difference of the volumes",
            "an empty mask has 0 mL",
            "mL",
            "by definition",
        ),
        (
            "relative_volume_difference_percent",
            "100 (|P| - |R|) / |R|",
            f"{_BOTH_NAN}, infinite if only the reference is",
            "%",
            "Heimann 2009",
        ),
    ):
        yield MetricRegistration(
            name=name,
            definition=definition,
            empty_case=empty_case,
            operands="masks",
            unit=unit,
            better="zero",
            worst=math.inf,
            source=source,
            load=function_of("volume", name),
        )


def _numbers() -> Iterator[MetricRegistration]:
    for name, definition, empty_case, unit in (
        ("difference", "predicted minus reference, in the unit of the column", "0 is a number", ""),
        ("absolute_difference", "absolute difference, in the unit of the column", "0 is a number", ""),
        (
            "relative_difference_percent",
            "100 (p - r) / |r|",
            "not evaluable if both are 0, infinite with p's sign if only the reference is",
            "%",
        ),
    ):
        yield MetricRegistration(
            name=name,
            definition=definition,
            empty_case=empty_case,
            operands="numbers",
            unit=unit,
            better="zero",
            worst=math.inf,
            source="by definition",
            load=function_of("volume", name),
        )
