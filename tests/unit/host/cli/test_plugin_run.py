"""``assay plugin run``: what an operator sees of one case."""

import csv
from pathlib import Path

import pytest

from host import extensions
from tests.support.built import Bench
from tests.support.cli import Cli
from tests.support.tiny import write_scan

FLAGGED = """
[[domain]]
port = "scan"
tag = "MagneticFieldStrength"
minimum = 1.4
maximum = 3.1
unit = "T"
missing = "flag"
outside = "refuse"
evidence = "The scans that it was tried on."
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(tmp_path)
    monkeypatch.setattr(extensions, "connect", lambda name: bench.engine)
    with (bench.plugin / "plugin.toml").open("a") as stream:
        stream.write(FLAGGED)
    bench.describe_build()
    write_scan(tmp_path / "scan.nii")
    return bench


@pytest.fixture
def cli(bench: Bench) -> Cli:
    return Cli(bench.home.path)


def test_a_case_that_the_domain_flags_says_so_wherever_its_numbers_are(
    cli: Cli, bench: Bench, tmp_path: Path
) -> None:
    given = ("plugin", "run", bench.plugin, "--input", f"scan={tmp_path / 'scan.nii'}")
    shown = cli.do(*given, "--out", tmp_path / "one")
    assert "warning: " in shown.out and "MagneticFieldStrength" in shown.out
    (warning,) = cli.read(*given, "--out", tmp_path / "two")["warnings"]
    assert "MagneticFieldStrength" in warning
    assert warning in (tmp_path / "two" / "result.json").read_text()


def test_a_table_of_flagged_cases_says_so_too(cli: Cli, bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("case_id,scan\none,scan.nii\n")
    given = ("plugin", "run", bench.plugin, "--cases", tmp_path / "cases.csv", "--out", tmp_path / "out")
    assert "warning: one: " in cli.do(*given).out
    with (tmp_path / "out" / "results.csv").open(newline="") as stream:
        assert ["MagneticFieldStrength" in row["warnings"] for row in csv.DictReader(stream)] == [True]


def test_a_case_without_numbers_is_shown_without_an_empty_table(
    cli: Cli, bench: Bench, tmp_path: Path
) -> None:
    scan = write_scan(tmp_path / "refused.nii", "refuse")
    answer = cli("plugin", "run", bench.plugin, "--input", f"scan={scan}", "--out", tmp_path / "out")
    assert answer.exit_code == 10
    assert "(none)" not in answer.out


@pytest.mark.parametrize("options", [("--input", "scan=scan.nii"), ("--cases", "none.csv")])
def test_what_is_wrong_before_an_engine_is_needed_names_none(
    options: tuple[str, str], cli: Cli, bench: Bench, tmp_path: Path
) -> None:
    if options[0] == "--input":
        (bench.home.builds / "tiny-volumes-1.0.0.json").unlink()
    answer = cli("plugin", "run", bench.plugin, *options, "--out", tmp_path / "out")
    assert answer.exit_code != 0
    assert "engine: " not in answer.err
