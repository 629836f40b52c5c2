"""``assay plugin check``: every fault on one screen, in one document, and with one exit code."""

from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode
from tests.support.clean_plugin import CleanPlugin, spoilt
from tests.support.cli import Cli
from tests.support.rule_examples import EXAMPLES


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "no-home")


def test_a_plugin_without_faults_leads_to_its_build(cli: Cli, tmp_path: Path) -> None:
    folder = CleanPlugin().write(tmp_path / "plugin")
    answer = cli.do("plugin", "check", folder)
    assert answer.out.endswith("0 error(s), 0 warning(s): fits the contract\n")
    assert answer.err == f"next: assay plugin build {folder}\n"
    assert not cli.home.exists()


def test_every_fault_is_shown_with_its_line_rule_and_fix(cli: Cli, tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "plugin", lambda plugin: [EXAMPLES[rule](plugin) for rule in ("C402", "C703")])
    answer = cli("plugin", "check", folder, COLUMNS="80")
    refused = answer.refused()
    assert (refused.exit_code, refused.code) == (ExitCode.CONTRACT_VIOLATION, "contract-violation")
    manifest = (folder / "plugin.toml").read_text().splitlines()
    line = manifest.index("[resources]") + 1
    located = f"{folder}/plugin.toml:{line + 2}: error C402 in resources.memory_mib\n    scratch_mib 500 + shm_mib 64"
    assert located in answer.out
    assert (
        "warning C703 in outputs.0.columns\n    port numbers: no repeatability is claimed for mean\n    fix: "
        in answer.out
    )
    assert answer.out.endswith("1 error(s), 1 warning(s)\n")


def test_a_document_that_does_not_fit_says_that_more_may_come(cli: Cli, tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "plugin", lambda plugin: [EXAMPLES[rule](plugin) for rule in ("C002", "C402")])
    answer = cli("plugin", "check", folder)
    assert answer.exit_code == ExitCode.CONTRACT_VIOLATION
    assert "C402" not in answer.out
    assert answer.out.endswith("come next, once the document fits the schema.\n")


def test_the_document_holds_what_the_screen_shows(cli: Cli, tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "plugin", EXAMPLES["C402"])
    answer = cli("plugin", "check", folder, "--json")
    assert answer.exit_code == ExitCode.CONTRACT_VIOLATION
    assert (answer.document["plugin"], answer.document["errors"], answer.document["warnings"]) == (
        "mean-intensity",
        1,
        0,
    )
    (fault,) = answer.document["faults"]
    assert fault == {
        "rule": "C402",
        "severity": "error",
        "path": "resources.memory_mib",
        "line": fault["line"],
        "message": "scratch_mib 500 + shm_mib 64 exceed memory_mib 256",
        "fix": "both are shares of the memory limit: raise it, or lower them",
    }


@pytest.mark.parametrize(
    "words", [("lock",), ("build",), ("save", "--out", "image.tar"), ("run", "--out", "out")]
)
def test_every_command_refuses_a_manifest_in_the_same_words(
    words: tuple[str, ...], cli: Cli, tmp_path: Path
) -> None:
    folder = spoilt(tmp_path / "plugin", EXAMPLES["C402"])
    verb, *options = words
    told = [str(tmp_path / one) if one in {"image.tar", "out"} else one for one in options]
    refused = cli("plugin", verb, folder, *told).refused()
    assert (refused.exit_code, refused.code) == (ExitCode.CONTRACT_VIOLATION, "contract-violation")
    assert refused.message.endswith("exceed memory_mib 256 [C402]")


def test_warnings_alone_are_no_failure(cli: Cli, tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "plugin", EXAMPLES["C703"])
    assert cli.do("plugin", "check", folder).out.endswith("0 error(s), 1 warning(s): fits the contract\n")


def test_the_rules_are_listed_without_a_folder(cli: Cli) -> None:
    listed = cli.read("plugin", "check", "--rules")
    assert [one["rule"] for one in listed] == sorted(EXAMPLES)
    assert (
        "C703  warning  a measured column claims"
        in cli.do(
            "plugin",
            "check",
            "--rules",
        ).out
    )


def test_without_a_folder_the_command_says_what_it_needs(cli: Cli) -> None:
    refused = cli("plugin", "check").refused()
    assert (refused.exit_code, refused.message) == (ExitCode.BAD_INPUT, "FOLDER is missing")


def test_a_folder_that_is_not_there_is_named(cli: Cli, tmp_path: Path) -> None:
    refused = cli("plugin", "check", tmp_path / "absent").refused()
    assert (refused.exit_code, refused.code) == (ExitCode.BAD_INPUT, "plugin-folder")
    assert refused.message == f"{tmp_path}/absent: no such folder"
    (tmp_path / "plugin.toml").touch()
    refused = cli("plugin", "check", tmp_path / "plugin.toml").refused()
    assert refused.message == f"{tmp_path}/plugin.toml: is no folder"


def test_without_a_manifest_that_can_be_read_nothing_is_said_of_later_rules(cli: Cli, tmp_path: Path) -> None:
    for write in (lambda: None, lambda: (tmp_path / "plugin.toml").write_text("id = \n")):
        write()
        answer = cli("plugin", "check", tmp_path)
        assert answer.exit_code == ExitCode.CONTRACT_VIOLATION
        assert answer.out.endswith("1 error(s), 0 warning(s)\n")


def test_a_fault_that_was_shown_is_not_shown_again(cli: Cli, tmp_path: Path) -> None:
    folder = spoilt(tmp_path / "plugin", EXAMPLES["C402"])
    answer = cli("plugin", "check", folder)
    assert "exceed memory_mib" in answer.out
    assert answer.err == (
        f"assay: contract-violation: {folder}/plugin.toml: 1 error(s), shown above\n"
        f"  next: mend them, then assay plugin check {folder}\n"
    )
    assert "exceed memory_mib" in cli("plugin", "check", folder, "--json").err
