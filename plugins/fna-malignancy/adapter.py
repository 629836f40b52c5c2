"""Probability of malignancy from three features of cell nuclei in a fine-needle aspirate of a breast mass.

Invariants: standard library only; nothing is drawn at random; nothing of a case is kept for the next.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from plugin_spec import Case, CaseResult, Context, QualityCheck, Refuse, UnreadableInput, hookimpl

THRESHOLD = 0.5  # the operating point of plugin.toml
SUSPICIOUS = (0.3, 0.7)  # Wolberg et al. 1995
REACH = 2.0  # how many times beyond the training patients' values a feature may lie


def read_features(path: Path, names: Mapping[str, object]) -> dict[str, float]:
    """Read the features of a case: a JSON object of numbers.

    Parameters
    ----------
    path : Path
    names : mapping
        The features that are needed, by name; others are ignored.

    Raises
    ------
    UnreadableInput
        It is no JSON object.
    Refuse
        A feature is missing, or is no finite number.
    """
    try:
        found = json.loads(path.read_bytes())
    except ValueError as fault:
        raise UnreadableInput(f"features: no JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise UnreadableInput("features: not an object of names and numbers")
    for name in names:
        value = found.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Refuse("missing-feature", f"features: {name} is {value!r}, expected a number")
    return {name: float(found[name]) for name in names}


def check_domain(features: Mapping[str, float], model: dict) -> bool:
    """Refuse what lies far from everything learnt from; answer whether all lies within.

    Far is below the lowest value of the training patients divided by `REACH`, or above the highest times `REACH`: an
    area in other units, or a smoothness that is no fraction.
    """
    within = True
    for name, value in features.items():
        low, high = model["features"][name]["lowest"], model["features"][name]["highest"]
        if not low / REACH <= value <= high * REACH:
            raise Refuse("outside-domain", f"features: {name} is {value:g}; seen were {low:g} to {high:g}")
        within = within and low <= value <= high
    return within


def probability(features: Mapping[str, float], model: dict) -> float:
    """Logistic regression, held away from certainty.

    With n training patients nothing rarer than 1 in n + 2 is claimed (Laplace's rule of succession): the log odds are
    cut at plus and minus log(n + 1).
    """
    slopes = ((model["features"][name]["per_unit"], value) for name, value in features.items())
    log_odds = model["intercept"] + sum(slope * value for slope, value in slopes)
    most = math.log(model["patients"] + 1)
    return 1 / (1 + math.exp(-max(-most, min(most, log_odds))))


@hookimpl
def setup(context: Context) -> dict:
    """Read the coefficients, once per container."""
    model: dict = json.loads(context.weights["coefficients"].read_bytes())
    return model


@hookimpl
def run_case(case: Case, state: dict) -> CaseResult:
    """Classify one aspirate."""
    features = read_features(case.inputs["features"], state["features"])
    within = check_domain(features, state)
    malignant = probability(features, state)
    low, high = SUSPICIOUS
    return CaseResult(
        outputs={
            "finding": {
                "label": "malignant" if malignant >= THRESHOLD else "benign",
                "probabilities": {"malignant": malignant, "benign": 1 - malignant},
            }
        },
        qc=[
            QualityCheck("suspicious", "warn" if low <= malignant <= high else "pass", round(malignant, 4)),
            QualityCheck("within_training_range", "pass" if within else "warn", float(within)),
        ],
    )
