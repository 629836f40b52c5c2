"""NIfTI images: what is read right, and the one line for everything that is wrong."""

import gzip
import os
import time

import nibabel
import numpy as np
import pytest

from host.cases.errors import (
    DamagedImageError,
    DimensionsError,
    EmptyVolumeError,
    GridError,
    ImageError,
    ImageFileError,
    ImageTooLargeError,
    LabelValuesError,
    NonFiniteVoxelsError,
    NotANiftiError,
    OrientationError,
    SpaceUnitError,
    SpacingError,
    VoxelTypeError,
)
from host.cases.nifti import read_header, read_label_map, read_volume
from tests.support.nifti_files import nifti_bytes, ramp, write_bytes, write_nifti

NAN, INF = float("nan"), float("inf")
OBLIQUE = np.array([[-1.9, 0.1, 0, 90], [0.1, 1.9, 0, -126], [0, 0, 3, -72], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64, ">i2", ">f4"]
)
def test_a_volume_is_read_as_nibabel_reads_it(tmp_path, name, dtype):
    path = tmp_path / name
    nibabel.save(nibabel.Nifti1Image(ramp(dtype=dtype), OBLIQUE), path)
    volume, expected = read_volume(path), nibabel.load(path)
    assert np.array_equal(volume.data, expected.get_fdata())
    assert np.array_equal(volume.grid.affine, expected.affine)
    assert volume.grid.orientation == nibabel.aff2axcodes(expected.affine)
    assert (volume.minimum, volume.maximum) == (0.0, 119.0)


def test_stored_numbers_are_scaled_to_values(tmp_path):
    volume = read_volume(write_nifti(tmp_path / "ct.nii", scl_slope=0.5, scl_inter=-1024.0))
    assert (volume.minimum, volume.maximum) == (-1024.0, 119 / 2 - 1024)


def test_a_qform_alone_places_the_voxels(tmp_path):
    affine = np.diag([-2.0, -2.0, 3.0, 1.0])
    header = read_header(write_nifti(tmp_path / "pet.nii.gz", affine=affine, sform_code=0))
    assert header.grid.orientation == ("L", "P", "S")
    assert header.grid.spacing_mm == (2.0, 2.0, 3.0)


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    path = write_nifti(tmp_path / "scan.nii", ramp((4, 5, 6, 1)))
    assert read_volume(path).data.shape == (4, 5, 6)


def test_a_header_with_extensions_is_skipped_to_the_first_voxel(tmp_path):
    image = nibabel.Nifti1Image(ramp(), np.eye(4))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"acquired twice"))
    nibabel.save(image, tmp_path / "scan.nii.gz")
    assert np.array_equal(read_volume(tmp_path / "scan.nii.gz").data, ramp())


HEADER_FAULTS = {
    "a wrong magic": ({"magic": b"ni1\0"}, NotANiftiError, "another file"),
    "a wrong header size": ({"sizeof_hdr": 7}, NotANiftiError, "not a NIfTI"),
    "an offset into the header": ({"vox_offset": 100.0}, NotANiftiError, "vox_offset"),
    "an offset that is no number": ({"vox_offset": NAN}, NotANiftiError, "vox_offset"),
    "an offset beyond reason": ({"vox_offset": 1e30}, NotANiftiError, "vox_offset"),
    "two axes": ({"dim": (2, 4, 5, 1, 1, 1, 1, 1)}, DimensionsError, "4 x 5"),
    "no axes": ({"dim": (0,) * 8}, DimensionsError, "without axes"),
    "nine axes": ({"dim": (9, 4, 5, 6, 1, 1, 1, 1)}, DimensionsError, "not 3-D"),
    "a time axis": ({"dim": (4, 4, 5, 3, 2, 1, 1, 1)}, DimensionsError, "4 x 5 x 3 x 2"),
    "a negative axis": ({"dim": (3, 4, -5, 6, 1, 1, 1, 1)}, DimensionsError, "negative"),
    "an axis of no voxels": ({"dim": (3, 4, 0, 6, 1, 1, 1, 1)}, EmptyVolumeError, "no voxels"),
    "metres": ({"xyzt_units": 1}, SpaceUnitError, "metres"),
    "micrometres": ({"xyzt_units": 3}, SpaceUnitError, "micrometres"),
    "a zero spacing": ({"pixdim": (1.0, 0.0, 1.0)}, SpacingError, "0.0"),
    "a negative spacing": ({"pixdim": (1.0, -1.0, 1.0)}, SpacingError, "-1.0"),
    "a spacing that is no number": ({"pixdim": (1.0, NAN, 1.0)}, SpacingError, "nan"),
    "an infinite spacing": ({"pixdim": (1.0, INF, 1.0)}, SpacingError, "inf"),
    "neither sform nor qform": ({"sform_code": 0, "qform_code": 0}, OrientationError, "neither"),
    "a mirrored sform": ({"srow_x": (-1.0, 0.0, 0.0, 0.0)}, OrientationError, "mirror"),
    "a singular sform": ({"srow_x": (0.0, 1.0, 0.0, 0.0), "qform_code": 0}, GridError, "singular"),
    "an infinite sform": ({"srow_x": (INF, 0.0, 0.0, 0.0), "qform_code": 0}, GridError, "finite"),
    "a quaternion that is no rotation": (
        {"quatern": (3.0, 0.0, 0.0), "sform_code": 0},
        GridError,
        "rotation",
    ),
    "a qfac of two": ({"qfac": 2.0, "sform_code": 0}, GridError, "qfac"),
    "an unknown voxel type": ({"datatype": 1234}, VoxelTypeError, "1234"),
    "colours": ({"datatype": 128}, VoxelTypeError, "expected"),
    "complex numbers": ({"datatype": 32}, VoxelTypeError, "expected"),
    "an intercept that is no number": ({"scl_slope": 1.0, "scl_inter": NAN}, ImageError, "scl_inter"),
}


