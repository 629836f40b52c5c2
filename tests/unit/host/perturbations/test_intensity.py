"""Noise, bias and blur against what is known of them in closed form."""

import numpy as np
import pytest

from host.perturbations.intensity import BiasField, blurred, gaussian_noise, random_of, rician_noise

MANY = (200, 200)


def test_gaussian_noise_has_the_declared_standard_deviation_and_no_mean() -> None:
    noise = gaussian_noise(np.full(MANY, 700.0), 35.0, random_of(1, "noise")) - 700.0
    assert noise.mean() == pytest.approx(0, abs=4 * 35 / 200)  # four standard errors of the mean
    assert noise.std() == pytest.approx(35, rel=4 / np.sqrt(2 * noise.size))


def test_rician_noise_without_signal_is_rayleigh_noise() -> None:
    noise = rician_noise(np.zeros(MANY), 20.0, random_of(1, "noise"))
    assert noise.mean() == pytest.approx(20 * np.sqrt(np.pi / 2), rel=0.02)
    assert noise.var() == pytest.approx((2 - np.pi / 2) * 20**2, rel=0.03)


def test_rician_noise_adds_twice_its_variance_to_the_mean_square() -> None:
    noisy = rician_noise(np.full(MANY, 50.0), 20.0, random_of(2, "noise"))
    assert np.mean(noisy**2) == pytest.approx(50**2 + 2 * 20**2, rel=0.02)


def test_each_use_of_a_seed_has_a_stream_of_its_own() -> None:
    draws = [random_of(1, *what).standard_normal() for what in (("a", "b"), ("a", "b"), ("ab",), ("a", "c"))]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3
    assert random_of(2, "a", "b").standard_normal() != draws[0]


def test_a_bias_field_spans_what_brainweb_calls_its_percentage_and_is_smooth() -> None:
    shape = (30, 20, 10)
    field = BiasField(shape, 20.0, random_of(3, "bias"))
    for k in range(shape[2]):
        field.count(k)
    whole = np.stack([field.slice(k) for k in range(shape[2])], axis=2)
    assert (whole.min(), whole.max()) == (pytest.approx(0.9), pytest.approx(1.1))
    assert max(np.abs(np.diff(whole, axis=axis)).max() for axis in range(3)) < 0.1


def test_a_bias_field_spans_its_percentage_over_the_voxels_that_count() -> None:
    field = BiasField((30, 20, 1), 40.0, random_of(3, "bias"))
    inside = np.zeros((30, 20), dtype=bool)
    inside[10:20, 5:15] = True
    field.count(0, inside)
    found = field.slice(0)[inside]
    assert (found.min(), found.max()) == (pytest.approx(0.8), pytest.approx(1.2))


def test_a_bias_field_over_nothing_is_flat() -> None:
    field = BiasField((4, 4, 1), 40.0, random_of(3, "bias"))
    field.count(0, np.zeros((4, 4), dtype=bool))
    assert (field.slice(0) == 1.0).all()


def test_a_blurred_point_has_the_declared_width_in_millimetres_and_keeps_its_sum() -> None:
    point = np.zeros((41, 41, 41))
    point[20, 20, 20] = 1000.0
    smooth = blurred(point, fwhm_mm=6.0, spacing_mm=(1.0, 1.0, 2.0))
    assert smooth.sum() == pytest.approx(1000)
    expected = (6.0 / (2 * np.sqrt(2 * np.log(2)))) ** 2
    for axis, spacing_mm in enumerate((1.0, 1.0, 2.0)):
        offsets = (np.arange(41) - 20) * spacing_mm
        profile = smooth.sum(axis=tuple(one for one in range(3) if one != axis))
        assert np.sum(offsets**2 * profile) / 1000 == pytest.approx(expected, rel=0.02)
