"""Predictions of a time to an event, judged under right censoring."""

from host.statistics.survival.at_horizon import brier_at, integrated_brier, time_dependent_auc
from host.statistics.survival.calibration import (
    calibration_bins_at,
    calibration_slope_at,
    observed_expected_at,
)
from host.statistics.survival.concordance import delta_c, harrell_c, uno_c
from host.statistics.survival.kaplan_meier import SurvivalCurve, kaplan_meier, survival_at

__all__ = [
    "SurvivalCurve",
    "brier_at",
    "calibration_bins_at",
    "calibration_slope_at",
    "delta_c",
    "harrell_c",
    "integrated_brier",
    "kaplan_meier",
    "observed_expected_at",
    "survival_at",
    "time_dependent_auc",
    "uno_c",
]
