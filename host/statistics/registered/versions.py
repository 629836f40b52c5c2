"""Statistics of one release against another on the same cases, and of the changes that both see between visits.

A metric ``against`` an earlier answer has that answer as its reference. Equivalence in the mean is the statistic
``bias`` judged by its interval; what is added here looks at single subjects and at changes.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from host.statistics.estimate import Estimate, without_interval
from host.statistics.registration import Asked, Option, StatisticRegistration

if TYPE_CHECKING:
    from host.statistics.cases import Cases, Numbers

_KINDS = ("numbers",)
_PAIR = ("predicted", "reference")
_VISIT = Option(
    name="visit",
    summary="the stratum that says the visit; its levels are taken in alphabetical order",
    is_stratum=True,
)
_COVERAGE = Option(
    name="coverage", summary="the share of differences between the limits", default=0.95, maximum=1.0
)


def changes(cases: "Cases", visit: str) -> "list[tuple[Numbers, Numbers]]":
    """Per subject seen more than once, the changes from visit to visit: as measured, and in the reference."""
    import numpy as np

    found = []
    for subject in dict.fromkeys(cases.subjects.tolist()):
        places = np.flatnonzero(cases.subjects == subject)
        visits = [str(cases.strata.item(place).get(visit, "")) for place in places]
        ordered = places[np.argsort(visits, kind="stable")]
        if len(ordered) > 1:
            found.append((np.diff(cases["predicted"][ordered]), np.diff(cases["reference"][ordered])))
    return found


def _rc_between(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.repeatability import repeatability_coefficient

    pairs = list(zip(cases["predicted"], cases["reference"], strict=True))
    return repeatability_coefficient(pairs, level=asked.level)


def _change_rc(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.repeatability import repeatability_coefficient

    found = changes(cases, str(asked.options["visit"]))
    pairs = [pair for one in found for pair in zip(*one, strict=True)]
    estimate = repeatability_coefficient(pairs, level=asked.level)
    if len(pairs) == len(found):
        return estimate
    reason = f"{len(pairs)} changes come from {len(found)} subjects, and are not independent"
    return without_interval(estimate.value, level=asked.level, n=len(found), reason=reason)


def _of_changes(part: str) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        import numpy as np

        from host.statistics.agreement import bland_altman, bland_altman_repeated, mean_difference

        found = changes(cases, str(asked.options["visit"]))
        level, coverage = asked.level, float(asked.options.get("coverage", 0.95))
        several = any(len(measured) > 1 for measured, _ in found)
        if several:
            differences = [measured - reference for measured, reference in found]
            figures = bland_altman_repeated(differences, level=level, coverage=coverage)
        else:
            measured, reference = (np.array([one[side][0] for one in found]) for side in (0, 1))
            if part == "bias":  # it has a value for one subject too, which limits have not
                return mean_difference(measured - reference, level=level)
            figures = bland_altman(measured, reference, level=level, coverage=coverage)
        estimate: Estimate = getattr(figures, part)
        return estimate

    return compute


def _change(name: str, part: str, definition: str, *, source: str) -> StatisticRegistration:
    limits = part.startswith("loa")
    return StatisticRegistration(
        name=name,
        definition=f"{definition}; subjects seen once say nothing",
        source=source,
        kinds=_KINDS,
        columns=_PAIR,
        unit="measured",
        compute=_change_rc if part == "rc" else _of_changes(part),
        clustered_methods=("chi_square",) if part == "rc" else ("components",),
        bootstraps=False,  # a subject that is drawn twice would seem to have been seen four times
        options=(_VISIT, _COVERAGE) if limits else (_VISIT,),
        least=0.0 if part == "rc" else -math.inf,
    )


_BLAND_ALTMAN = "Bland and Altman 1986, 1999, 2007"
STATISTICS = (
    StatisticRegistration(
        name="rc_between",
        definition="Repeatability coefficient of measured and reference as two measurements of one case, 2.77 SD",
        source="Bland and Altman 1996; Raunig 2015",
        kinds=_KINDS,
        columns=_PAIR,
        unit="measured",
        compute=_rc_between,
        methods=("chi_square",),
        least=0.0,
    ),
    _change(
        "change_bias", "bias", "Mean of measured minus reference change between visits", source=_BLAND_ALTMAN
    ),
    _change(
        "change_loa_low",
        "loa_low",
        "Lower limit of agreement of changes between visits",
        source=_BLAND_ALTMAN,
    ),
    _change(
        "change_loa_high",
        "loa_high",
        "Upper limit of agreement of changes between visits",
        source=_BLAND_ALTMAN,
    ),
    _change(
        "change_rc_between",
        "rc",
        "Repeatability coefficient of measured and reference change as two measurements of one change, 2.77 SD",
        source="Bland and Altman 1996; Raunig 2015",
    ),
)
