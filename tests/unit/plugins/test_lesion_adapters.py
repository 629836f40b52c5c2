"""The imaging rules of the lesion plugins on arrays whose answer is known."""

import importlib.util
from pathlib import Path
from types import ModuleType

import nibabel
import numpy as np
import pytest

from plugin_spec import Refuse

PLUGINS = Path(__file__).parents[3] / "plugins"


def load(plugin: str) -> ModuleType:
    path = PLUGINS / plugin / "adapter.py"
    spec = importlib.util.spec_from_file_location(plugin.replace("-", "_"), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


flair, change, pet = (load(name) for name in ("ms-flair-lesions", "ms-flair-change", "pet-tumour-volume"))


def test_the_tissue_peak_of_a_normal_histogram_is_its_mean_and_spread() -> None:
    values = np.random.default_rng(1).normal(800.0, 40.0, 400_000)
    peak, width = flair.tissue_peak(values)
    assert peak == pytest.approx(800.0, abs=5.0)
    assert width == pytest.approx(40.0, rel=0.12)  # the histogram is smoothed, which widens it a little


def test_a_component_is_kept_by_size_and_by_its_share_of_white_matter() -> None:
    bright, white = np.zeros((20, 20, 20), bool), np.zeros((20, 20, 20), bool)
    white[:10] = True
    bright[2:5, 2:5, 2:5] = True  # 27 mm3 inside
    bright[2, 10, 10] = True  # too small
    bright[8:12, 15:18, 15:18] = True  # half of it outside white matter
    kept, number = flair.keep_lesions(bright, white, 1.0)
    assert (number, int(kept.sum())) == (1, 27)


def test_an_image_that_is_not_skull_stripped_is_refused(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.ones((8, 8, 8), np.float32), np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(Refuse, match="skull-strip"):
        flair.read_flair(tmp_path / "a.nii")


def test_a_finding_is_a_box_around_its_voxels_in_patient_coordinates() -> None:
    labels, rise = np.zeros((6, 6, 6), int), np.zeros((6, 6, 6))
    labels[1:3, 2, 3] = 1
    rise[1, 2, 3] = 6.0
    box = (slice(1, 3), slice(2, 3), slice(3, 4))
    found = change.finding(labels, rise, 1, box, np.diag([2.0, 2.0, 2.0, 1.0]))
    assert found["box"] == [[-5.0, -5.0, 5.0], [-1.0, -3.0, 7.0]]  # LPS: the first two axes turn
    assert found["score"] == pytest.approx(0.5)


def test_the_difference_of_scans_is_in_units_of_its_own_spread() -> None:
    rng = np.random.default_rng(2)
    first = rng.normal(500.0, 50.0, (30, 30, 30))
    second = 2.0 * (first + rng.normal(0.0, 5.0, first.shape)) + 100.0  # another scale, and noise
    mask = np.ones(first.shape, bool)
    rise = change.difference(first, second, mask, np.array([1.0, 1.0, 1.0]))
    assert np.std(rise) == pytest.approx(1.0, abs=0.1)
    assert abs(np.median(rise)) < 1e-9


def test_the_same_scan_twice_has_no_difference_to_measure() -> None:
    scan = np.random.default_rng(3).normal(500.0, 50.0, (12, 12, 12))
    with pytest.raises(Refuse, match="same image"):
        change.difference(scan, scan, np.ones(scan.shape, bool), np.ones(3))


def test_the_region_of_the_highest_uptake_leaves_out_what_does_not_touch_it() -> None:
    suv = np.ones((12, 12, 12))
    suv[2:5, 2:5, 2:5], suv[3, 3, 3], suv[8:11, 8:11, 8:11] = 8.0, 10.0, 8.0
    region = pet.connected_with_maximum(suv >= 4.1, suv)
    assert int(region.sum()) == 27
    assert region[3, 3, 3]


@pytest.mark.parametrize(
    ("value", "reason"),
    [(4500.0, "no SUV"), (-900.0, "no SUV"), (1.0, "highest SUV is 1.00"), (np.nan, "NaN")],
)
def test_what_is_no_pet_in_suv_is_refused(value: float, reason: str) -> None:
    with pytest.raises(Refuse, match=reason):
        pet.check(np.array([0.5, value]))
