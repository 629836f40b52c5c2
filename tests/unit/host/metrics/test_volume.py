"""Differences of volumes and numbers."""

import math

from host.metrics.volume import (
    absolute_volume_difference_ml,
    relative_difference_percent,
    relative_volume_difference_percent,
    volume_difference_ml,
)
from tests.support.masks import voxels

SPACING_MM = (1.0, 2.0, 5.0)  # 10 mm3


def test_differences_have_a_sign_and_a_unit() -> None:
    assert volume_difference_ml(voxels(50, 150, SPACING_MM)) == -1.0
    assert absolute_volume_difference_ml(voxels(50, 150, SPACING_MM)) == 1.0
    assert relative_volume_difference_percent(voxels(150, 100, SPACING_MM)) == 50.0


def test_nothing_against_nothing_is_not_evaluable_and_something_against_nothing_is_infinite() -> None:
    assert math.isnan(relative_volume_difference_percent(voxels(0, 0)))
    assert relative_volume_difference_percent(voxels(1, 0)) == math.inf
    assert relative_volume_difference_percent(voxels(0, 1)) == -100.0
    assert relative_difference_percent(-1.0, 0.0) == -math.inf
