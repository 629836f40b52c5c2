"""``assay plugin explain``: at a terminal, as a page, as a document."""

from pathlib import Path

import pytest
import tomli_w

from plugin_spec.errors import ExitCode
from tests.support.card_plugin import everything
from tests.support.clean_plugin import CleanPlugin
from tests.support.cli import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "no-home")


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return CleanPlugin().write(tmp_path / "plugin")


@pytest.mark.parametrize("named", ["", "plugin.toml"])
def test_a_folder_or_its_manifest_is_told(named: str, cli: Cli, plugin: Path) -> None:
    answer = cli.do("plugin", "explain", plugin / named)
    assert answer.out.startswith("Mean intensity\nmean-intensity 1.0.0\n")
    assert "assay plugin check has no remark." in answer.out
    assert answer.err == f"next: assay plugin check {plugin}\n"


def test_a_manifest_alone_can_be_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plugin.toml").write_text(tomli_w.dumps(everything()))
    assert "C710  runtime.threads" in cli.do("plugin", "explain", tmp_path / "plugin.toml").out


def test_the_width_is_that_of_the_terminal(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plugin.toml").write_text(tomli_w.dumps(everything()))
    answer = cli("plugin", "explain", tmp_path, COLUMNS="70")
    longest = max(answer.out.splitlines(), key=lambda line: len(line) if "sha256:" not in line else 0)
    assert 60 < len(longest) <= 70


def test_a_page_is_written_whole_and_not_into_a_folder(cli: Cli, plugin: Path, tmp_path: Path) -> None:
    page = tmp_path / "card.html"
    assert cli.read("plugin", "explain", plugin, "--html", page) == {"written": str(page)}
    assert page.read_text().startswith("<!DOCTYPE html>\n<html") and page.read_text().endswith("</html>\n")
    refused = cli("plugin", "explain", plugin, "--html", tmp_path).refused()
    assert (refused.exit_code, refused.code) == (ExitCode.BAD_INPUT, "bad-target")


def test_the_document_has_the_same_sections(cli: Cli, plugin: Path) -> None:
    card = cli.read("plugin", "explain", plugin)
    assert card["name"] == "mean-intensity 1.0.0"
    assert [one["title"] for one in card["sections"]][:3] == [
        "What it is for",
        "What goes in",
        "What comes out",
    ]


def test_what_is_no_manifest_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "plugin.toml").write_text("id = 3\n")
    refused = cli("plugin", "explain", tmp_path).refused()
    assert refused.exit_code == ExitCode.CONTRACT_VIOLATION
    assert refused.message.startswith(f"{tmp_path}/plugin.toml: ")
    assert cli("plugin", "explain", tmp_path / "absent").refused().exit_code == ExitCode.CONTRACT_VIOLATION
