"""Statistics of measured numbers against their reference: agreement, reliability, regression."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from host.statistics.estimate import Estimate
from host.statistics.registration import Asked, Option, StatisticRegistration

if TYPE_CHECKING:
    from host.statistics.cases import Cases

_KINDS = ("numbers",)
_PAIR = ("predicted", "reference")
_COVERAGE = Option(
    name="coverage", summary="the share of differences between the limits", default=0.95, maximum=1.0
)
_ERROR_RATIO = Option(
    name="error_ratio",
    summary="variance of the reference's error over that of the measurement's",
    default=1.0,
)


def _bland_altman(part: str) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        from host.statistics.agreement import bland_altman, bland_altman_repeated

        coverage = float(asked.options.get("coverage", 0.95))
        if asked.method == "components":
            differences = cases.groups(cases["predicted"] - cases["reference"])
            found = bland_altman_repeated(differences, level=asked.level, coverage=coverage)
        else:
            found = bland_altman(
                cases["predicted"],
                cases["reference"],
                level=asked.level,
                coverage=coverage,
                limits="approximate" if asked.method == "approximate" else "exact",
            )
        estimate: Estimate = getattr(found, part)
        return estimate

    return compute


def _ccc(cases: "Cases", asked: Asked) -> Estimate:
    from host.statistics.agreement import concordance

    return concordance(cases["predicted"], cases["reference"], level=asked.level)


def _icc(form: Any) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        import numpy as np

        from host.statistics.reliability import icc

        ratings = np.column_stack((cases["predicted"], cases["reference"]))
        return icc(ratings, form=form, level=asked.level)

    return compute


def _line(function: str, part: str) -> Callable[["Cases", Asked], Estimate]:
    def compute(cases: "Cases", asked: Asked) -> Estimate:
        from host.statistics import regression

        fixed: dict[str, Any] = {}
        if function == "deming":
            errors = "analytic" if asked.method == "analytic" else "jackknife"
            fixed = {"error_ratio": asked.number("error_ratio"), "errors": errors}
        fit = getattr(regression, function)
        estimate: Estimate = getattr(
            fit(cases["reference"], cases["predicted"], level=asked.level, **fixed), part
        )
        return estimate

    return compute


def _limit(name: str, end: str) -> StatisticRegistration:
    return StatisticRegistration(
        name=name,
        definition=f"{end} limit of agreement: bias and 1.96 SD of measured minus reference; none below two subjects",
        source="Bland and Altman 1986, 1999; Carkeet 2015; Zou 2013",
        kinds=_KINDS,
        columns=_PAIR,
        unit="measured",
        compute=_bland_altman(name),
        methods=("exact", "approximate"),
        clustered_methods=("components",),
        quick_method="approximate",
        options=(_COVERAGE,),
    )


_AGREEMENT = (
    StatisticRegistration(
        name="bias",
        definition="Mean of measured minus reference; no interval for one subject",
        source="Bland and Altman 1986",
        kinds=_KINDS,
        columns=_PAIR,
        unit="measured",
        compute=_bland_altman("bias"),
        methods=("t",),
        clustered_methods=("components",),
        quick_method="approximate",
    ),
    _limit("loa_low", "Lower"),
    _limit("loa_high", "Upper"),
    StatisticRegistration(
        name="proportional_bias",
        definition="Slope of measured minus reference on the mean of both; none below three subjects",
        source="Bland and Altman 1999",
        kinds=_KINDS,
        columns=_PAIR,
        compute=_bland_altman("proportional_bias"),
        methods=("t",),
        quick_method="approximate",
    ),
    StatisticRegistration(
        name="ccc",
        definition="Concordance of measured and reference, divisor n; none where nothing varies",
        source="Lin 1989, 2000",
        kinds=_KINDS,
        columns=_PAIR,
        compute=_ccc,
        methods=("fisher_z",),
        least=-1.0,
        most=1.0,
    ),
)


def _icc_registration(form: str) -> StatisticRegistration:
    return StatisticRegistration(
        name=f"icc_{form.replace(',', '_')}",
        definition=f"Intraclass correlation ({form}) of measured and reference as raters; none where nothing varies",
        source="Shrout and Fleiss 1979; McGraw and Wong 1996",
        kinds=_KINDS,
        columns=_PAIR,
        compute=_icc(form),
        methods=("f",),
        most=1.0,
    )


def _line_registration(
    name: str, function: str, part: str, definition: str, source: str
) -> StatisticRegistration:
    is_deming = function == "deming"
    own = {"deming": ("jackknife", "analytic"), "passing_bablok": ("ranks",), "linearity": ("t",)}[function]
    return StatisticRegistration(
        name=name,
        definition=definition,
        source=source,
        kinds=_KINDS,
        columns=_PAIR,
        unit="measured" if part == "intercept" else "1",
        compute=_line(function, part),
        methods=own,
        quick_method="analytic" if is_deming else "",
        options=(_ERROR_RATIO,) if is_deming else (),
    )


_REGRESSION = (
    _line_registration(
        "deming_slope",
        "deming",
        "slope",
        "Slope of measured on reference, both with error",
        "Linnet 1990, 1993",
    ),
    _line_registration(
        "deming_intercept", "deming", "intercept", "Intercept of the same line", "Linnet 1990, 1993"
    ),
    _line_registration(
        "passing_bablok_slope",
        "passing_bablok",
        "slope",
        "Shifted median of the slopes between all pairs of cases",
        "Passing and Bablok 1983",
    ),
    _line_registration(
        "passing_bablok_intercept",
        "passing_bablok",
        "intercept",
        "Median of what remains beside the Passing-Bablok slope",
        "Passing and Bablok 1983",
    ),
    _line_registration(
        "linearity_slope",
        "linearity",
        "slope",
        "Least squares slope of measured on reference; none below three subjects",
        "Raunig 2015; CLSI EP06",
    ),
    _line_registration(
        "linearity_intercept",
        "linearity",
        "intercept",
        "Least squares intercept of measured on reference",
        "Raunig 2015; CLSI EP06",
    ),
    _line_registration(
        "linearity_quadratic",
        "linearity",
        "quadratic",
        "Coefficient of the squared reference in a second fit; none below four subjects",
        "Raunig 2015; CLSI EP06",
    ),
)

STATISTICS = (
    *_AGREEMENT,
    *(_icc_registration(form) for form in ("1,1", "2,1", "3,1", "1,k", "2,k", "3,k")),
    *_REGRESSION,
)
