"""Our figures against those of other implementations, on masks of every kind.

surface-distance (DeepMind, Apache-2.0) weighs surfaces by area; SimpleITK (Apache-2.0) counts border voxels, overlap
and components. Both are used in tests only.
"""

import math

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - as its own documentation has it
import surface_distance
from scipy import ndimage
from surface_distance import lookup_tables

from host.metrics.lesions import LesionRule, match_lesions
from host.metrics.mask_pair import Mask
from host.metrics.overlap import dice, jaccard
from host.metrics.surface import (
    hausdorff_percentile_mm,
    normalized_surface_dice,
    surface_distances,
)
from host.metrics.surfels import surfel_areas
from tests.support.masks import pair

# Version 0.1 of surface-distance asks scipy for functions by names that scipy has moved since.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Please import `.*` from the `scipy.ndimage`:DeprecationWarning"
)
SPACING_MM = (0.9, 1.0, 2.5)


def smooth(seed: int, level: float) -> Mask:
    """Lumps with a margin around them: surface-distance is right only inside the image."""
    field = ndimage.gaussian_filter(np.random.RandomState(seed).normal(size=(40, 36, 24)), 2.5)
    mask: Mask = field > level * field.std()
    mask[[0, -1]] = mask[:, [0, -1]] = mask[:, :, [0, -1]] = False
    return mask


def wobbled(mask: Mask, seed: int) -> Mask:
    """The mask with its surface moved by a voxel or two."""
    inside, outside = (ndimage.distance_transform_edt(one) for one in (mask, ~mask))
    moved: Mask = inside - outside + 2 * np.random.RandomState(seed).normal(size=mask.shape) > 0
    moved[[0, -1]] = moved[:, [0, -1]] = moved[:, :, [0, -1]] = False
    return moved


MASKS = {
    "lumps against others": (smooth(1, 0.8), smooth(2, 0.8)),
    "a wobbling surface": (wobbled(smooth(3, 1.0), 4), smooth(3, 1.0)),
    "small and far": (smooth(5, 2.9), smooth(6, 2.6)),
    "noise": tuple(np.pad(np.random.RandomState(7).random_sample((2, 20, 20, 20)) < 0.3, 1)[1:3]),
}
every_kind = pytest.mark.parametrize(("predicted", "reference"), MASKS.values(), ids=MASKS)


@every_kind
def test_surfels_and_their_distances_are_those_of_surface_distance(predicted: Mask, reference: Mask) -> None:
    theirs = surface_distance.compute_surface_distances(reference, predicted, SPACING_MM)
    masks = pair(predicted, reference, SPACING_MM)
    ours = surface_distances(masks, "surfels")
    assert ours.from_predicted.mm == pytest.approx(theirs["distances_pred_to_gt"])
    assert ours.from_reference.mm == pytest.approx(theirs["distances_gt_to_pred"])
    assert ours.from_predicted.total == pytest.approx(theirs["surfel_areas_pred"].sum())
    means = surface_distance.compute_average_surface_distance(theirs)
    assert ours.from_reference.integral() / ours.from_reference.total == pytest.approx(means[0])
    assert ours.from_predicted.integral() / ours.from_predicted.total == pytest.approx(means[1])
    for percentile in (50.0, 95.0, 100.0):
        assert hausdorff_percentile_mm(masks, percentile=percentile, surface="surfels") == pytest.approx(
            surface_distance.compute_robust_hausdorff(theirs, percentile)
        )
    for tolerance_mm in (0.5, 1.0, 2.0, 3.3):
        share = normalized_surface_dice(masks, tolerance_mm=tolerance_mm, surface="surfels")
        expected = surface_distance.compute_surface_dice_at_tolerance(theirs, tolerance_mm)
        assert share == pytest.approx(expected)
    assert dice(masks) == pytest.approx(surface_distance.compute_dice_coefficient(reference, predicted))


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (1.0, 1.3, 1.7), (3.0, 2.0, 0.5)])
def test_every_block_of_voxels_has_the_area_that_surface_distance_gives_it(
    spacing_mm: tuple[float, ...],
) -> None:
    compare_tables(
        surfel_areas(spacing_mm),
        lookup_tables.create_table_neighbour_code_to_surface_area(spacing_mm),
        lookup_tables.ENCODE_NEIGHBOURHOOD_3D_KERNEL,
    )


def test_every_block_of_pixels_has_the_contour_that_surface_distance_gives_it() -> None:
    compare_tables(
        surfel_areas((2.0, 3.0)),
        lookup_tables.create_table_neighbour_code_to_contour_length((2.0, 3.0)),
        lookup_tables.ENCODE_NEIGHBOURHOOD_2D_KERNEL,
    )


def compare_tables(ours: np.ndarray, theirs: np.ndarray, kernel: np.ndarray) -> None:
    bits = kernel.reshape(-1)  # in the order of our corners
    for code, area in enumerate(ours):
        same = sum(int(bit) for number, bit in enumerate(bits) if code >> number & 1)
        assert area == pytest.approx(theirs[same]), f"block {code:b}"


def image(mask: Mask) -> sitk.Image:
    """SimpleITK has the axes the other way round."""
    made = sitk.GetImageFromArray(mask.transpose().astype(np.uint8))
    made.SetSpacing(SPACING_MM)
    return made


@every_kind
def test_overlap_is_that_of_simpleitk(predicted: Mask, reference: Mask) -> None:
    measures = sitk.LabelOverlapMeasuresImageFilter()
    measures.Execute(image(reference), image(predicted))
    masks = pair(predicted, reference, SPACING_MM)
    assert dice(masks) == pytest.approx(measures.GetDiceCoefficient())
    assert jaccard(masks) == pytest.approx(measures.GetJaccardCoefficient())


@every_kind
def test_distances_between_border_voxels_are_those_of_simpleitk(predicted: Mask, reference: Mask) -> None:
    found = surface_distances(pair(predicted, reference, SPACING_MM))
    for one, other, ours in (
        (predicted, reference, found.from_predicted),
        (reference, predicted, found.from_reference),
    ):
        surface = sitk.LabelContour(image(one), fullyConnected=False)
        far = sitk.Abs(
            sitk.SignedMaurerDistanceMap(
                sitk.LabelContour(image(other), fullyConnected=False),
                squaredDistance=False,
                useImageSpacing=True,
            )
        )
        theirs = sitk.GetArrayFromImage(far)[sitk.GetArrayFromImage(surface) > 0]
        assert ours.mm == pytest.approx(np.sort(theirs), abs=1e-4)  # single precision


@every_kind
@pytest.mark.parametrize("connectivity", [6, 26])
def test_components_are_those_of_simpleitk(predicted: Mask, reference: Mask, connectivity: int) -> None:
    rule = LesionRule(connectivity, "any_overlap", "many_to_many")
    found = match_lesions(pair(predicted, reference, SPACING_MM), rule)
    for mask, ours in ((predicted, found.predicted_mm3), (reference, found.reference_mm3)):
        labels = sitk.ConnectedComponent(image(mask), connectivity == 26)
        shapes = sitk.LabelShapeStatisticsImageFilter()
        shapes.Execute(labels)
        theirs = [shapes.GetPhysicalSize(one) for one in shapes.GetLabels()]
        assert sorted(ours) == pytest.approx(sorted(theirs))
        assert math.fsum(ours) == pytest.approx(mask.sum() * math.prod(SPACING_MM))
