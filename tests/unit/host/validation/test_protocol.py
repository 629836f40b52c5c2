"""The plan of a kit says everything before the first run, and contradicts itself nowhere."""

from pathlib import Path

import pytest

from host.validation.protocol import Criterion, parse_protocol
from plugin_spec.errors import InputError
from tests.support.tiny import HERE

PATH = HERE / "tiny_kit" / "protocol.toml"
TEXT = PATH.read_text()


def test_the_tiny_protocol_reads() -> None:
    protocol = parse_protocol(TEXT.encode(), PATH)
    assert protocol.metric("dice_bright").failed_case_counts_as == 0.0
    assert protocol.strata_of("dice_bright") == {"size"}
    assert protocol.strata_of("ended_as_expected") == set()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('contract = "assay.protocol/1"', 'contract = "assay.protocol/3"', "contract"),
        ('contract = "assay.protocol/1"', 'contract = "assay.protocol/1"\nseed = 1', "seed: needs contract"),
        ('multiplicity = "all_criteria_must_pass"', 'multiplicity = "holm"', "multiplicity: needs contract"),
        ("min_cases = 1", "min_cases = 1\nmin_subjects = 3", "only contract = 'assay.protocol/2' can"),
        ("failed_case_counts_as = 0.0", 'failed_case_counts_as = "complete_case"', "only contract"),
        ('risk = "None."', "", "risk"),
        ('function = "dice"\n', "", "a masks metric takes exactly"),
        ('label = "bright"', 'label = "bright"\ncolumn = "bright_ml"', "a masks metric takes exactly"),
        ('kind = "outcome"', 'kind = "outcome"\nport = "mask"', "takes exactly: nothing more"),
        ('metric = "dice_bright"', 'metric = "dice_dark"', "no metric 'dice_dark'"),
        ('id = "overlap"', 'id = "every_case_ends_as_expected"', "criteria: each id may stand once"),
        ('id = "ended_as_expected"', 'id = "dice_bright"', "metrics: each id may stand once"),
        ("min_cases = 1", "min_cases = 0", "min_cases"),
        ("bound = 1.0", "bound = nan", "bound"),
        ('comparator = ">="', 'comparator = ">"', "comparator"),
        ('scope = "each:size"', 'scope = "each"', "scope"),
        ('statistic = "every_case"', 'statistic = "mean"', "say what of mean is judged"),
        ("failed_case_counts_as = 0.0", "failed_case_counts_as = 1.0", "a failed case would satisfy it"),
        ('unit = "1"', 'unit = "ml"', "UCUM"),
    ],
)
def test_a_wrong_plan_is_refused_in_one_line_with_the_file(old: str, new: str, named: str) -> None:
    assert old in TEXT
    with pytest.raises(InputError, match="protocol.toml") as refused:
        parse_protocol(TEXT.replace(old, new, 1).encode(), Path("kit/protocol.toml"))
    assert named in refused.value.message
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("comparator", "bound", "holding", "failing"),
    [
        (">=", 0.8, (0.8, 0.9, 1e308), (0.79, -1.0)),
        ("<=", 3.0, (3.0, -1e308), (3.1,)),
        ("abs<=", 5.0, (5.0, -5.0, 0.0), (5.1, -5.1)),
    ],
)
def test_a_bound_belongs_to_the_side_that_holds(
    comparator: str, bound: float, holding: tuple[float, ...], failing: tuple[float, ...]
) -> None:
    given = parse_protocol(TEXT.encode(), PATH).criteria[1]
    criterion: Criterion = given.model_copy(update={"comparator": comparator, "bound": bound})
    assert [criterion.holds(value) for value in holding] == [True] * len(holding)
    assert [criterion.holds(value) for value in failing] == [False] * len(failing)
