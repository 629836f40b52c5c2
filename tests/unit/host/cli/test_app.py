"""The command line: exit codes, one line per error, and what it leaves after a crash."""

import re
from pathlib import Path

import pytest

from host import __version__
from host.cli import app as cli_app
from host.cli import nouns, session
from plugin_spec.errors import ExitCode
from tests.support.cli import Cli
from tests.support.tiny import kit_folder, plugin_folder, write_scan

NOUNS = ("trust", "plugin", "kit", "report", "catalogue", "trial", "audit")


def test_the_version_is_printed(nowhere: Cli) -> None:
    assert nowhere.do("--version").out == f"{__version__}\n"


def test_help_names_every_noun_and_every_exit_code(nowhere: Cli) -> None:
    said = nowhere.do("--help").out
    for noun in (*NOUNS, "doctor", "validate", "verify", "trace"):
        assert re.search(rf"^\s+{noun}\b", said, re.MULTILINE)
    told = {int(code) for code in re.findall(r"\b(\d+)\s+[a-z]", said.partition("Exit codes:")[2])}
    assert told == {int(code) for code in ExitCode} | {cli_app.USAGE_EXIT}


@pytest.mark.parametrize("noun", NOUNS)
def test_the_help_of_a_noun_needs_no_home(noun: str, nowhere: Cli) -> None:
    assert nowhere.do(noun, "--help").out.startswith(f"Usage: assay {noun} ")
    assert not nowhere.home.exists()


@pytest.mark.parametrize(
    "words", [("fly",), ("trust", "fly"), ("kit", "show"), ("trust", "show", "--fly"), ("verify", "x")]
)
def test_words_that_fit_no_command_end_with_2_in_one_line(words: tuple[str, ...], nowhere: Cli) -> None:
    answer = nowhere(*words)
    refused = answer.refused()
    assert (refused.exit_code, refused.code) == (2, "usage")


@pytest.mark.parametrize(
    "words",
    [
        ("trust", "show"),
        ("catalogue", "list"),
        ("kit", "list"),
        ("audit", "log"),
        ("audit", "verify"),
        ("trial", "status", "t-1"),
        ("trace", "0123456789abcdef", "volumes.bright_ml"),
        ("report", "verify", "0123456789abcdef"),
    ],
)
def test_without_a_registry_a_command_says_how_to_make_one(words: tuple[str, ...], nowhere: Cli) -> None:
    refused = nowhere(*words).refused()
    assert (refused.exit_code, refused.code) == (ExitCode.BAD_STATE, "no-home")
    assert "assay trust init" in refused.hint


def test_json_errors_are_one_document_with_the_same_words(nowhere: Cli) -> None:
    answer = nowhere("trust", "show", "--json")
    refused, error = answer.refused(), answer.document["error"]
    assert answer.document["exit_code"] == answer.exit_code == ExitCode.BAD_STATE
    assert (error["code"], error["message"], error["hint"]) == (
        refused.code,
        refused.message,
        refused.hint,
    )
    assert set(error) == {"code", "message", "subject", "hint"}


def test_a_usage_error_is_a_json_document_too(nowhere: Cli) -> None:
    answer = nowhere("trust", "show", "--json", "--fly")
    assert (answer.exit_code, answer.document["error"]["code"]) == (2, "usage")


def test_ctrl_c_ends_with_130_and_no_traceback(nowhere: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "open_registry", stop)
    answer = nowhere("trust", "show")
    assert answer.exit_code == ExitCode.INTERRUPTED
    assert answer.err == "assay: interrupted: what was under way is recorded or was never started\n"


def crash() -> None:
    raise ZeroDivisionError("told to crash")


def test_a_crash_is_a_report_file_and_one_line(nowhere: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "open_registry", crash)
    answer = nowhere("trust", "show")
    assert (answer.exit_code, answer.refused().code) == (ExitCode.CRASH, "crash")
    (report,) = nowhere.home.glob("assay-crash-*.txt")
    assert str(report) in answer.err
    assert "ZeroDivisionError: told to crash" in report.read_text()
    assert report.stat().st_mode & 0o777 == 0o600


def test_a_crash_report_holds_no_value_of_the_command_line(
    nowhere: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "open_registry", crash)
    nowhere("trial", "status", "doe-jane", "--json")
    (report,) = nowhere.home.glob("assay-crash-*.txt")
    assert "trial … … --json\n" in report.read_text()
    assert "doe-jane" not in report.read_text()


def test_an_interrupted_command_is_a_document_too(nowhere: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "open_registry", interrupted)
    answer = nowhere("trust", "show", "--json")
    assert (answer.exit_code, answer.document["exit_code"]) == (130, 130)
    assert answer.document["error"]["code"] == "interrupted"


