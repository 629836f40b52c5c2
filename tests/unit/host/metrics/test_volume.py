"""Volume metrics, and what is registered."""

import math

import numpy as np
import pytest

from host import extensions
from host.metrics.volume import (
    absolute_volume_difference_ml,
    relative_difference_percent,
    relative_volume_difference_percent,
    volume_difference_ml,
    volume_ml,
)

SPACING_MM = (1.0, 2.0, 5.0)  # 10 mm3


def mask(voxels):
    flat = np.zeros(1000, bool)
    flat[:voxels] = True
    return flat.reshape(10, 10, 10)


def test_differences_have_a_sign_and_a_unit():
    assert volume_difference_ml(mask(50), mask(150), spacing_mm=SPACING_MM) == -1.0
    assert absolute_volume_difference_ml(mask(50), mask(150), spacing_mm=SPACING_MM) == 1.0
    assert relative_volume_difference_percent(mask(150), mask(100), spacing_mm=SPACING_MM) == 50.0


def test_nothing_against_nothing_is_not_evaluable_and_something_against_nothing_is_infinite():
    assert math.isnan(relative_volume_difference_percent(mask(0), mask(0), spacing_mm=SPACING_MM))
    assert relative_volume_difference_percent(mask(1), mask(0), spacing_mm=SPACING_MM) == math.inf
    assert relative_volume_difference_percent(mask(0), mask(1), spacing_mm=SPACING_MM) == -100.0
    assert relative_difference_percent(-1.0, 0.0) == -math.inf


def test_probabilities_count_in_part_and_without_loss_in_single_precision():
    probabilities = np.full((256, 256, 256), 0.1, np.float32)
    assert volume_ml(probabilities, voxel_volume_ml=0.001) == pytest.approx(256**3 * 1e-4, rel=1e-6)
    assert volume_ml(mask(40), voxel_volume_ml=0.01) == pytest.approx(0.4)


@pytest.mark.parametrize("name", sorted(extensions.metrics()))
def test_every_registered_metric_can_be_called_as_its_operands_say(name):
    one = extensions.metric(name)
    function = one.load()
    value = (
        function(mask(100), mask(100), spacing_mm=SPACING_MM)
        if one.operands == "masks"
        else function(5.0, 5.0)
    )
    assert value == (1.0 if one.better == "higher" else 0.0)
    assert one.definition
    assert one.source
