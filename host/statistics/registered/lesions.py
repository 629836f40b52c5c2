"""Statistics of lesions and findings, pooled over cases.

``reference`` and ``predicted`` are how many there are in a case, ``reference_found`` and ``predicted_matched`` how many
of them belong together; ``scores`` and ``matched`` are of each finding by itself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from host.statistics.estimate import Estimate, without_interval
from host.statistics.registration import Asked, Option, StatisticRegistration

if TYPE_CHECKING:
    from host.statistics.bootstrap import Indices
    from host.statistics.cases import Cases, Flags

_KINDS = ("lesions", "findings")
_FOUND = ("reference_found", "reference")
_RIGHT = ("predicted_matched", "predicted")


def _has_lesions(cases: "Cases") -> "Flags":
    found: Flags = cases["reference"] > 0
    return found


def _has_predictions(cases: "Cases") -> "Flags":
    found: Flags = cases["predicted"] > 0
    return found


def _sensitivity(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.froc import lesion_sensitivity

    found, there = (cases[name] for name in _FOUND)
    return lesion_sensitivity(found, there, subjects=cases.subjects.tolist(), level=asked.level)


def _precision(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.froc import lesion_precision

    right, said = (cases[name] for name in _RIGHT)
    return lesion_precision(right, said, subjects=cases.subjects.tolist(), level=asked.level)


def _f1(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.froc import lesion_f1

    counts = (cases[name] for name in (*_FOUND, *_RIGHT))
    return lesion_f1(*counts, subjects=cases.subjects.tolist(), level=asked.level)


def _false_positives(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.froc import false_positives_per_case

    wrong = cases["predicted"] - cases["predicted_matched"]
    return false_positives_per_case(wrong, subjects=cases.subjects.tolist(), level=asked.level)


def _sensitivity_at(cases: "Cases", asked: Asked) -> Estimate:
    import numpy as np

    value = _sensitivity_of_resample(cases, asked)(np.arange(len(cases)))
    reason = "no interval was asked for" if cases["reference"].any() else "there is no lesion"
    return without_interval(value, level=asked.level, n=cases.n_subjects, reason=reason)


def _sensitivity_of_resample(cases: "Cases", asked: Asked) -> Callable[["Indices"], float]:
    from host.statistics.froc import Findings

    found = Findings.of(cases.each("scores"), cases.each("matched"), cases["reference"])
    return lambda indices: found.sensitivity_at(asked.number("false_positives_per_case"), indices)


STATISTICS = (
    StatisticRegistration(
        name="lesion_sensitivity",
        definition="Lesions found over all lesions; none without lesions",
        source="Rao and Scott 1992; Wilson 1927",
        kinds=_KINDS,
        columns=_FOUND,
        compute=_sensitivity,
        clustered_methods=("rao_scott",),
        concerns=_has_lesions,
        least=0.0,
        most=1.0,
    ),
    StatisticRegistration(
        name="lesion_precision",
        definition="Predicted lesions that are right over all predicted; none without predictions",
        source="Rao and Scott 1992; Wilson 1927",
        kinds=_KINDS,
        columns=_RIGHT,
        compute=_precision,
        clustered_methods=("rao_scott",),
        concerns=_has_predictions,
        counts_false_positives=True,
        least=0.0,
        most=1.0,
    ),
    StatisticRegistration(
        name="lesion_f1",
        definition="Harmonic mean of pooled sensitivity and precision; none where neither side has a lesion",
        source="Commowick 2018",
        kinds=_KINDS,
        columns=(*_FOUND, *_RIGHT),
        compute=_f1,
        clustered_methods=("jackknife",),
        counts_false_positives=True,
        least=0.0,
        most=1.0,
    ),
    StatisticRegistration(
        name="false_positives_per_case",
        definition="Mean number of predicted lesions that are not right",
        source="Rao and Scott 1999; Garwood 1936",
        kinds=_KINDS,
        columns=_RIGHT,
        compute=_false_positives,
        clustered_methods=("rao_scott",),
        counts_false_positives=True,
        least=0.0,
    ),
    StatisticRegistration(
        name="sensitivity_at_fp",
        definition="Lesions found at the lowest score with no more false positives per case; none without lesions",
        source="Chakraborty 1989",
        kinds=("findings",),
        columns=("scores", "matched", "reference"),
        compute=_sensitivity_at,
        resampled=_sensitivity_of_resample,
        options=(Option(name="false_positives_per_case", summary="how many are allowed on average"),),
        counts_false_positives=True,
        least=0.0,
        most=1.0,
    ),
)