def test_a_crash_whose_report_cannot_be_written_is_printed(
    nowhere: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere.home.write_text("a file stands where the home should be")
    monkeypatch.setattr(session, "open_registry", crash)
    answer = nowhere("trust", "show")
    assert answer.exit_code == ExitCode.CRASH
    assert "ZeroDivisionError: told to crash" in answer.err
    assert "the report is above" in answer.err


def test_a_reader_that_went_away_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(nouns, "print", closed, raising=False)
    with monkeypatch.context() as patch, open("/dev/null", "w") as stream:
        patch.setattr("sys.stderr", stream)
        assert cli_app.main(["--version"]) == 0
    assert capsys.readouterr().out == ""


def test_a_founded_registry_shows_its_people_and_its_log(founded: Cli) -> None:
    shown = founded.read("trust", "show")
    assert shown["trust_root"].startswith("sha256:")
    assert "Rosa Root" in founded.do("trust", "show").out
    assert [entry["what"] for entry in founded.log()] == ["trust-root"]
    assert founded.read("catalogue", "list") == []
    assert founded.do("catalogue", "list").out == "(none)\n"
    founded.do("audit", "verify")


def test_a_second_registry_in_the_same_home_is_refused(founded: Cli) -> None:
    before = founded.payloads()
    other = ("trust", "init", "--organisation", "Other", "--root-id", "eve", "--root-name", "Eve")
    answer = founded(*other, ASSAY_PASSPHRASE_EVE="long-enough-words")
    assert answer.refused().exit_code == ExitCode.BAD_STATE
    assert founded.payloads() == before
    assert [path.name for path in (founded.home / "keys").iterdir()] == ["root.key"]


def test_a_key_file_is_never_overwritten(founded: Cli) -> None:
    before = (founded.home / "keys" / "root.key").read_bytes()
    again = ("trust", "init", "--organisation", "Other", "--root-id", "root", "--root-name", "Rosa Root")
    assert founded(*again).refused().code == "unsafe-key-file"
    assert (founded.home / "keys" / "root.key").read_bytes() == before


def test_a_key_without_its_pass_phrase_says_which_variable_holds_it(
    founded: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol = ("trust", "enrol", "--id", "quentin", "--name", "Q", "--role", "qa", "--by", "root")
    with Path("/dev/null").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        answer = founded(*enrol, ASSAY_PASSPHRASE_ROOT=None, ASSAY_PASSPHRASE_QUENTIN="long-enough-words")
    refused = answer.refused()
    assert refused.code == "pass-phrase-needed"
    assert "ASSAY_PASSPHRASE_ROOT" in refused.hint


@pytest.mark.parametrize("person", ["../root", "Root", "r", "a" * 64])
def test_an_id_that_must_not_become_a_path_is_refused(person: str, founded: Cli) -> None:
    answer = founded("trust", "enrol", "--id", person, "--name", "X", "--role", "qa", "--by", "root")
    assert answer.refused().exit_code == ExitCode.BAD_INPUT
    assert not list(founded.home.parent.glob("*.key"))


def test_an_unknown_release_trial_report_or_run_is_bad_input(founded: Cli) -> None:
    for words in (
        ("catalogue", "show", "tiny@1.0.0"),
        ("trial", "status", "t-1"),
        ("report", "verify", "0123456789abcdef"),
        ("trace", "0123456789abcdef", "volumes.bright_ml"),
    ):
        refused = founded(*words).refused()
        assert refused.exit_code == ExitCode.BAD_INPUT, words


def test_a_bundle_that_is_no_bundle_is_not_trusted(nowhere: Cli, tmp_path: Path) -> None:
    (tmp_path / "b.bundle").write_bytes(b"no bundle")
    answer = nowhere("verify", tmp_path / "b.bundle", "--trust-root", "sha256:" + "0" * 64)
    assert answer.refused().exit_code == ExitCode.NOT_TRUSTED


def test_a_plugin_folder_is_checked_without_a_home(nowhere: Cli, tmp_path: Path) -> None:
    plugin = plugin_folder(tmp_path / "plugin")
    assert nowhere.read("plugin", "check", plugin)["checked"] is True
    (plugin / "adapter.py").unlink()
    answer = nowhere("plugin", "check", plugin)
    assert answer.refused().exit_code == ExitCode.CONTRACT_VIOLATION
    assert "adapter.py" in answer.out


def test_a_plugin_that_was_not_built_does_not_run(nowhere: Cli, tmp_path: Path) -> None:
    plugin, scan = plugin_folder(tmp_path / "plugin"), write_scan(tmp_path / "scan.nii")
    words = ("plugin", "run", plugin, "--input", f"scan={scan}", "--out", tmp_path / "out")
    # The build is missed before an engine is looked for.
    answer = nowhere(*words, "--engine", "podman")
    assert (answer.refused().code, answer.exit_code) == ("not-built", ExitCode.BAD_STATE)


def test_a_kit_is_shown_and_checked(nowhere: Cli, tmp_path: Path) -> None:
    kit = kit_folder(tmp_path / "kit")
    assert "dice_bright >= 1" in nowhere.do("kit", "show", kit).out
    checked = nowhere.read("kit", "check", kit)
    assert (checked["kit"], checked["data"]) == ("tiny-cubes", False)
    with (kit / "cases.csv").open("a") as stream:
        stream.write("one cell\n")
    assert nowhere("kit", "check", kit).refused().exit_code == ExitCode.BAD_INPUT


def test_an_engine_that_is_missing_is_what_doctor_ends_with(nowhere: Cli) -> None:
    answer = nowhere("doctor", "--engine", "podman", "--json")
    assert answer.exit_code == ExitCode.ENGINE_FAILED
    assert any(one["verdict"] == "missing" for one in answer.document)
