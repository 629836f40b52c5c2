"""``assay plugin run --cases``: the table's way through the command line."""

from pathlib import Path

import pytest

from host import extensions
from host.machine import Room
from tests.support.built import Bench
from tests.support.cli import Cli
from tests.support.tiny import write_scan


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    bench = Bench(tmp_path)
    monkeypatch.setattr(extensions, "connect", lambda name: bench.engine)
    for name, behaviour in (("one", "answer"), ("two", "refuse")):
        write_scan(tmp_path / f"{name}.nii", behaviour)
    (tmp_path / "cases.csv").write_text("case_id,scan\none,one.nii\ntwo,two.nii\n")
    return Cli(bench.home.path)


def test_a_table_is_run_and_shown(cli: Cli, tmp_path: Path) -> None:
    table, out = tmp_path / "cases.csv", tmp_path / "out"
    answer = cli("plugin", "run", tmp_path / "plugin", "--cases", table, "--out", out, "--jobs", "2")
    assert answer.exit_code == 10
    assert "2 cases: 1 ok, 1 refused" in answer.out
    assert "[2/2]" in answer.err
    again = cli("plugin", "run", tmp_path / "plugin", "--cases", table, "--out", out, "--json")
    assert (again.document["kept"], again.document["counts"]) == (2, {"ok": 1, "refused": 1})
    assert "kept: same inputs, image and parameters" in again.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--input", "scan=one.nii", "--jobs", "2"), "--jobs, --warm and --replace are for many cases"),
        (("--input", "scan=one.nii", "--warm"), "--jobs, --warm and --replace are for many cases"),
        (("--cases", "cases.csv", "--input", "scan=one.nii"), "leave --input and --parameter out"),
        (("--cases", "cases.csv", "--parameter", "a=1"), "leave --input and --parameter out"),
    ],
)
def test_options_of_one_case_and_of_many_do_not_mix(
    options: tuple[str, ...], message: str, cli: Cli, tmp_path: Path
) -> None:
    answer = cli("plugin", "run", tmp_path / "plugin", "--out", tmp_path / "out", *options)
    assert answer.exit_code == 6
    assert message in answer.err


def test_a_plugin_that_cannot_serve_is_told_so(cli: Cli, tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    answer = cli("plugin", "run", tmp_path / "plugin", "--cases", table, "--out", tmp_path / "out", "--warm")
    assert answer.exit_code == 7
    assert "warm-undeclared" in answer.err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_is_told_and_leaves_what_was_finished(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered = Room.held

    def interrupted(self: Room, *arguments: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(Room, "held", interrupted)
    table, out = tmp_path / "cases.csv", tmp_path / "out"
    answer = cli("plugin", "run", tmp_path / "plugin", "--cases", table, "--out", out)
    assert answer.exit_code == 130
    assert f"stopped: 0 of 2 cases are finished and kept; see {out / 'results.csv'}" in answer.err
    assert "run the same command again: finished cases are kept" in answer.err
    assert (out / "results.csv").read_text().count("not run,cancelled") == 2
    monkeypatch.setattr(Room, "held", entered)
    assert cli("plugin", "run", tmp_path / "plugin", "--cases", table, "--out", out).exit_code == 10
