"""Statistics of a subject measured again: repeatability on one scanner, reproducibility across several."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from host.statistics.estimate import Estimate
from host.statistics.registration import Asked, Option, StatisticRegistration

if TYPE_CHECKING:
    from host.statistics.cases import Cases


def _repeatability(function: str) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        from host.statistics import repeatability

        groups = cases.groups(cases["predicted"])
        estimate: Estimate = getattr(repeatability, function)(groups, level=asked.level)
        return estimate

    return compute


def _reproducibility(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.repeatability import reproducibility_coefficient

    stratum = str(asked.options["condition"])
    levels = sorted({strata.get(stratum, "") for strata in cases.strata})
    table: dict[str, dict[str, list[float]]] = {}
    for subject, strata, number in zip(cases.subjects, cases.strata, cases["predicted"], strict=True):
        conditions = table.setdefault(subject, {level: [] for level in levels})
        conditions[strata.get(stratum, "")].append(float(number))
    return reproducibility_coefficient(
        [list(conditions.values()) for conditions in table.values()], level=asked.level
    )


def _registration(
    name: str, function: str, definition: str, *, unit_of_column: bool
) -> StatisticRegistration:
    return StatisticRegistration(
        name=name,
        definition=f"{definition}; subjects measured once say nothing",
        source="Bland and Altman 1996; Raunig 2015; Obuchowski 2015",
        kinds=("numbers",),
        columns=("predicted",),
        unit="measured" if unit_of_column else "1",
        compute=_repeatability(function),
        clustered_methods=("chi_square",),
        bootstraps=False,
        least=0.0,
    )


STATISTICS = (
    _registration(
        "wsd",
        "within_subject_sd",
        "Within-subject standard deviation of the measurement",
        unit_of_column=True,
    ),
    _registration(
        "wcv",
        "wcv",
        "Within-subject coefficient of variation, a share and not a percentage",
        unit_of_column=False,
    ),
    _registration(
        "rc", "repeatability_coefficient", "Repeatability coefficient, 2.77 wSD", unit_of_column=True
    ),
    StatisticRegistration(
        name="rdc",
        definition="Reproducibility coefficient across the levels of a stratum, 2.77 SD; none where the table has gaps",
        source="Raunig 2015; Graybill and Wang 1980",
        kinds=("numbers",),
        columns=("predicted",),
        unit="measured",
        compute=_reproducibility,
        clustered_methods=("components",),
        bootstraps=False,
        options=(
            Option(name="condition", summary="the stratum whose levels are the scanners", is_stratum=True),
        ),
        least=0.0,
    ),
)
