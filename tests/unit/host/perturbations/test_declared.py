"""What a protocol may say of a perturbation, and the one line for what it may not."""

import pytest
from pydantic import ValidationError

from plugin_spec.model import first_fault
from tests.support.perturbations import COMPLETE, make_perturbation


@pytest.mark.parametrize("kind", sorted(COMPLETE))
def test_each_kind_can_be_declared_and_says_what_it_does(kind: str) -> None:
    one = make_perturbation(kind)
    assert f"{one.level:g}" in one.summary
    assert one.moves == (kind in {"rotation", "resampling"})


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("noise", {"seed": None}, "noise lacks seed"),
        ("noise", {"distribution": None}, "noise lacks distribution"),
        ("noise", {"reference_intensity": None}, "either reference_intensity or reference_percentile"),
        ("noise", {"reference_percentile": 99.0}, "either reference_intensity or reference_percentile"),
        ("noise", {"unit": "[hnsf'U]"}, "in the image's unit, neither"),
        ("noise", {"axis": "x"}, "noise takes no axis"),
        ("noise", {"level": 0.0}, "changes nothing"),
        ("noise", {"level": -1.0}, "out of reach"),
        ("bias", {"unit": "1"}, "bias is in %, not 1"),
        ("bias", {"level": 200.0}, "out of reach"),
        ("intensity", {"level": 1.0}, "changes nothing"),
        ("rotation", {"axis": None}, "rotation lacks axis"),
        ("rotation", {"level": 181.0}, "out of reach"),
        ("resampling", {"unit": "cm"}, "resampling is in mm, not cm"),
        ("blur", {"seed": 1}, "blur takes no seed"),
        ("blur", {"inputs": ("scan", "scan")}, "inputs: each may stand once"),
        ("blur", {"cases": ()}, "cases"),
        ("blur", {"id": "No Id"}, "id"),
    ],
)
def test_what_does_not_make_sense_is_refused_in_one_line(
    kind: str, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        make_perturbation(kind, **changes)
    assert told in first_fault(refused.value)
