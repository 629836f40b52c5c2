"""How the page words what the model holds in a closed vocabulary."""

from host.validation.criterion import EVERY_CASE, Criterion
from host.validation.metric import Metric
from host.validation.protocol import Protocol

VERDICT_CLASS = {"met": "good", "not met": "bad", "insufficient evidence": "open"}
_VERDICT_MARK = {"met": "✓ ", "not met": "✗ ", "insufficient evidence": "? "}
SIGN = {">=": "≥", "<=": "≤", "abs<=": "within ±", "within": "within"}
EVIDENCE = {
    "derived": "Derived data: images computed from other images. No case is a patient; this is no evidence "
    "of how the algorithm performs in patients.",
    "phantom": "Phantom data: images of an object or a simulation. No case is a patient; this is no evidence "
    "of how the algorithm performs in patients.",
    "patient": "Patient data: recorded from people.",
}
# Registered statistics, for reading, in the order in which they are shown.
QUANTITIES = {
    "bias": "Bias (mean difference, measured − reference)",
    "loa_low": "Lower limit of agreement",
    "loa_high": "Upper limit of agreement",
    "proportional_bias": "Proportional bias (slope of the difference on the mean)",
    "ccc": "Concordance correlation coefficient (Lin)",
    "auc": "Area under the ROC curve",
    "sensitivity": "Sensitivity, as it was called",
    "specificity": "Specificity, as it was called",
    "ppv": "Positive predictive value, at this kit's prevalence",
    "npv": "Negative predictive value, at this kit's prevalence",
    "accuracy": "Accuracy",
    "brier": "Brier score",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "o_e": "Observed over expected events",
    "lesion_sensitivity": "Sensitivity by lesion",
    "lesion_precision": "Precision by lesion",
    "lesion_f1": "F1 by lesion",
    "false_positives_per_case": "False positives per case",
    "sensitivity_at_fp": "Sensitivity by lesion at the allowed false positives",
    "harrell_c": "Harrell's C",
    "uno_c": "Uno's C",
    "delta_c": "Gain in C over the comparator",
    "integrated_brier": "Integrated Brier score",
    "auc_at": "Time-dependent area under the ROC curve",
    "brier_at": "Brier score at the horizon",
    "o_e_at": "Observed over expected risk",
    "calibration_slope_at": "Calibration slope at the horizon",
}
_NAMES = ("Harrell", "Uno", "Brier", "F1")  # what keeps its capital inside a sentence
_JUDGED = {
    "estimate": "the estimate",
    "ci_low": "the lower end of the interval",
    "ci_high": "the upper end of the interval",
    "interval": "the whole interval",
}


def verdict_mark(verdict: str) -> str:
    """A sign beside the word, so that colour is not all there is."""
    return _VERDICT_MARK.get(verdict, "")


def scope_words(scope: str) -> str:
    """A scope for reading: ``field_strength=3 T`` as "field strength: 3 T"."""
    name, equals, level = scope.partition("=")
    return f"{name.replace('_', ' ')}: {level}" if equals else scope


def unit_words(metric: Metric) -> str:
    """A metric's unit in brackets, nothing for a pure number."""
    return "" if metric.unit == "1" else f" [{metric.unit}]"


def named(metric: Metric) -> str:
    """A metric's id with its unit."""
    return metric.id + unit_words(metric)


def criterion_words(criterion: Criterion, protocol: Protocol) -> str:
    """A criterion as one sentence: what of which statistic, on which side of which bound, where."""
    metric = protocol.metric(criterion.metric)
    bound = f"{SIGN[criterion.comparator]} {criterion.bound:g}"
    if criterion.bound_high is not None:
        bound = f"within {criterion.bound:g} to {criterion.bound_high:g}"
    where = (
        ""
        if criterion.scope == "overall"
        else f", in {scope_words(criterion.scope.replace(':', ' ').replace('_', ' '))}"
    )
    needed = f"; at least {counted(criterion.min_cases, 'case')}"
    if criterion.min_subjects is not None:
        needed += f" and {counted(criterion.min_subjects, 'subject')}"
    if criterion.statistic == EVERY_CASE:
        return f"{named(metric)} of every case {bound}{where}{needed}"
    return f"{_JUDGED[criterion.judged or 'estimate']} of {statistic_words(criterion, protocol)} {bound}{where}{needed}"


def counted(number: int, word: str) -> str:
    """A number with its noun, in the plural where it is not one."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def statistic_words(criterion: Criterion, protocol: Protocol) -> str:
    """A criterion's statistic, with its options and the level of its interval."""
    options = "".join(
        f", {name.replace('_', ' ')} {_option(value)}" for name, value in criterion.options.items()
    )
    words = f"{_quantity(criterion.statistic)} of {named(protocol.metric(criterion.metric))}{options}"
    if not criterion.judges_interval:
        return words
    level, sides = criterion.level or protocol.level, criterion.sides or protocol.sides
    return f"{words} ({'one' if sides == 1 else 'two'}-sided, {100 * level:g} %)"


def _quantity(statistic: str) -> str:
    words = QUANTITIES.get(statistic, statistic.replace("_", " "))
    return words if words.startswith(_NAMES) else words[0].lower() + words[1:]


def _option(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
