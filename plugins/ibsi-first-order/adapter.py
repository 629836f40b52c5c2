"""Intensity-based statistical features of a region, as the Image Biomarker Standardisation Initiative defines them.

Definitions: Zwanenburg et al., Image biomarker standardisation initiative reference manual (arXiv:1612.07003), section
"Intensity-based statistical features". Arrays have axes (I, J, K) as stored; every number is computed over the N voxels
of the region in double precision, without resampling, discretisation or outlier filtering. Percentiles are order
statistics: the lowest intensity that at least p % of the voxels do not exceed. (Interpolating between order statistics
gives 4.2 for the 90th percentile of the IBSI digital phantom, where the benchmark is 4.)
"""

from pathlib import Path

import nibabel
import numpy as np

from plugin_spec import Refuse, algorithm, hookimpl

MIN_VOXELS = 10  # below that, fourth moments and percentiles say nothing


@algorithm
def measure(image: Path, region: Path) -> dict[str, dict[str, float]]:
    """Compute the features of the voxels that ``region`` labels 1.

    Parameters
    ----------
    image, region
        The image and, on the same grid, the label map.

    Returns
    -------
    dict
        The row of the port ``features``.
    """
    values = np.asarray(nibabel.load(image).dataobj, dtype=np.float64)
    inside = values[np.asarray(nibabel.load(region).dataobj) == 1]
    if inside.size < MIN_VOXELS:
        raise Refuse(
            "region-too-small",
            f"region: {inside.size} voxels are labelled 1, at least {MIN_VOXELS} are needed",
        )
    if not np.isfinite(inside).all():
        raise Refuse("non-finite-intensities", "image: NaN or infinite intensities inside the region")
    return {"features": features(inside)}


def features(x: np.ndarray) -> dict[str, float]:
    """All eighteen features of the intensities ``x``, shape (N,).

    A region of one intensity has variance 0; skewness and kurtosis are then 0, as the manual lays down. The
    coefficients of variation and dispersion are refused where their denominator is 0.
    """
    mean, deviations = x.mean(), x - x.mean()
    variance = (deviations**2).mean()
    p10, p25, p75, p90 = (percentile(x, p) for p in (10, 25, 75, 90))
    median = np.median(x)
    if mean == 0 or p75 + p25 == 0:
        raise Refuse(
            "coefficient-undefined", "image: the mean, or the sum of the quartiles, of the region is 0"
        )
    core = x[(x >= p10) & (x <= p90)]
    return {
        "mean": mean,
        "variance": variance,
        "skewness": (deviations**3).mean() / variance**1.5 if variance else 0.0,
        "kurtosis": (deviations**4).mean() / variance**2 - 3.0 if variance else 0.0,
        "median": median,
        "minimum": x.min(),
        "p10": p10,
        "p90": p90,
        "maximum": x.max(),
        "interquartile_range": p75 - p25,
        "range": np.ptp(x),
        "mean_absolute_deviation": np.abs(deviations).mean(),
        "robust_mean_absolute_deviation": np.abs(core - core.mean()).mean(),
        "median_absolute_deviation": np.abs(x - median).mean(),
        "coefficient_of_variation": np.sqrt(variance) / mean,
        "quartile_dispersion": (p75 - p25) / (p75 + p25),
        "energy": (x**2).sum(),
        "root_mean_square": np.sqrt((x**2).mean()),
    }


def percentile(x: np.ndarray, p: float) -> float:
    """The lowest of the intensities that at least ``p`` % of them do not exceed (Hyndman & Fan 1996, type 1)."""
    return float(np.percentile(x, p, method="inverted_cdf"))


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions that every run's record keeps."""
    return {"nibabel": nibabel.__version__, "numpy": np.__version__}
