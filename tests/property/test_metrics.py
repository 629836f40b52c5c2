"""Metrics of any two masks against the definitions, written out without thought of speed."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist

from host.metrics.lesions import LesionRule, match_lesions
from host.metrics.mask_pair import Mask, MaskPair
from host.metrics.overlap import dice
from host.metrics.surface import (
    DirectedDistances,
    average_symmetric_surface_distance_mm,
    hausdorff_percentile_mm,
    normalized_surface_dice,
    surface_distances,
)
from host.metrics.surfels import surfel_areas

SPACINGS_MM = (0.5, 0.7, 1.0, 1.3, 3.0)


@st.composite
def pairs(draw: st.DrawFn, smallest: int = 1) -> tuple[Mask, Mask, tuple[float, ...]]:
    """Two masks of two or three axes, often sparse, one of them perhaps shaped like the other."""
    shape = draw(st.lists(st.integers(smallest, 7), min_size=2, max_size=3))
    voxels = st.booleans() if draw(st.booleans()) else st.sampled_from([False] * 9 + [True])
    masks = [draw(arrays(bool, shape, elements=voxels)) for _ in range(2)]
    if draw(st.booleans()):
        masks[1] = masks[0] ^ (masks[1] & np.roll(masks[1], 1))
    if draw(st.booleans()):
        masks = [np.asfortranarray(mask) for mask in masks]
    return masks[0], masks[1], tuple(draw(st.sampled_from(SPACINGS_MM)) for _ in shape)


def border(mask: Mask, spacing_mm: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the voxels with a face to the outside, and what each counts."""
    padded = np.pad(mask, 1)
    at = [
        index
        for index in np.argwhere(padded)
        if not all(
            padded[tuple(index + step)]
            for step in np.vstack((np.eye(mask.ndim), -np.eye(mask.ndim))).astype(int)
        )
    ]
    return np.array(at, float).reshape(-1, mask.ndim) * spacing_mm, np.ones(len(at))


