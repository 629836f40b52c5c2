"""Perturbed image files: read back by another library, repeatable to the byte, and refused where they would mislead."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from host.cases.nifti import read_header, read_label_map, read_volume
from host.errors import KitError
from host.perturbations.images import perturb_image, perturb_labels
from registry.canonical import digest
from tests.support.nifti_files import write_nifti
from tests.support.perturbations import COMPLETE, make_perturbation

AFFINE = np.array([[-1.0, 0.1, 0, 90], [0.1, 1.0, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1.0]])
SHAPE = (16, 18, 12)


def scan(dtype: object = np.int16) -> np.ndarray:
    """A bright block on a faint ground."""
    data = np.full(SHAPE, 200, dtype)
    data[5:11, 6:12, 4:8] = 1000
    return data


def perturbed(
    tmp_path: Path, kind: str, *, name: str = "scan.nii.gz", data=None, fields=None, **changes: object
) -> Path:
    source = write_nifti(tmp_path / name, scan() if data is None else data, AFFINE, **(fields or {}))
    target = tmp_path / f"{kind}-{name}"
    found = perturb_image(source, target, make_perturbation(kind, **changes), case_id="c1", port="scan")
    assert found == digest(target.read_bytes())
    return target


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
@pytest.mark.parametrize("kind", sorted(COMPLETE))
def test_a_copy_keeps_its_voxel_type_and_is_read_alike_by_another_library(
    kind: str, name: str, tmp_path: Path
) -> None:
    path = perturbed(tmp_path, kind, name=name)
    ours, theirs, before = read_volume(path), nibabel.load(path), nibabel.load(tmp_path / name)
    assert theirs.get_data_dtype() == np.int16
    assert np.array_equal(ours.data, theirs.get_fdata())
    assert not np.array_equal(np.asarray(theirs.dataobj), np.asarray(before.dataobj))
    assert np.array(ours.grid.affine) == pytest.approx(theirs.affine)
    assert theirs.header.get_qform() == pytest.approx(
        theirs.affine, abs=0.02
    )  # sheared: qform is the nearest
    if kind != "resampling":
        header = slice(0, 352)
        raw = [nibabel.Nifti1Image.from_filename(one).header.binaryblock for one in (path, tmp_path / name)]
        assert raw[0][header] == raw[1][header]


@pytest.mark.parametrize("kind", sorted(COMPLETE))
def test_the_same_declaration_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    first = perturbed(tmp_path, kind).read_bytes()
    assert perturbed(tmp_path, kind).read_bytes() == first


@pytest.mark.parametrize("kind", ["noise", "bias"])
def test_another_seed_case_or_port_gives_another_image(kind: str, tmp_path: Path) -> None:
    source = write_nifti(tmp_path / "scan.nii", scan(np.float32), AFFINE)
    one = make_perturbation(kind)
    variants = [(one, "c1", "scan"), (make_perturbation(kind, seed=8), "c1", "scan"), (one, "c2", "scan")]
    variants += [(one, "c1", "t1")]
    found = {
        perturb_image(source, tmp_path / "out.nii", declared, case_id=case, port=port)
        for declared, case, port in variants
    }
    assert len(found) == 4


def test_the_declared_noise_is_in_the_written_voxels(tmp_path: Path) -> None:
    flat = np.full((40, 40, 40), 500, np.int16)
    path = perturbed(tmp_path, "noise", data=flat, level=3.0)  # of 1000
    difference = read_volume(path).data - 500.0
    assert difference.std() == pytest.approx(np.sqrt(30**2 + 1 / 12), rel=0.02)  # rounding adds a twelfth


def test_noise_relative_to_a_percentile_follows_the_image(tmp_path: Path) -> None:
    flat = np.full((40, 40, 40), 500, np.int16)
    path = perturbed(tmp_path, "noise", data=flat, reference_intensity=None, reference_percentile=90.0)
    assert (read_volume(path).data - 500.0).std() == pytest.approx(25, rel=0.02)


def test_noise_in_the_images_unit_is_taken_as_it_is(tmp_path: Path) -> None:
    flat = np.full((40, 40, 40), 500, np.int16)
    path = perturbed(tmp_path, "noise", data=flat, unit="[hnsf'U]", level=10.0, reference_intensity=None)
    assert (read_volume(path).data - 500.0).std() == pytest.approx(10, rel=0.02)


def test_scaled_images_are_changed_in_their_values(tmp_path: Path) -> None:
    fields = {"scl_slope": 0.5, "scl_inter": -100.0}
    before = read_volume(write_nifti(tmp_path / "before.nii", scan(), AFFINE, **fields)).data
    after = read_volume(perturbed(tmp_path, "intensity", fields=fields)).data
    assert after == pytest.approx(1.25 * before, abs=0.26)  # half a step of the stored numbers


def test_masked_background_stays_zero_where_that_is_declared(tmp_path: Path) -> None:
    data = scan()
    data[data == 200] = 0
    path = perturbed(tmp_path, "noise", data=data, within="nonzero", distribution="rician")
    found = read_volume(path).data
    assert (found[data == 0] == 0).all() and (found[data > 0] != 1000).any()


def test_every_volume_of_a_series_is_changed(tmp_path: Path) -> None:
    series = np.stack([scan(), scan() // 2], axis=3)
    source = write_nifti(tmp_path / "series.nii", series, AFFINE)
    perturb_image(
        source, tmp_path / "out.nii", make_perturbation("rotation"), case_id="c", port="scan", ndim=4
    )
    found = read_volume(tmp_path / "out.nii", ndim=4).data
    assert found.shape == series.shape
    assert found[..., 1] == pytest.approx(found[..., 0] / 2, abs=1)
    assert (found[..., 0] != series[..., 0]).any()


def test_a_resampled_reference_lies_on_the_grid_of_its_image(tmp_path: Path) -> None:
    image = perturbed(tmp_path, "resampling", level=1.5)
    labels = write_nifti(tmp_path / "labels.nii.gz", (scan() > 500).astype(np.uint8), AFFINE)
    target = tmp_path / "labels-out.nii.gz"
    found = perturb_labels(
        labels, target, make_perturbation("resampling", level=1.5), case_id="c", port="mask"
    )
    assert found == digest(target.read_bytes())
    assert read_header(target).grid == read_header(image).grid
    bright = read_volume(image).data > 600
    assert np.mean(bright != (read_label_map(target).data > 0)) < 0.02


def test_a_rotated_reference_lies_where_its_image_shows_it(tmp_path: Path) -> None:
    image = perturbed(tmp_path, "rotation", level=25.0)
    labels = write_nifti(tmp_path / "labels.nii", (scan() > 500).astype(np.uint8), AFFINE)
    perturb_labels(
        labels, tmp_path / "out.nii", make_perturbation("rotation", level=25.0), case_id="c", port="m"
    )
    bright = read_volume(image).data > 600
    assert np.mean(bright != (read_label_map(tmp_path / "out.nii").data > 0)) < 0.02


@pytest.mark.parametrize("kind", ["noise", "bias", "intensity", "blur"])
def test_a_reference_stays_where_it_is_under_a_change_of_intensity(kind: str, tmp_path: Path) -> None:
    labels = write_nifti(tmp_path / "labels.nii", (scan() > 500).astype(np.uint8), AFFINE)
    perturb_labels(labels, tmp_path / "out.nii", make_perturbation(kind), case_id="c", port="m")
    assert (tmp_path / "out.nii").read_bytes() == labels.read_bytes()


def test_header_extensions_and_byte_order_are_kept(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(scan(">i2"), AFFINE, nibabel.Nifti1Header(endianness=">"))
    image.header.set_xyzt_units("mm")
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"said before"))
    nibabel.save(image, tmp_path / "big.nii")
    target = tmp_path / "out.nii"
    perturb_image(tmp_path / "big.nii", target, make_perturbation("resampling"), case_id="c", port="scan")
    found = nibabel.load(target)
    assert found.header.endianness == ">"
    assert found.header.extensions[0].get_content().rstrip(b"\0") == b"said before"
    assert found.header.get_zooms() == pytest.approx((2.0, 2.0, 2.0))


def test_a_change_that_the_voxel_type_cannot_hold_is_refused(tmp_path: Path) -> None:
    bright = np.full(SHAPE, 250, np.uint8)
    with pytest.raises(
        KitError, match=r"noise_1 of c1, input scan: .* leave the range of their type, uint8"
    ) as refused:
        perturbed(tmp_path, "noise", data=bright)
    assert "rician" in refused.value.hint
    assert not (tmp_path / "noise-scan.nii.gz").exists()


def test_rician_noise_on_values_below_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="rician noise is that of a magnitude"):
        perturbed(tmp_path, "noise", data=scan() - 500, distribution="rician")


@pytest.mark.parametrize("within", [None, "nonzero"])
def test_noise_relative_to_nothing_is_refused(within: str | None, tmp_path: Path) -> None:
    with pytest.raises(KitError, match="every voxel is 0|which nothing can be relative to"):
        perturbed(
            tmp_path, "noise", data=np.zeros(SHAPE, np.int16), within=within, reference_intensity=None,
            reference_percentile=99.0,
        )  # fmt: skip


def test_a_rotation_that_takes_labelled_voxels_out_of_the_image_is_refused(tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 0, 5] = 1
    source = write_nifti(tmp_path / "labels.nii", labels, AFFINE)
    with pytest.raises(KitError, match="1 labelled voxels of mask leave the image") as refused:
        perturb_labels(source, tmp_path / "out.nii", make_perturbation("rotation"), case_id="c", port="mask")
    assert "smaller angle" in refused.value.hint
