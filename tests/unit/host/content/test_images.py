"""Images: axes, grid, space, range and labels, seen voxel by voxel without keeping the image."""

import io

import numpy as np
import pytest

from host.cases.geometry import Grid
from host.content.images import check_image
from host.errors import OutputGridError, OutputLabelsError, OutputMalformedError, OutputRangeError
from tests.support.nifti_files import nifti_bytes, ramp
from tests.support.output_ports import output_port

GRID = Grid(
    (4, 5, 6), ((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0))
)


def check(content, port, expected=None):
    return check_image(port, io.BytesIO(content), "answer.nii", expected)


def series(shape=(4, 5, 6, 3)):
    return nifti_bytes(ramp(shape))


def test_a_series_of_volumes_is_compared_on_its_first_three_axes():
    port = output_port("volume", ndim=4, grid_of="scan")
    seen = check(series(), port, GRID)
    assert (seen.grid, seen.survey.maximum, seen.value_bytes) == (GRID, 359.0, 720)
    with pytest.raises(OutputGridError, match=r"port answer: shape \(3, 5, 6\)"):
        check(series((3, 5, 6, 3)), port, GRID)


def test_a_port_has_as_many_axes_as_it_declares():
    with pytest.raises(OutputMalformedError, match="4 x 5 x 6, not 4-D"):
        check(nifti_bytes(), output_port("volume", ndim=4))
    with pytest.raises(OutputMalformedError, match="4 x 5 x 6 x 3, not 3-D"):
        check(series(), output_port("volume"))
    with pytest.raises(OutputMalformedError, match="not 4-D"):
        check(series((4, 5, 6, 3, 2)), output_port("volume", ndim=4))


def test_the_last_volume_of_a_series_counts_too():
    data = ramp((4, 5, 6, 3))
    data[..., 2] = 10_000
    with pytest.raises(OutputRangeError, match="largest value 10000"):
        check(nifti_bytes(data), output_port("volume", ndim=4, value_max=1000.0))
    with pytest.raises(OutputMalformedError, match="ends after"):
        check(nifti_bytes(data)[:-1], output_port("volume", ndim=4))


@pytest.mark.parametrize(
    ("space", "code"),
    [
        ("scanner", 1),
        ("scanner", 2),
        ("MNI152NLin2009cAsym", 4),
        ("MNI152NLin2009cAsym", 2),
        ("MNI152NLin2009cAsym", 1),
        ("Talairach", 3),
        ("fsaverage", 5),
        ("fsaverage", 3),
    ],
)
def test_a_header_that_does_not_contradict_the_declared_space_is_taken(space, code):
    check(nifti_bytes(sform_code=code), output_port("volume", space=space))


@pytest.mark.parametrize(
    ("space", "code"),
    [("scanner", 3), ("scanner", 4), ("scanner", 5), ("MNI152Lin", 3), ("MNI152Lin", 5), ("Talairach", 4)],
)
def test_a_header_that_names_another_space_is_refused(space, code):
    with pytest.raises(OutputGridError, match=f"port answer: .*code {code}.*declares {space}"):
        check(nifti_bytes(sform_code=code), output_port("volume", space=space))


def test_a_volume_that_lies_where_its_input_lies_has_the_inputs_space():
    check(nifti_bytes(sform_code=4), output_port("volume", grid_of="scan"), GRID)


def test_labels_of_every_piece_of_a_large_image_are_seen():
    """More voxels than are looked at in one piece; the last one is the odd one out."""
    data = np.ones((128, 128, 128), np.uint8)
    port = output_port("label_map")
    assert check(nifti_bytes(data), port).survey.labels == {1}
    data[-1, -1, -1] = 9
    with pytest.raises(OutputLabelsError, match="holds the values 9"):
        check(nifti_bytes(data), port)


@pytest.mark.parametrize("value", [0.5, -1.0, 70_000.0, np.nan, np.inf])
def test_a_number_that_is_no_label_is_refused(value):
    data = np.ones((4, 5, 6), np.float32)
    data[3, 4, 5] = value
    with pytest.raises((OutputMalformedError, OutputRangeError), match="^port answer: "):
        check(nifti_bytes(data), output_port("label_map"))