@pytest.mark.parametrize("fault", HEADER_FAULTS)
def test_a_faulty_header_is_refused_by_name(tmp_path, fault):
    fields, error, words = HEADER_FAULTS[fault]
    path = write_nifti(tmp_path / "scan.nii.gz", **fields)
    with pytest.raises(error) as caught:
        read_volume(path)
    assert_is_one_clear_line(caught.value, path)
    assert words in caught.value.message


def assert_is_one_clear_line(error, path):
    assert error.message.startswith(f"{path}: ")
    assert "\n" not in error.message
    assert error.subject == str(path)
    assert error.hint


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
@pytest.mark.parametrize("kept", [0, 1, 200, 348, 350, 352, 400, 591])
def test_a_file_cut_short_is_refused(tmp_path, name, kept):
    path = write_bytes(tmp_path / name, nifti_bytes()[:kept])
    with pytest.raises(NotANiftiError if kept < 348 else DamagedImageError) as caught:
        read_volume(path)
    assert_is_one_clear_line(caught.value, path)


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_compressed_stream_cut_short_is_refused(tmp_path, kept):
    path = write_nifti(
        tmp_path / "scan.nii.gz", np.random.default_rng(1).integers(0, 999, (9, 9, 9), np.int16)
    )
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(ImageError) as caught:
        read_volume(path)
    assert_is_one_clear_line(caught.value, path)


def test_a_flipped_bit_in_a_compressed_stream_is_refused(tmp_path):
    path = write_nifti(
        tmp_path / "scan.nii.gz", np.random.default_rng(1).integers(0, 999, (9, 9, 9), np.int16)
    )
    content = bytearray(path.read_bytes())
    content[-8] ^= 1  # in the checksum
    path.write_bytes(content)
    with pytest.raises(DamagedImageError):
        read_volume(path)


def test_bytes_after_the_last_voxel_are_refused(tmp_path):
    path = write_bytes(tmp_path / "scan.nii.gz", nifti_bytes() + b"!")
    with pytest.raises(DamagedImageError, match="goes on after the last voxel"):
        read_volume(path)


def test_a_decompression_bomb_is_refused_before_memory_is_taken(tmp_path):
    path = write_nifti(tmp_path / "scan.nii.gz", dim=(3, 32767, 32767, 32767, 1, 1, 1, 1))
    with pytest.raises(ImageTooLargeError) as caught:
        read_volume(path)
    assert_is_one_clear_line(caught.value, path)


def test_a_stream_of_many_zeros_after_a_small_image_is_not_inflated(tmp_path):
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(gzip.compress(nifti_bytes() + bytes(64 * 1024 * 1024)))
    start = time.perf_counter()
    with pytest.raises(DamagedImageError):
        read_volume(path)
    assert time.perf_counter() - start < 1.0


def test_the_limit_counts_what_scaling_needs(tmp_path):
    path = write_nifti(tmp_path / "scan.nii", scl_slope=0.5)
    with pytest.raises(ImageTooLargeError):
        read_volume(path, bytes_max=8 * 120 - 1)
    assert read_volume(path, bytes_max=8 * 120).data.nbytes == 8 * 120


def test_what_is_not_there_or_not_a_file_is_refused(tmp_path):
    fifo = tmp_path / "fifo.nii"
    os.mkfifo(fifo)
    (tmp_path / "folder.nii").mkdir()
    for path in (tmp_path / "absent.nii", tmp_path / "folder.nii", fifo):
        with pytest.raises(ImageFileError) as caught:
            read_header(path)
        assert_is_one_clear_line(caught.value, path)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" * 100, bytes(1000), b"DICM" * 100])
