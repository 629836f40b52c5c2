"""Nottingham Prognostic Index of a woman with operable primary breast cancer, and the risks published for it.

Invariants: standard library only; nothing is drawn at random; nothing of a case is kept for the next; no figure of this
module was fitted here.
"""

import json
import math
from pathlib import Path

from plugin_spec import Case, CaseResult, QualityCheck, Refuse, UnreadableInput, hookimpl

# What is needed, with the values that can be meant.
RANGES = {"age_years": (18, 120), "size_mm": (1, 200), "nodes_positive": (0, 60), "grade": (1, 3)}
WHOLE = ("nodes_positive", "grade")
MAX_AGE_YEARS = 70  # the Nottingham series: women up to 70 (Galea 1992)
INDEX_RANGE = (2.0, 6.9)  # where survival was published (Blamey 2007)
# Upper end of each group, and the share of it dead within five years: 1 less 93, 85, 70 and 50 % survival.
FIVE_YEARS = ((2.4, 0.07), (3.4, 0.15), (5.4, 0.30), (math.inf, 0.50))


def read_pathology(path: Path) -> dict[str, float]:
    """Read a case: a JSON object of numbers; others than those needed are ignored.

    Raises
    ------
    UnreadableInput
        It is no JSON object.
    Refuse
        A number is missing, or can not be meant.
    """
    try:
        found = json.loads(path.read_bytes())
    except ValueError as fault:
        raise UnreadableInput(f"pathology: no JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise UnreadableInput("pathology: not an object of names and numbers")
    for name, (low, high) in RANGES.items():
        value = found.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Refuse("missing-value", f"pathology: {name} is {value!r}, expected a number")
        if not low <= value <= high or (name in WHOLE and value != int(value)):
            raise Refuse("implausible-value", f"pathology: {name} is {value:g}, expected {low} to {high}")
    return {name: float(found[name]) for name in RANGES}


def node_stage(nodes_positive: float) -> int:
    """1 without a positive node, 2 with one to three, 3 with more."""
    return 1 if nodes_positive == 0 else 2 if nodes_positive <= 3 else 3


def index(size_mm: float, nodes_positive: float, grade: float) -> float:
    """The index (Haybittle 1982): 0.2 × size in cm + node stage + grade, to six decimals."""
    return round(0.2 * size_mm / 10 + node_stage(nodes_positive) + grade, 6)


def death_within_5_years(npi: float) -> float:
    """Share of the index's group that dies within five years, of any cause."""
    return next(risk for upper, risk in FIVE_YEARS if npi <= upper)


def death_within_10_years(npi: float) -> float:
    """Risk of dying within ten years (Blamey 2007): a parabola through the survival of ten ranges of the index."""
    return 1 - (-3.0079 * npi**2 + 12.30 * npi + 83.84) / 100


def check_domain(age_years: float, npi: float) -> None:
    """Refuse a woman whom no published figure is about."""
    if age_years > MAX_AGE_YEARS:
        raise Refuse(
            "age", f"pathology: age {age_years:g}; the index was made with women up to {MAX_AGE_YEARS}"
        )
    low, high = INDEX_RANGE
    if not low <= npi <= high:
        raise Refuse(
            "index-range", f"pathology: the index is {npi:.2f}; survival is published for {low} to {high}"
        )


@hookimpl
def run_case(case: Case, state: None) -> CaseResult:
    """Index and risks of one woman."""
    found = read_pathology(case.inputs["pathology"])
    npi = index(found["size_mm"], found["nodes_positive"], found["grade"])
    check_domain(found["age_years"], npi)
    edge = min(abs(npi - upper) for upper, _ in FIVE_YEARS)
    return CaseResult(
        outputs={
            "npi": {"value": npi},
            "risk_5y": {"value": death_within_5_years(npi)},
            "risk_10y": {"value": death_within_10_years(npi)},
        },
        # Half a millimetre or so of tumour size away, the group and with it the five-year risk are others.
        qc=[QualityCheck("distance_to_group_edge", "warn" if edge < 0.05 else "pass", round(edge, 4))],
    )
