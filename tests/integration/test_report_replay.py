"""`assay validate --replay` and `assay report verify` on a file: exit codes, and what is said to be missing."""

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.tiny import TinyWorld

pytestmark = pytest.mark.docker


@pytest.fixture
def stored(tiny: TinyWorld, tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    tiny.sponsor.do("report", "show", tiny.validation, "--data", path)
    return path


@pytest.mark.requirement("R7")
def test_a_registered_report_is_made_again_with_the_same_bytes(tiny: TinyWorld) -> None:
    again = tiny.sponsor.read("validate", "--replay", tiny.validation)
    assert (again["same"], again["report_json"], again["not_replayed"]) == (True, again["made_again"], [])


def test_a_reports_file_is_made_again_without_a_home(stored: Path, tmp_path: Path) -> None:
    nobody = Cli(tmp_path / "nowhere")
    done = nobody("validate", "--replay", stored)
    assert done.exit_code == 0
    assert "the same bytes" in done.out and "not made again: figures of the cases" in done.out
    assert not nobody.home.exists()


def test_an_edited_file_names_the_field_and_ends_with_4(stored: Path, tmp_path: Path) -> None:
    stored.write_bytes(stored.read_bytes().replace(b'"answered":2', b'"answered":3'))
    done = Cli(tmp_path / "nowhere")("validate", "--replay", stored)
    assert done.exit_code == 4
    assert "DIFFERS  flow.answered: 3 in the report, 2 when made again" in done.out


@pytest.mark.parametrize("words", [("--kit", "."), ("--as", "ada"), ("tiny-volumes@1.0.0",)])
def test_a_replay_runs_nothing_and_takes_nothing_to_run(words: tuple[str, ...], tiny: TinyWorld) -> None:
    refused = tiny.sponsor("validate", *words, "--replay", tiny.validation).refused()
    assert (refused.exit_code, refused.code) == (6, "bad-option")


def test_a_validation_without_its_words_is_told_what_it_needs(tiny: TinyWorld) -> None:
    refused = tiny.sponsor("validate").refused()
    assert refused.exit_code == 6 and "--kit" in refused.message


def test_a_reports_file_is_verified_from_a_trust_root_without_a_home(
    tiny: TinyWorld, stored: Path, tmp_path: Path
) -> None:
    nobody = Cli(tmp_path / "nowhere")
    # The site was enrolled after the report was written, so its trust root is an earlier one.
    earlier = tiny.sponsor.read("trust", "show")["earlier"]
    found = nobody.read("report", "verify", stored, "--trust-root", earlier["1"])
    assert found["validation"] == tiny.validation and len(found["not_shown"]) == 3
    bare = nobody("report", "verify", stored).refused()
    assert "--trust-root" in bare.hint
    later = nobody("report", "verify", stored, "--trust-root", tiny.trust_root).refused()
    assert (later.exit_code, later.code) == (4, "root-pin-mismatch")
    assert "assay trust show" in later.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused = Cli(tmp_path / "nowhere")("validate", "--replay", tmp_path / "none.json").refused()
    assert refused.exit_code == 6 and "none.json" in refused.message
