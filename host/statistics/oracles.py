"""Every published figure that this engine must reproduce, as data.

Invariants
----------
* A figure is written as it is printed at its source; it may be missed by half of its last digit, or not at all where
  it is exact.
* An oracle computes with the functions that judge a validation, never with a formula of its own.
* What cannot be run stays in the list with the reason.
"""

import gzip
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from host.metrics import published_masks
from host.metrics.overlap import dice
from host.metrics.surface import (
    average_symmetric_surface_distance_mm,
    hausdorff_percentile_mm,
    mean_average_surface_distance_mm,
    normalized_surface_dice,
    surface_distances,
)
from host.statistics import asah_ranks, ovarian
from host.statistics.agreement import bias_correction, bland_altman, concordance
from host.statistics.estimate import Estimate
from host.statistics.first_order import first_order
from host.statistics.oracle import DataFile, Oracle, exact, printed
from host.statistics.proportions import wilson
from host.statistics.published_samples import (
    DEMING_X,
    DEMING_Y,
    MINI_1,
    MINI_2,
    RATINGS,
    WRIGHT_1,
    WRIGHT_2,
)
from host.statistics.regression import deming
from host.statistics.reliability import FORMS, icc
from host.statistics.repeatability import repeatability_coefficient, within_subject_sd
from host.statistics.roc import auc, compare_jointly, compare_paired

Files = Mapping[str, bytes]

PHANTOM: Final = DataFile(
    "phantom.nii.gz", "sha256:83773ac2a288aa93cf819a98eaf301c18d35d5876182ec9c18733184e2b7a83a", 126
)
PHANTOM_MASK: Final = DataFile(
    "mask.nii.gz", "sha256:3032d340944b577b83bc559ea7ae9a6034b84633a840eff39570ec17aa1d6281", 99
)


def _bland_altman(_: Files) -> Sequence[float]:
    found = bland_altman(WRIGHT_1, MINI_1)
    return (
        found.bias.value,
        found.bias.low,
        found.bias.high,
        found.sd,
        found.loa_low.value,
        found.loa_high.value,
    )


def _repeatability(_: Files) -> Sequence[float]:
    meters = [tuple(zip(*pair, strict=True)) for pair in ((WRIGHT_1, WRIGHT_2), (MINI_1, MINI_2))]
    return [
        function(one).value for one in meters for function in (within_subject_sd, repeatability_coefficient)
    ]


def _reliability(_: Files) -> Sequence[float]:
    return [icc(RATINGS, form=form).value for form in FORMS]


def _concordance(_: Files) -> Sequence[float]:
    return concordance(WRIGHT_1, MINI_1).value, bias_correction(WRIGHT_1, MINI_1)


def _asah(_: Files) -> Sequence[float]:
    area = auc(asah_ranks.NDKA, asah_ranks.POOR)
    compared = compare_paired(asah_ranks.WFNS, asah_ranks.S100B, asah_ranks.POOR)
    return area.value, area.low, area.high, compared.statistic, compared.p_value


def _ovarian(_: Files) -> Sequence[float]:
    markers = (ovarian.ALBUMIN, ovarian.TOTAL_PROTEIN, [10 - score for score in ovarian.KG_SCORE])
    areas = [auc(marker, ovarian.BENEFIT) for marker in markers]
    joint = compare_jointly(markers, ovarian.BENEFIT).chi_square
    return (*(number for area in areas for number in (area.value, _standard_error(area))), joint)


def _standard_error(area: Estimate) -> float:
    return (area.high - area.value) / float(stats.norm.isf((1.0 - area.level) / 2.0))


def _deming(_: Files) -> Sequence[float]:
    found = deming(DEMING_X, DEMING_Y, error_ratio=4.0)
    return (
        found.intercept.value,
        found.slope.value,
        found.intercept_error,
        found.slope_error,
        found.slope.low,
        found.slope.high,
    )


