"""The acceptance domain: every rule answers, and refuses, flags or accepts as it says."""

import pytest

from host.cases.domain import DomainVerdict, evaluate, geometry_tags
from host.cases.geometry import Grid
from plugin_spec.domain import GEOMETRY_TAGS, DomainRule
from plugin_spec.errors import ContractError

GRID = Grid(
    (10, 20, 30), ((-1.0, 0.0, 0.0, 0.0), (0.0, 2.0, 0.0, 0.0), (0.0, 0.0, 3.0, 0.0), (0.0, 0.0, 0.0, 1.0))
)


def rule(tag="MagneticFieldStrength", **fields):
    if not {"one_of", "minimum", "maximum"} & set(fields):
        fields = {"minimum": 1.5, "maximum": 3.0, "unit": "T", **fields}
    return DomainRule(
        **{"port": "t1", "tag": tag, "missing": "flag", "outside": "refuse", "evidence": "Kit 1.", **fields}
    )


def verdict(value, **fields):
    tag = fields.pop("tag", "MagneticFieldStrength")
    tags = {} if value is None else {tag: value}
    (finding,) = evaluate((rule(tag, **fields),), {"t1": (tags,)})
    return finding.verdict


@pytest.mark.parametrize("value", [1.5, 3, 3.0, 2.89])
def test_a_value_in_the_range_is_accepted(value):
    assert verdict(value) is DomainVerdict.ACCEPT


@pytest.mark.parametrize("value", [1.4999, 7, "3", "3T", True])
@pytest.mark.parametrize("outside", ["flag", "refuse"])
def test_a_value_outside_or_no_number_gets_the_declared_verdict(value, outside):
    assert verdict(value, outside=outside) == outside


@pytest.mark.parametrize(
    ("value", "said"), [("3", 'the text "3"'), ("3T", 'the text "3T"'), (True, "true"), (False, "false")]
)
def test_what_is_no_number_is_told_as_such(value, said):
    (finding,) = evaluate((rule(),), {"t1": ({"MagneticFieldStrength": value},)})
    expected = "expected at least 1.5 and at most 3 T"
    assert finding.message == f"t1: MagneticFieldStrength is {said}, not a number; {expected}"


@pytest.mark.parametrize("missing", ["accept", "flag", "refuse"])
def test_a_missing_tag_gets_the_declared_verdict(missing):
    assert verdict(None, missing=missing) == missing


def test_an_input_without_any_tag_is_missing_every_tag():
    (finding,) = evaluate((rule(missing="refuse"),), {"t1": ({},)})
    assert (finding.value, finding.verdict) == (None, "refuse")


def test_every_file_of_a_list_is_judged_and_an_absent_input_is_not():
    files = ({"MagneticFieldStrength": 3.0}, {"MagneticFieldStrength": 7.0})
    inside, outside = evaluate((rule(),), {"t1": files})
    assert (inside.verdict, outside.verdict) == ("accept", "refuse")
    assert outside.message.startswith("t1-02: MagneticFieldStrength is 7")
    assert evaluate((rule(missing="refuse"),), {}) == ()


@pytest.mark.parametrize("value", ["Siemens", "SIEMENS", " siemens "])
def test_vendors_are_compared_without_case_and_blanks(value):
    assert verdict(value, tag="Manufacturer", one_of=("Siemens", "GE")) is DomainVerdict.ACCEPT


def test_another_vendor_is_refused_and_the_message_says_what_is_allowed():
    (finding,) = evaluate(
        (rule("Manufacturer", one_of=("Siemens", "GE")),), {"t1": ({"Manufacturer": "Philips"},)}
    )
    assert finding.verdict is DomainVerdict.REFUSE
    assert finding.message == "t1: Manufacturer is Philips, outside one of Siemens, GE"


def test_numbers_can_be_listed_too():
    assert verdict(3.0, one_of=("1.5", "3")) is DomainVerdict.ACCEPT
    assert verdict(7, one_of=("1.5", "3")) is DomainVerdict.REFUSE


def test_seconds_of_the_sidecar_are_compared_in_milliseconds_of_the_rule():
    (finding,) = evaluate((rule("EchoTime", maximum=30.0, unit="ms"),), {"t1": ({"EchoTime": 0.00298},)})
    assert (finding.value, finding.verdict) == (pytest.approx(2.98), "accept")
    assert verdict(0.0301, tag="EchoTime", maximum=30.0, unit="ms") is DomainVerdict.REFUSE


def test_a_unit_that_cannot_measure_the_tag_is_the_authors_fault():
    with pytest.raises(ContractError, match="EchoTime"):
        verdict(0.03, tag="EchoTime", maximum=30.0, unit="mm")


def test_one_open_end_is_a_range():
    assert verdict(0.5, tag="SliceThickness", maximum=1.0, unit="mm") is DomainVerdict.ACCEPT
    assert verdict(1.5, tag="SliceThickness", maximum=1.0, unit="mm") is DomainVerdict.REFUSE


def test_geometry_is_measured_for_every_declared_tag():
    tags = geometry_tags(GRID)
    assert set(tags) == set(GEOMETRY_TAGS)
    assert tags == {
        "geometry.spacing_min_mm": 1.0,
        "geometry.spacing_max_mm": 3.0,
        "geometry.extent_min_mm": 10.0,
        "geometry.extent_max_mm": 90.0,
        "geometry.voxels": 6000,
    }
    spacing = rule("geometry.spacing_max_mm", maximum=2.0, unit="mm")
    (finding,) = evaluate((spacing,), {"t1": (tags,)})
    assert finding.verdict is DomainVerdict.REFUSE
    assert finding.message == "t1: geometry.spacing_max_mm is 3, outside at most 2 mm"


def test_every_rule_gives_one_finding_in_order():
    rules = (rule("Manufacturer", one_of=("GE",)), rule(), rule("EchoTime", maximum=1.0, unit="s"))
    assert [one.tag for one in evaluate(rules, {"t1": ({},)})] == [
        "Manufacturer",
        "MagneticFieldStrength",
        "EchoTime",
    ]
