"""Where to cut a volume, and which side of the patient is which side of the picture."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from host.errors import FigureError
from host.reports.slices import cuts, cuts_through, load_canonical, recoded


def test_letters_stand_where_the_patient_has_that_side() -> None:
    volume = np.zeros((9, 11, 13), np.uint8)
    volume[7, 8, 10] = 1  # to the right, anterior, superior
    everything = np.ones(volume.shape, np.uint8)
    for cut in cuts(everything, everything * 2, (1.0, 1.0, 1.0)):
        index = {2: 10, 1: 8, 0: 7}[cut.axis]
        picture = type(cut)(cut.name, cut.axis, index, cut.pixel_mm, cut.edges, cut.window).of(volume)
        row, column = (int(at) for at in np.argwhere(picture)[0])
        left, right, top, bottom = cut.edges
        horizontal = left if column < picture.shape[1] / 2 else right
        vertical = top if row < picture.shape[0] / 2 else bottom
        assert {horizontal, vertical} <= {"R", "A", "S"}, cut.name


def test_the_slice_with_the_largest_disagreement_is_shown() -> None:
    reference = np.zeros((20, 20, 20), np.uint8)
    reference[5:15, 5:15, 5:15] = 1
    predicted = reference.copy()
    predicted[6:9, 11, 12] = 0
    predicted[6, 9:12, 12] = 0
    assert [(cut.name, cut.index) for cut in cuts(predicted, reference, (1.0, 1.0, 1.0))] == [
        ("axial", 12),
        ("coronal", 11),
        ("sagittal", 6),
    ]


def test_two_equal_maps_are_cut_where_the_reference_is_largest() -> None:
    reference = np.zeros((9, 9, 9), np.uint8)
    reference[4, 4, 2:7] = 1
    reference[3:6, 3:6, 5] = 1
    assert [cut.index for cut in cuts(reference, reference, (1.0, 1.0, 1.0))] == [5, 4, 4]


def test_a_pixel_keeps_its_shape() -> None:
    ones = np.ones((4, 4, 4), np.uint8)
    assert [cut.pixel_mm for cut in cuts(ones, ones, (1.0, 2.0, 3.0))] == [(1.0, 2.0), (1.0, 3.0), (2.0, 3.0)]


def test_maps_of_other_shapes_are_refused() -> None:
    with pytest.raises(FigureError, match=r"\(4, 4, 4\) and \(4, 4, 5\)"):
        list(cuts(np.ones((4, 4, 4)), np.ones((4, 4, 5)), (1.0, 1.0, 1.0)))


def test_maps_that_label_nothing_are_refused() -> None:
    with pytest.raises(FigureError, match="labels anything"):
        list(cuts(np.zeros((4, 4, 4)), np.zeros((4, 4, 4)), (1.0, 1.0, 1.0)))


def test_an_image_stored_as_lps_is_read_as_ras(tmp_path: Path) -> None:
    stored = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    path = tmp_path / "image.nii.gz"
    nibabel.save(nibabel.Nifti1Image(stored, np.diag([-1.0, -2.0, 3.0, 1.0])), path)
    volume = load_canonical(path)
    assert volume.spacing_mm == (1.0, 2.0, 3.0)
    assert np.array_equal(volume.data, stored[::-1, ::-1, :])


def test_a_place_in_the_patient_is_found_in_the_image_however_it_is_stored(tmp_path: Path) -> None:
    stored = np.zeros((5, 6, 7), np.int16)
    stored[1, 2, 3] = 9
    affine = np.array([[-1.0, 0, 0, 10], [0, 0, 2.0, -5], [0, 3.0, 0, 7], [0, 0, 0, 1]])
    path = tmp_path / "image.nii.gz"
    nibabel.save(nibabel.Nifti1Image(stored, affine), path)
    place_mm = tuple(float(one) for one in (affine @ (1, 2, 3, 1))[:3])
    volume = load_canonical(path)
    index = tuple(round(one) for one in volume.index_of(place_mm))  # type: ignore[arg-type]  # three numbers
    assert volume.data[index] == 9


def test_planes_through_a_place_are_whole_and_stay_inside() -> None:
    planes = list(cuts_through((10, 11, 12), (3.4, -2.0, 40.0), (1.0, 1.0, 1.0)))
    assert [(cut.name, cut.index) for cut in planes] == [("axial", 11), ("coronal", 0), ("sagittal", 3)]
    assert [cut.of(np.zeros((10, 11, 12))).shape for cut in planes] == [(11, 10), (12, 10), (12, 11)]
    with pytest.raises(FigureError, match="no three planes"):
        list(cuts_through((4, 4), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))


def test_labels_are_renumbered_and_others_become_background() -> None:
    assert recoded(np.array([0, 1, 2, 3]), {1: 2, 2: 1}).tolist() == [0, 2, 1, 0]
