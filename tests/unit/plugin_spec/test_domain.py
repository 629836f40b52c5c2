"""Rules of the acceptance domain: one kind each, with a unit, and only geometry the host can measure."""

from typing import Any

import pytest
from pydantic import ValidationError

from plugin_spec.domain import GEOMETRY_TAGS, DomainRule


def rule(**changes: Any) -> DomainRule:
    fields = {"port": "t1", "tag": "Manufacturer", "missing": "flag", "outside": "refuse", "evidence": "Kit."}
    return DomainRule(**{**fields, **changes})


def test_a_list_of_words_is_a_rule() -> None:
    assert rule(one_of=("ACME",)).one_of == ("ACME",)


@pytest.mark.parametrize("bounds", [{"minimum": 1.0}, {"maximum": 3.0}, {"minimum": 1.0, "maximum": 3.0}])
def test_a_range_may_be_open_on_one_side(bounds: dict[str, float]) -> None:
    accepted = rule(tag="MagneticFieldStrength", unit="T", **bounds)
    assert (accepted.minimum, accepted.maximum) == (bounds.get("minimum"), bounds.get("maximum"))


@pytest.mark.parametrize("fields", [{}, {"one_of": ("ACME",), "minimum": 1.0, "unit": "T"}])
def test_a_rule_is_of_exactly_one_kind(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either one_of or a range"):
        rule(**fields)


def test_a_range_without_a_unit_is_refused() -> None:
    with pytest.raises(ValidationError, match="a range needs its unit"):
        rule(tag="EchoTime", maximum=30.0)


def test_a_range_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"minimum 3\.0 must be below maximum 1\.5"):
        rule(tag="MagneticFieldStrength", minimum=3.0, maximum=1.5, unit="T")


@pytest.mark.parametrize("tag", sorted(GEOMETRY_TAGS))
def test_every_geometry_tag_has_its_unit(tag: str) -> None:
    assert rule(tag=tag, minimum=0.5, unit=GEOMETRY_TAGS[tag]).tag == tag
    with pytest.raises(ValidationError, match=r"is measured in"):
        rule(tag=tag, minimum=0.5, unit="kg")


def test_geometry_the_host_cannot_measure_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"unknown geometry tag 'geometry\.slices'"):
        rule(tag="geometry.slices", minimum=10.0, unit="1")


def test_a_tag_is_a_keyword() -> None:
    with pytest.raises(ValidationError, match="tag"):
        rule(tag="(0008,0070)", one_of=("ACME",))
