"""What the built-in metrics declare holds for their functions, and what a protocol gives them is checked."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from host import extensions
from host.errors import MetricParameterError
from host.metrics.findings import Findings, FindingsPair
from host.metrics.parameters import complete
from plugin_spec.codes import UCUM_UNITS
from plugin_spec.host_hooks import MetricParameter, MetricRegistration, Observed
from tests.support.masks import far_point, voxels

METRICS = extensions.metrics()
every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=lambda one: one.name)


def given(metric: MetricRegistration) -> dict[str, Any]:
    """A value for each parameter that has no default."""
    return {
        one.name: one.choices[0] if one.choices else min(1.0, one.maximum)
        for one in metric.parameters
        if one.default is None
    }


def computed(metric: MetricRegistration, operands: tuple[Any, ...]) -> float:
    answer = metric.load()(*operands, **complete(metric, given(metric)))
    if metric.operands in {"lesions", "findings"}:
        assert isinstance(answer, Observed)
        return answer.value
    return float(answer)


def operands(kind: str, predicted: int, reference: int) -> tuple[Any, ...]:
    """So many voxels on either side, so many findings, or the two numbers."""
    if kind == "numbers":
        return (float(predicted), float(reference))
    if kind == "findings":
        return (FindingsPair(findings(predicted), findings(reference)),)
    return (voxels(predicted, reference),)


def findings(count: int) -> Findings:
    places = np.arange(3.0 * count).reshape(count, 3)
    return Findings(places, places, ("lesion",) * count, np.ones(count))


@every_metric
def test_a_metric_declares_its_unit_its_worst_value_and_where_it_is_from(metric: MetricRegistration) -> None:
    assert metric.unit == "" or metric.unit in UCUM_UNITS
    # What has a best value only has no worst one; a distance has the longest in the image.
    assert (metric.worst == 0.0) == (metric.better == "higher")
    assert (metric.worst == "image_diagonal") == (metric.unit == "mm")
    assert all((metric.definition, metric.empty_case, metric.source))
    assert all(one.summary for one in metric.parameters)


@every_metric
def test_a_perfect_answer_has_the_best_value(metric: MetricRegistration) -> None:
    assert computed(metric, operands(metric.operands, 100, 100)) == (
        1.0 if metric.better == "higher" else 0.0
    )


@every_metric
def test_what_is_said_of_nothing_on_either_side_holds(metric: MetricRegistration) -> None:
    value = computed(metric, operands(metric.operands, 0, 0))
    if "not evaluable" in metric.empty_case:
        assert math.isnan(value)
    else:
        assert value == 0.0


@every_metric
def test_an_empty_answer_is_as_bad_as_its_worst_value_or_as_said(metric: MetricRegistration) -> None:
    value = computed(metric, operands(metric.operands, 0, 7))
    assert (value == math.inf) == ("infinite if one is" in metric.empty_case)
    if metric.better == "higher":
        assert value == metric.worst


@pytest.mark.parametrize(
    ("name", "expected_mm"),
    [("hd_mm", 11.31), ("hd95_mm", 6.79), ("hd95_pooled_mm", 2.26), ("hd95_surfels_mm", 11.31)],
)
def test_every_definition_of_the_hausdorff_distance_has_a_name(name: str, expected_mm: float) -> None:
    assert METRICS[name].load()(far_point()) == pytest.approx(expected_mm, abs=5e-3)


NSD = METRICS["nsd"]
PERCENTILE = METRICS["hausdorff_percentile_mm"]


def test_a_whole_number_stands_for_a_real_one_and_defaults_are_filled_in() -> None:
    assert complete(NSD, {"tolerance_mm": 2}) == {"tolerance_mm": 2.0, "surface": "border_voxels"}
    assert complete(METRICS["dice"], {}) == {}


@pytest.mark.parametrize(
    ("metric", "parameters", "said", "hint"),
    [
        (NSD, {}, "nsd: tolerance_mm is not given, and has no default", "a number, 0 or more"),
        (NSD, {"tolerance_mm": -1.0}, "nsd: tolerance_mm is -1.0", "a number, 0 or more"),
        (NSD, {"tolerance_mm": math.inf}, "nsd: tolerance_mm is inf", "a number, 0 or more"),
        (NSD, {"tolerance_mm": True}, "nsd: tolerance_mm is True", "a number, 0 or more"),
        (NSD, {"tolerance_mm": "2"}, "nsd: tolerance_mm is '2'", "a number, 0 or more"),
        (
            NSD,
            {"tolerance_mm": 1.0, "surface": "mesh"},
            "nsd: surface is 'mesh'",
            "surface: one of border_voxels, surfels",
        ),
        (NSD, {"tau": 1.0}, "nsd has no parameter tau", "it has: tolerance_mm, surface"),
        (
            PERCENTILE,
            {"percentile": 101, "directions": "larger"},
            "percentile is 101",
            "a number from 0 to 100",
        ),
        (METRICS["dice"], {"tau": 1.0}, "dice has no parameter tau", "it has: none"),
    ],
)
def test_a_parameter_that_is_not_allowed_is_refused_in_one_line(
    metric: MetricRegistration, parameters: Mapping[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(MetricParameterError) as refused:
        complete(metric, parameters)
    assert said in refused.value.message
    assert hint in refused.value.hint


def test_a_choice_of_numbers_takes_no_other_kind_of_number() -> None:
    parameter = MetricParameter(name="connectivity", summary="s", choices=(6, 18, 26))
    metric = MetricRegistration(**{**vars(NSD), "parameters": (parameter,)})
    assert complete(metric, {"connectivity": 26}) == {"connectivity": 26}
    for wrong in (26.0, 7, "26"):
        with pytest.raises(MetricParameterError, match="connectivity is"):
            complete(metric, {"connectivity": wrong})
