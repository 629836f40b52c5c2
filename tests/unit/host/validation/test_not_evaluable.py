"""An answer cannot choose to be left out: with anything in the reference, every registered metric has a value."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from host import extensions
from host.metrics.findings import Findings, FindingsPair
from host.metrics.mask_pair import MaskPair
from host.metrics.parameters import complete
from plugin_spec.documents import DetectionsDocument
from plugin_spec.host_hooks import MetricRegistration

MASKS = arrays(np.bool_, (4, 3, 2))
GIVEN: dict[str, Any] = {
    "tolerance_mm": 1.0, "percentile": 95.0, "directions": "larger", "connectivity": 26, "matching": "any_overlap",
    "assignment": "one_to_one", "nearness": "distance", "limit_mm": 2.0,
}  # fmt: skip
POINTS = st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 1)), max_size=4)


def of_kind(*operands: str) -> list[str]:
    return sorted(name for name, one in extensions.metrics().items() if one.operands in operands)


def value(metric: MetricRegistration, *operands: object) -> float:
    """A metric's value for a case, by any rule that its parameters allow."""
    given = {one.name: GIVEN[one.name] for one in metric.parameters if one.default is None}
    found = metric.load()(*operands, **complete(metric, given))
    return float(getattr(found, "value", found))


@pytest.mark.parametrize("name", of_kind("masks", "lesions"))
@settings(max_examples=25)
@given(predicted=MASKS, reference=MASKS.filter(np.any))
def test_a_mask_beside_a_reference_has_a_value(name: str, predicted: Any, reference: Any) -> None:
    pair = MaskPair.of(predicted, reference, spacing_mm=(1.0, 1.5, 2.0))
    assert not math.isnan(value(extensions.metric(name), pair))


@pytest.mark.parametrize("name", of_kind("numbers"))
@given(predicted=st.floats(-1e6, 1e6), reference=st.floats(-1e6, 1e6).filter(bool))
def test_a_number_beside_a_reference_has_a_value(name: str, predicted: float, reference: float) -> None:
    assert not math.isnan(value(extensions.metric(name), predicted, reference))


def findings(points: list[tuple[float, float]]) -> Findings:
    found = [{"label": "lesion", "point": (at, 0.0, 0.0), "score": score} for at, score in points]
    return Findings.of_document(
        DetectionsDocument.model_validate(
            {"contract": "assay.detections/1", "frame": "LPS", "detections": tuple(found)}
        )
    )


@pytest.mark.parametrize("name", of_kind("findings"))
@given(predicted=POINTS, reference=POINTS.filter(bool))
def test_findings_beside_a_reference_have_a_value(name: str, predicted: Any, reference: Any) -> None:
    pair = FindingsPair(findings(predicted), findings(reference))
    assert not math.isnan(value(extensions.metric(name), pair))