def surfels(mask: Mask, spacing_mm: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the points where voxels inside and outside meet, and the area of each."""
    padded, areas = np.pad(mask, 1), surfel_areas(spacing_mm)
    at, counts = [], []
    for index in np.ndindex(*(size + 1 for size in mask.shape)):
        block = padded[tuple(slice(start, start + 2) for start in index)].reshape(-1)
        if block.any() and not block.all():
            at.append(index)
            counts.append(areas[sum(1 << bit for bit, inside in enumerate(block) if inside)])
    return np.array(at, float).reshape(-1, mask.ndim) * spacing_mm, np.array(counts)


@pytest.mark.parametrize("surface", [border, surfels])
@given(masks=pairs())
def test_distances_between_surfaces_are_those_of_every_point_to_every_other(surface, masks) -> None:
    predicted, reference, spacing_mm = masks
    name = "border_voxels" if surface is border else "surfels"
    pair = MaskPair.of(predicted, reference, spacing_mm=spacing_mm)
    found = surface_distances(pair, name)
    (a, a_counts), (b, b_counts) = surface(predicted, spacing_mm), surface(reference, spacing_mm)
    table = cdist(a, b) if len(a) and len(b) else np.full((len(a), len(b)), np.inf)
    to_b, to_a = table.min(axis=1, initial=np.inf), table.min(axis=0, initial=np.inf)
    assert found.from_predicted.mm == pytest.approx(np.sort(to_b))
    assert found.from_reference.mm == pytest.approx(np.sort(to_a))
    total = a_counts.sum() + b_counts.sum()
    assert found.from_predicted.total + found.from_reference.total == pytest.approx(total)
    if len(a) and len(b):
        mean = (to_b @ a_counts + to_a @ b_counts) / total
        assert average_symmetric_surface_distance_mm(pair, surface=name) == pytest.approx(mean)
        for tolerance_mm in (0.0, 0.7, 2.0):
            near = [
                (one <= tolerance_mm + 1e-6) @ counts for one, counts in ((to_b, a_counts), (to_a, b_counts))
            ]
            share = normalized_surface_dice(pair, tolerance_mm=tolerance_mm, surface=name)
            assert share == pytest.approx(sum(near) / total)
    if name == "border_voxels" and len(a) and len(b):
        larger = max(np.percentile(to_b, 95), np.percentile(to_a, 95))
        assert hausdorff_percentile_mm(pair) == pytest.approx(larger)
        pooled = np.percentile(np.concatenate((to_b, to_a)), 95)
        assert hausdorff_percentile_mm(pair, directions="pooled") == pytest.approx(pooled)


@given(masks=pairs())
def test_overlap_is_that_of_the_whole_masks(masks) -> None:
    predicted, reference, spacing_mm = masks
    total = predicted.sum() + reference.sum()
    expected = 2 * (predicted & reference).sum() / total if total else np.nan
    assert dice(MaskPair.of(predicted, reference, spacing_mm=spacing_mm)) == pytest.approx(
        expected, nan_ok=True
    )


@given(
    mm=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    areas=st.lists(st.integers(1, 5), min_size=12, max_size=12),
    percent=st.sampled_from([0.0, 5.0, 50.0, 90.0, 95.0, 99.0, 100.0]),
)
def test_a_weighed_percentile_is_the_smallest_distance_that_covers_the_share(mm, areas, percent) -> None:
    ordered = np.sort(np.array(mm, float))
    weights = np.array(areas[: len(mm)], float)
    found = DirectedDistances(ordered, weights).percentile(percent)
    enough = [
        one for one in ordered if weights[ordered <= one].sum() >= percent / 100 * weights.sum() * (1 - 1e-12)
    ]
    assert found == pytest.approx(min(enough))


def components(mask: Mask, connectivity: int) -> list[frozenset[tuple[int, ...]]]:
    """Lesions as sets of voxels, grown voxel by voxel."""
    axes_that_differ = {6: 1, 18: 2, 26: 3}[connectivity]
    left, found = {tuple(map(int, index)) for index in np.argwhere(mask)}, []
    while left:
        grown, edge = set(), {min(left)}
        while edge:
            grown |= edge
            edge = {
                other
                for one in edge
                for other in left - grown
                if max(abs(a - b) for a, b in zip(one, other, strict=True)) == 1
                and sum(a != b for a, b in zip(one, other, strict=True)) <= axes_that_differ
            }
        left -= grown
        found.append(frozenset(grown))
    return found


def best_pairing(alike: np.ndarray, iou: np.ndarray) -> tuple[int, float]:
    """Most pairs, and the largest sum of shares among such pairings, by trying every one."""
    n, m = alike.shape
    for count in range(min(n, m), 0, -1):
        sums = [
            sum(iou[one, other] for one, other in zip(rows, columns, strict=True))
            for rows in combinations(range(n), count)
            for columns in permutations(range(m), count)
            if all(alike[one, other] for one, other in zip(rows, columns, strict=True))
        ]
        if sums:
            return count, max(sums)
    return 0, 0.0


@given(
    masks=pairs(smallest=2),
    connectivity=st.sampled_from([6, 18, 26]),
    matching=st.sampled_from(["any_overlap", "overlap_fraction", "iou"]),
    threshold=st.sampled_from([0.0, 0.25, 0.5]),
    minimum_voxels=st.integers(1, 3),
)
def test_lesions_are_matched_as_the_rule_says(
    masks, connectivity, matching, threshold, minimum_voxels
) -> None:
    predicted, reference, spacing_mm = masks
    predicted, reference = predicted[:4, :4], reference[:4, :4]  # few enough to try every pairing
    p, r = (
        [one for one in components(mask, connectivity) if len(one) >= minimum_voxels]
        for mask in (predicted, reference)
    )
    pair = MaskPair.of(predicted, reference, spacing_mm=spacing_mm)
    shared = np.array([[len(one & other) for other in p] for one in r], float).reshape(len(r), len(p))
    sizes = np.array([len(one) for one in r]), np.array([len(one) for one in p])
    iou = shared / np.maximum(sizes[0][:, None] + sizes[1][None, :] - shared, 1)
    of_reference = shared / sizes[0].reshape(-1, 1)
    share = {"any_overlap": np.ones_like(shared), "overlap_fraction": of_reference, "iou": iou}[matching]
    alike = (shared > 0) & (share >= threshold)

    def found_as(assignment: str):
        return match_lesions(
            pair,
            LesionRule(connectivity, matching, assignment, threshold, minimum_voxels=float(minimum_voxels)),
        )

    many = found_as("many_to_many")
    assert (many.found.size, many.right.size) == (len(r), len(p))
    if matching == "overlap_fraction":
        found = (shared.sum(axis=1) > 0) & (shared.sum(axis=1) >= threshold * sizes[0])
        right = (shared.sum(axis=0) > 0) & (shared.sum(axis=0) >= threshold * sizes[1])
    else:
        found, right = alike.any(axis=1), alike.any(axis=0)
    assert many.found.tolist() == found.tolist()
    assert many.right.tolist() == right.tolist()
    one = found_as("one_to_one")
    if min(alike.shape) <= 4 and max(alike.shape) <= 5:
        count, largest = best_pairing(alike, iou)
        assert one.found.sum() == one.right.sum() == count
        rows, columns = np.flatnonzero(one.found), np.flatnonzero(one.right)
        kept, best = best_pairing(alike[np.ix_(rows, columns)], iou[np.ix_(rows, columns)])
        assert (kept, best) == (count, pytest.approx(largest))


def test_the_best_pairing_is_found_by_trying_every_one() -> None:
    alike = np.array([[True, True], [True, False]])
    assert best_pairing(alike, np.array([[0.9, 0.2], [0.3, 0.0]])) == (2, pytest.approx(0.5))