def _unobtainable(_: Files) -> Sequence[float]:
    raise LookupError("the sample of this oracle cannot be had")


def _newcombe(_: Files) -> Sequence[float]:
    intervals = [wilson(*counts) for counts in ((81, 263), (15, 148), (0, 20), (1, 29))]
    return [end for one in intervals for end in (one.low, one.high)]


def _surface_distance(_: Files) -> Sequence[float]:
    cubes, voxels = published_masks.half_cubes(), published_masks.two_voxels()
    found = surface_distances(voxels, "surfels")
    return (
        dice(cubes),
        hausdorff_percentile_mm(cubes, surface="surfels"),
        *(one.integral() / one.total for one in (found.from_reference, found.from_predicted)),
        hausdorff_percentile_mm(voxels, percentile=100.0, surface="surfels"),
    )


def _metrics_reloaded(_: Files) -> Sequence[float]:
    cross, far = published_masks.square_and_cross(), published_masks.far_point()
    return (
        dice(cross),
        average_symmetric_surface_distance_mm(cross),
        mean_average_surface_distance_mm(cross),
        normalized_surface_dice(cross, tolerance_mm=1.0),
        dice(published_masks.boxes()),
        hausdorff_percentile_mm(far, percentile=100.0),
        hausdorff_percentile_mm(far),
    )


def _phantom(files: Files) -> Sequence[float]:
    found = first_order(_voxels(files[PHANTOM.name])[_voxels(files[PHANTOM_MASK.name]) > 0])
    return found.mean, found.variance, found.skewness, found.kurtosis, found.energy


def _voxels(packed: bytes) -> NDArray[Any]:
    import nibabel

    return np.asarray(nibabel.Nifti1Image.from_bytes(gzip.decompress(packed)).dataobj)


