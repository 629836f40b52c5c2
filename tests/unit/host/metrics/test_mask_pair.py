"""A pair of masks is looked through once, and nothing is lost by that."""

import numpy as np
import pytest

from host.metrics.mask_pair import MaskPair
from tests.support.masks import ISOTROPIC_3D, pair


def test_a_pair_keeps_what_either_mask_holds_and_where_it_was() -> None:
    predicted, reference = np.zeros((2, 6, 7, 8), bool)
    predicted[1:3, 2, 3] = True
    reference[2:4, 2, 3:5] = True
    found = pair(predicted, reference, (2.0, 3.0, 6.0))
    assert (found.shape, found.box) == ((6, 7, 8), (slice(1, 4), slice(2, 3), slice(3, 5)))
    assert (found.predicted_voxels, found.reference_voxels, found.common_voxels) == (2, 4, 1)
    assert np.array_equal(found.masks(), (predicted[found.box], reference[found.box]))
    assert found.voxel_volume_ml == pytest.approx(0.036)
    assert found.image_diagonal_mm == pytest.approx(np.linalg.norm([12, 21, 48]))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(9, 14), (5, 6, 7), (3, 2, 33)])
def test_counts_and_crop_are_those_of_numpy_whatever_the_layout(shape: tuple[int, ...], order: str) -> None:
    draw = np.random.RandomState(3)
    for density in (0.0, 0.02, 0.5, 1.0):
        predicted, reference = (
            np.asarray(draw.random_sample(shape) < density, order=order) for _ in range(2)
        )
        found = MaskPair.of(predicted, reference, spacing_mm=(1.0,) * len(shape))
        assert found.predicted_voxels == predicted.sum()
        assert found.reference_voxels == reference.sum()
        assert found.common_voxels == (predicted & reference).sum()
        inside = found.masks()
        assert np.array_equal(inside, (predicted[found.box], reference[found.box]))
        for axis in range(len(shape)):
            for edge in (0, -1):
                assert not inside[0].size or (inside[0] | inside[1]).take(edge, axis).any()


def test_masks_are_neither_modified_nor_kept() -> None:
    predicted, reference = np.zeros((2, 4, 4, 4), bool)
    predicted[1, 1, 1] = True
    found = pair(predicted, reference)
    predicted[:] = True
    found.masks()[0][:] = False
    assert found.masks()[0].tolist() == [[[True]]]
    assert not reference.any()


def test_what_metrics_share_is_computed_once() -> None:
    found, asked = pair(*np.ones((2, 2, 2, 2), bool)), []
    for _ in range(2):
        assert found.once("key", lambda one: asked.append(one) or len(asked)) == 1
    assert asked == [found]


def test_what_cannot_be_compared_is_refused() -> None:
    mask = np.ones((2, 2, 2), bool)
    with pytest.raises(ValueError, match="voxels with spacing"):
        MaskPair.of(mask, mask[:1], spacing_mm=ISOTROPIC_3D)
    with pytest.raises(ValueError, match="voxels with spacing"):
        MaskPair.of(mask, mask, spacing_mm=(1.0, 1.0))
    with pytest.raises(ValueError, match="masks are bool"):
        MaskPair.of(mask.astype(np.uint8), mask, spacing_mm=ISOTROPIC_3D)
