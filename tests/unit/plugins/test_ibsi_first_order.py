"""The adapter of ibsi-first-order against numbers known by hand; the phantom's are in its kit."""

import importlib.util
from pathlib import Path
from types import ModuleType

import nibabel
import numpy as np
import pytest

from plugin_spec import Refuse

PLUGIN = Path(__file__).parents[3] / "plugins" / "ibsi-first-order"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


adapter = load(PLUGIN / "adapter.py")


def test_the_features_of_one_to_ten_are_those_computed_by_hand() -> None:
    found = adapter.features(np.arange(1.0, 11.0))
    assert found == pytest.approx({
        "mean": 5.5, "variance": 8.25, "skewness": 0.0, "kurtosis": 120.8625 / 8.25**2 - 3, "median": 5.5,
        "minimum": 1.0, "p10": 1.0, "p90": 9.0, "maximum": 10.0, "interquartile_range": 5.0, "range": 9.0,
        "mean_absolute_deviation": 2.5, "robust_mean_absolute_deviation": 20 / 9, "median_absolute_deviation": 2.5,
        "coefficient_of_variation": 8.25**0.5 / 5.5, "quartile_dispersion": 5 / 11, "energy": 385.0,
        "root_mean_square": 38.5**0.5,
    }, abs=1e-12)  # fmt: skip


def test_a_region_of_one_intensity_has_no_skewness_and_no_kurtosis() -> None:
    found = adapter.features(np.full(12, 7.0))
    assert (found["variance"], found["skewness"], found["kurtosis"]) == (0.0, 0.0, 0.0)


def test_a_mean_of_zero_is_refused_rather_than_divided_by() -> None:
    with pytest.raises(Refuse, match="quartiles, of the region is 0"):
        adapter.features(np.array([-1.0, 1.0] * 6))


def test_the_script_makes_the_committed_inputs(tmp_path: Path) -> None:
    load(PLUGIN / "tests" / "make_inputs.py").main(tmp_path)
    for name in ("image", "region", "small-region"):
        made, kept = (nibabel.load(folder / f"{name}.nii.gz") for folder in (tmp_path, PLUGIN / "tests"))
        assert np.array_equal(made.get_fdata(), kept.get_fdata())
        assert np.array_equal(made.affine, kept.affine)