ORACLES: Final = (
    Oracle(
        "bland-altman-1986",
        "Bland and Altman 1986, Lancet 327, 307-310: peak flow of 17 subjects, Wright 1 - Mini 1; 1.96 SD limits",
        printed(
            ("bias, l/min", "-2.118"),
            ("bias, lower 95 % bound", "-22.05"),
            ("bias, upper 95 % bound", "17.81"),
            ("SD of the differences", "38.765"),
            ("lower limit of agreement", "-78.10"),
            ("upper limit of agreement", "73.86"),
        ),
        _bland_altman,
    ),
    Oracle(
        "bland-altman-1986-repeatability",
        "Bland and Altman 1986, the two readings of each meter; RC = 2.77 wSD (Raunig et al. 2015)",
        printed(
            ("wSD of the Wright meter, l/min", "15.307"),
            ("RC of the Wright meter", "42.40"),
            ("wSD of the Mini meter", "19.911"),
            ("RC of the Mini meter", "55.15"),
        ),
        _repeatability,
    ),
    Oracle(
        "shrout-fleiss-1979",
        "Shrout and Fleiss 1979, Psychological Bulletin 86, 420-428: six subjects, four judges",
        printed(
            ("ICC(1,1)", ".1657"),
            ("ICC(2,1)", ".2898"),
            ("ICC(3,1)", ".7148"),
            ("ICC(1,4)", ".4428"),
            ("ICC(2,4)", ".6201"),
            ("ICC(3,4)", ".9093"),
        ),
        _reliability,
    ),
    Oracle(
        "lin-1989",
        "Lin 1989, Biometrics 45, 255-268, divisor n: the peak flow of Bland and Altman 1986, Wright 1 - Mini 1",
        printed(("CCC", ".94274"), ("C_b", ".99943")),
        _concordance,
    ),
    Oracle(
        "proc-asah",
        "Robin et al. 2011, BMC Bioinformatics 12, 77, and the tests of pROC: aSAH, 113 patients of Turck et al. 2010",
        printed(
            ("AUC of NDKA", ".611958"),
            ("AUC of NDKA, lower 95 % bound", ".501245"),
            ("AUC of NDKA, upper 95 % bound", ".722671"),
            ("Z of WFNS against S100B", "2.208984"),
            ("p of WFNS against S100B", ".027176"),
        ),
        _asah,
    ),
    Oracle(
        "delong-1988-ovarian",
        "DeLong et al. 1988, Biometrics 44, 837-845, as the SAS/STAT User's Guide prints it (LOGISTIC): 43 patients",
        printed(
            ("AUC of albumin", ".73656"),
            ("SE of albumin", ".09269"),
            ("AUC of total protein", ".64785"),
            ("SE of total protein", ".10005"),
            ("AUC of the K-G score", ".72581"),
            ("SE of the K-G score", ".10282"),
            ("joint chi-square, 2 degrees of freedom", "2.53398"),
        ),
        _ovarian,
    ),
    Oracle(
        "mcr-creatinine",
        "the tests of the R package mcr: creatinine of 108 patients, Deming with error ratio 1",
        printed(
            ("intercept, mg/dl", "-.05891341"),
            ("slope", "1.054539"),
            ("SE of the intercept", ".04604315"),
            ("SE of the slope", ".03534361"),
        ),
        _unobtainable,
        unobtainable="the measurements are published only inside the R package mcr, in a binary file we could not get",
    ),
    Oracle(
        "ncss-deming",
        "NCSS Statistical Software, chapter 303, example 1: ten pairs, error ratio 4, jackknife",
        printed(
            ("intercept", "-0.08974"),
            ("slope", "1.00119"),
            ("SE of the intercept", "1.72199"),
            ("SE of the slope", "0.18718"),
            ("slope, lower 95 % bound", "0.56956"),
            ("slope, upper 95 % bound", "1.43283"),
        ),
        _deming,
    ),
    Oracle(
        "newcombe-1998",
        "Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3 (Wilson)",
        printed(
            ("81/263, lower 95 % bound", ".25529"),
            ("81/263, upper 95 % bound", ".36621"),
            ("15/148, lower 95 % bound", ".06239"),
            ("15/148, upper 95 % bound", ".16049"),
            ("0/20, lower 95 % bound", ".00000"),
            ("0/20, upper 95 % bound", ".16113"),
            ("1/29, lower 95 % bound", ".00611"),
            ("1/29, upper 95 % bound", ".17176"),
        ),
        _newcombe,
    ),
    Oracle(
        "surface-distance",
        "the tests of surface-distance (Nikolov et al. 2021): half cubes of 100 voxels, and two voxels",
        printed(("Dice of the half cubes", ".990"))
        + exact(
            ("HD95 of the half cubes, surfels, mm", 2.0),
            ("mean distance from the reference voxel, surfels, mm", 1.5),
            ("mean distance from the predicted voxel, surfels, mm", 1.5),
            ("HD of the two voxels, surfels, mm", 2.0),
        ),
        _surface_distance,
    ),
    Oracle(
        "metrics-reloaded",
        "the tests of MetricsReloaded (Maier-Hein et al. 2024): a square and a cross, two boxes, a far point",
        printed(
            ("Dice of square and cross", ".862"),
            ("ASSD of square and cross", ".44"),
            ("MASD of square and cross", ".425"),
            ("NSD at 1 of square and cross", ".89"),
            ("Dice of the boxes", ".26667"),
            ("HD of the far point", "11.31"),
            ("HD95 of the far point, larger of the directed ones", "6.79"),
        ),
        _metrics_reloaded,
    ),
    Oracle(
        "ibsi-digital-phantom",
        "IBSI reference manual, arXiv:1612.07003, the digital phantom: first-order statistics",
        printed(("mean", "2.149"), ("variance", "3.045"), ("skewness", "1.084"), ("kurtosis", "-.355"))
        + exact(("energy", 567.0)),
        _phantom,
        needs=(PHANTOM, PHANTOM_MASK),
    ),
)
