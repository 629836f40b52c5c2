"""The built-in metrics, through the same hook as anybody's; nothing is imported until it is asked for."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module

from plugin_spec.host_hooks import MetricRegistration, host_hookimpl

_PERCENTILE = (
    "max of the two directed 95th percentiles between border voxels; NaN if both masks are empty, inf if one"
)
_TOLERANCES_MM = (1, 2, 3)


@host_hookimpl
def assay_metrics() -> Iterator[MetricRegistration]:
    """Yield the built-in metrics."""
    yield from _overlap()
    yield from _surface()
    yield from _volume()
    yield from _numbers()


def _overlap() -> Iterator[MetricRegistration]:
    yield MetricRegistration(
        name="dice",
        definition="2 |P and R| / (|P| + |R|); NaN if both masks are empty",
        operands="masks",
        unit="1",
        better="higher",
        worst=0.0,
        source="Dice 1945",
        load=_function("overlap", "dice"),
    )
    yield MetricRegistration(
        name="jaccard",
        definition="|P and R| / |P or R|; NaN if both masks are empty",
        operands="masks",
        unit="1",
        better="higher",
        worst=0.0,
        source="Jaccard 1912",
        load=_function("overlap", "jaccard"),
    )


def _surface() -> Iterator[MetricRegistration]:
    for name, function, definition, source in (
        ("hd95_mm", "hausdorff_95_mm", _PERCENTILE, "Huttenlocher 1993; Maier-Hein 2024"),
        (
            "assd_mm",
            "average_symmetric_surface_distance_mm",
            "mean distance over the border voxels of both masks; NaN if both are empty, inf if one",
            "Heimann 2009",
        ),
        (
            "masd_mm",
            "mean_average_surface_distance_mm",
            "mean of the two directed mean distances of border voxels; NaN if both are empty, inf if one",
            "Beneš 2015",
        ),
    ):
        yield MetricRegistration(
            name=name,
            definition=definition,
            operands="masks",
            unit="mm",
            better="zero",
            worst=math.inf,
            source=source,
            load=_function("surface", function),
        )
    for tolerance_mm in _TOLERANCES_MM:
        yield MetricRegistration(
            name=f"nsd_{tolerance_mm}mm",
            definition=f"share of border voxels within {tolerance_mm} mm; NaN if both are empty, 0 if one",
            operands="masks",
            unit="1",
            better="higher",
            worst=0.0,
            source="Nikolov 2021",
            load=_function("surface", "normalized_surface_dice", tolerance_mm=float(tolerance_mm)),
        )


def _volume() -> Iterator[MetricRegistration]:
    for name, definition, unit, source in (
        ("volume_difference_ml", "predicted minus reference volume", "mL", "by definition"),
        (
            "absolute_volume_difference_ml",
            "absolute difference of the volumes; an empty mask has 0 mL",
            "mL",
            "by definition",
        ),
        (
            "relative_volume_difference_percent",
            "100 (|P| - |R|) / |R|; NaN if both masks are empty, inf if only the reference is",
            "%",
            "Heimann 2009",
        ),
    ):
        yield MetricRegistration(
            name=name,
            definition=definition,
            operands="masks",
            unit=unit,
            better="zero",
            worst=math.inf,
            source=source,
            load=_function("volume", name),
        )


def _numbers() -> Iterator[MetricRegistration]:
    for name, definition, unit in (
        ("difference", "predicted minus reference, in the unit of the column", ""),
        ("absolute_difference", "absolute difference, in the unit of the column", ""),
        (
            "relative_difference_percent",
            "100 (p - r) / |r|; NaN if both are 0, signed inf if only the reference is",
            "%",
        ),
    ):
        yield MetricRegistration(
            name=name,
            definition=definition,
            operands="numbers",
            unit=unit,
            better="zero",
            worst=math.inf,
            source="by definition",
            load=_function("volume", name),
        )


def _function(module: str, name: str, **fixed: float) -> Callable[[], Callable[..., float]]:
    def load() -> Callable[..., float]:
        function: Callable[..., float] = getattr(import_module(f"host.metrics.{module}"), name)
        return partial(function, **fixed) if fixed else function

    return load