@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_other_formats_are_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        read_volume(path)
    assert_is_one_clear_line(caught.value, path)


def test_nifti_2_and_other_names_are_refused_with_a_remedy(tmp_path):
    path = tmp_path / "scan.nii"
    nibabel.save(nibabel.Nifti2Image(ramp(), np.eye(4)), path)
    with pytest.raises(NotANiftiError, match="NIfTI-2"):
        read_volume(path)
    with pytest.raises(NotANiftiError, match=r"neither in \.nii nor in \.nii\.gz"):
        read_volume(write_nifti(tmp_path / "scan.img"))


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_non_finite_voxels_are_counted(tmp_path, value):
    data = ramp(dtype=np.float32)
    data[1, 1, 1:3] = value
    with pytest.raises(NonFiniteVoxelsError, match="2 of 120 voxels"):
        read_volume(write_nifti(tmp_path / "scan.nii", data))


def test_scaling_that_overflows_counts_as_non_finite(tmp_path):
    data = ramp(dtype=np.float64) * 1e306
    with pytest.raises(NonFiniteVoxelsError):
        read_volume(write_nifti(tmp_path / "scan.nii", data, scl_slope=1e30))


def test_a_volume_of_one_value_is_refused_as_empty(tmp_path):
    path = write_nifti(tmp_path / "scan.nii.gz", np.full((4, 4, 4), 7, np.int16))
    with pytest.raises(EmptyVolumeError) as caught:
        read_volume(path)
    assert caught.value.code == "empty-volume"
    assert_is_one_clear_line(caught.value, path)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_a_label_map_is_counted_value_by_value(tmp_path, dtype):
    data = np.zeros((4, 5, 6), dtype)
    data[0] = 3
    data[1, 0, 0] = 200
    labels = read_label_map(write_nifti(tmp_path / "labels.nii.gz", data))
    assert labels.voxel_counts == {0: 89, 3: 30, 200: 1}
    assert labels.data.dtype == np.uint8
    assert np.array_equal(labels.data, data)


def test_a_label_map_of_background_only_is_allowed(tmp_path):
    assert read_label_map(write_nifti(tmp_path / "none.nii", np.zeros((3, 3, 3), np.uint8))).voxel_counts == {
        0: 27
    }


def test_labels_above_255_keep_their_value(tmp_path):
    data = np.zeros((3, 3, 3), np.int32)
    data[0, 0, 0] = 65535
    assert read_label_map(write_nifti(tmp_path / "labels.nii", data)).voxel_counts == {0: 26, 65535: 1}


@pytest.mark.parametrize("value", [0.5, -1.0, 65536.0])
def test_what_cannot_be_a_label_is_refused(tmp_path, value):
    data = np.zeros((3, 3, 3), np.float32)
    data[0, 0, 0] = value
    with pytest.raises(LabelValuesError):
        read_label_map(write_nifti(tmp_path / "labels.nii", data))


def test_a_full_scan_label_map_takes_well_under_a_second(tmp_path):
    data = np.zeros((256, 256, 160), np.uint8)
    data[50:200, 50:200, 50:100] = 3
    path = write_nifti(tmp_path / "labels.nii.gz", data)
    start = time.perf_counter()
    assert read_label_map(path).voxel_counts[3] == 150 * 150 * 50
    assert time.perf_counter() - start < 3.0  # generous: the machine may be busy


@pytest.mark.patient_data
def test_a_sarcoma_scan_and_its_contour_lie_on_one_grid(data_root):
    folder = data_root / "ibsi_sts" / "nifti" / "STS_002"
    scan, contour = read_volume(folder / "CT_image.nii.gz"), read_label_map(folder / "CT_mask.nii.gz")
    assert scan.grid == contour.grid
    assert scan.grid.orientation == ("L", "P", "S")
    assert -1100 < scan.minimum < -900  # air, in Hounsfield units
    tumour_ml = contour.voxel_counts[1] * contour.grid.voxel_volume_ml
    assert tumour_ml == pytest.approx(17090 * 0.976562**2 * 3.27 / 1000, rel=1e-5)


@pytest.mark.patient_data
def test_the_ibsi_phantom_has_its_published_mean_and_energy(data_root):
    folder = data_root / "ibsi_digital_phantom"
    inside = read_volume(folder / "phantom.nii.gz").data[read_label_map(folder / "mask.nii.gz").data == 1]
    assert inside.size == 74
    assert inside.mean() == pytest.approx(2.149, abs=5e-4)
    assert (inside.astype(float) ** 2).sum() == 567
