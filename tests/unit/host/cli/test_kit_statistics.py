"""``assay kit self-test`` and ``assay kit sample-size``."""

from pathlib import Path

import pytest

from host.cli.kit.self_test import answer
from host.reports.self_test import section_of
from host.statistics.oracle import Oracle, printed
from host.statistics.self_test import run_self_test
from tests.support.cli import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path / "cache")


def test_the_self_test_lists_every_number_and_what_was_not_run(cli: Cli) -> None:
    told = cli("kit", "self-test", ASSAY_DATA=None)
    assert told.exit_code == 0
    assert "56 of 56 published numbers reproduced" in told.out
    assert "ibsi-digital-phantom: 5 numbers not run: phantom.nii.gz, mask.nii.gz not here" in told.out
    assert "bland-altman-1986" in told.out
    assert "FAILED" not in told.out


def test_the_self_test_as_json_is_the_section_of_a_report(cli: Cli) -> None:
    document = cli("kit", "self-test", "--json", ASSAY_DATA=None).document
    assert {"versions", "oracles", "not_run"} == set(document)
    assert all(one["passed"] for one in document["oracles"])


def test_an_installation_that_gives_another_number_is_in_a_bad_state(
    capsys: pytest.CaptureFixture[str],
) -> None:
    oracles = [Oracle("lin-1989", "s", printed(("CCC", ".94274")), lambda _: [0.95])]
    assert answer(section_of(run_self_test(oracles=oracles)), json=False) == 9
    told = capsys.readouterr()
    assert "FAILED" in told.out
    assert "self-test-failed: this installation does not reproduce lin-1989" in told.err
    assert "next: validate nothing with it" in told.err


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("proportion --expected 0.9 --goal 0.8", "112 subjects"),
        ("proportion --expected 0.9 --half-width 0.05", "141 subjects"),
        ("mean --sd 10 --half-width 2", "99 subjects"),
        ("equivalence --sd 10 --margin 5", "36 subjects"),
        ("limits --half-width 0.34", "123 subjects"),
        ("limits --sd 4 --margin 12 --bias 1", "53 subjects"),
        ("wcv --expected 0.08 --claim 0.10", "35 subjects"),
        (
            "auc --expected 0.9 --goal 0.8 --negatives-per-positive 3",
            "36 subjects with the condition and 108",
        ),
    ],
)
def test_each_design_answers_with_a_number_and_a_sentence_for_the_protocol(
    cli: Cli, words: str, first: str
) -> None:
    told = cli.do("kit", "sample-size", *words.split())
    assert told.out.startswith(first)
    assert "basis: For " in told.out
    document = cli.read("kit", "sample-size", *words.split())
    assert document["subjects"] == int(first.split(maxsplit=1)[0])
    assert document["basis"] in told.out


def test_what_no_study_can_do_is_said_and_valid_json(cli: Cli) -> None:
    words = ("kit", "sample-size", "auc", "--expected", "0.9", "--goal", "0.89999")
    assert "no number of subjects up to a million" in cli.do(*words).out
    document = cli.read(*words)
    assert (document["subjects"], document["reached"]) == (None, None)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("proportion --expected 0.7 --goal 0.8", "goal"),
        ("proportion --expected 0.9 --goal 0.8 --power 1.5", "power"),
        ("mean --sd 10 --half-width 2 --level 95", "level"),
        ("equivalence --sd 10 --margin 5 --alpha 0.7", "alpha"),
    ],
)
def test_assumptions_that_contradict_each_other_are_one_line(cli: Cli, words: str, named: str) -> None:
    refused = cli("kit", "sample-size", *words.split()).refused()
    assert (refused.exit_code, refused.code) == (6, "bad-design")
    assert named in refused.message
    assert refused.hint == f"assay kit sample-size {words.split(maxsplit=1)[0]} --help"


@pytest.mark.parametrize(
    "words",
    [
        "proportion --expected 0.9",
        "proportion --expected 0.9 --goal 0.8 --half-width 0.1",
        "limits --margin 3",
        "auc --expected 0.9 --goal 0.8 --variance delong",
    ],
)
def test_options_that_do_not_belong_together_are_a_usage_fault(cli: Cli, words: str) -> None:
    refused = cli("kit", "sample-size", *words.split()).refused()
    assert (refused.exit_code, refused.code) == (2, "usage")
