"""``NAME=VALUE`` options."""

import pytest

from host.cli.values import parse_pairs, parse_parameters
from host.errors import OptionError


def test_a_value_may_hold_further_equals_signs() -> None:
    assert parse_pairs(["t1=a=b.nii", "t2=c"], "--input") == {"t1": "a=b.nii", "t2": "c"}


@pytest.mark.parametrize("text", ["t1", "=x", "t1=", "="])
def test_half_a_pair_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(OptionError, match=r"--input .*: expected NAME=VALUE"):
        parse_pairs([text], "--input")


def test_a_repeated_name_is_refused() -> None:
    with pytest.raises(OptionError, match="--input gives 't1' twice"):
        parse_pairs(["t1=a", "t1=b"], "--input")


def test_parameters_are_read_as_the_narrowest_type_they_spell() -> None:
    given = ["on=true", "off=false", "n=3", "x=0.5", "e=1e-3", "word=True", "minus=-2"]
    assert parse_parameters(given) == {
        "on": True,
        "off": False,
        "n": 3,
        "x": 0.5,
        "e": 0.001,
        "word": "True",
        "minus": -2,
    }
