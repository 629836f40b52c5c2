"""``NAME=VALUE`` options."""

from pathlib import Path

import pytest

from host.cli.values import parse_files, parse_pairs, parse_parameters
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


def test_a_port_of_several_files_is_given_once_per_file_in_their_order() -> None:
    given = ["later=b.nii", "t1=a.nii", "later=a.nii"]
    assert parse_files(given, "--input") == {
        "later": (Path("b.nii"), Path("a.nii")),
        "t1": (Path("a.nii"),),
    }
    with pytest.raises(OptionError, match="--input gives 'later=b.nii' twice"):
        parse_files([*given, "later=b.nii"], "--input")
    with pytest.raises(OptionError, match="expected NAME=VALUE"):
        parse_files(["later"], "--input")


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
