"""`assay kit deviate`: what QA sees when a registered protocol is edited, and what is refused."""

from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.tiny import kit_folder, staffed

OVERLAP = 'metric = "dice_bright"\nstatistic = "every_case"\ncomparator = ">="\nbound = 1.0'


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    return kit_folder(tmp_path / "kit")


@pytest.fixture
def registered(tmp_path: Path, kit: Path) -> Cli:
    cli = staffed(Cli(tmp_path / "home"))
    cli.do("kit", "register", kit, "--as", "quentin")
    return cli


def edit(kit: Path) -> None:
    path = kit / "protocol.toml"
    path.write_text(path.read_text().replace(OVERLAP, OVERLAP.replace("1.0", "0.5")))


def test_a_deviation_is_shown_field_by_field_and_listed(registered: Cli, kit: Path) -> None:
    edit(kit)
    done = registered.do("kit", "deviate", kit, "--as", "quentin", "--reason", "readers agree to 0.6")
    assert "deviation 1 from the protocol of tiny-cubes 1.0.0, approved by Quentin Quality" in done.out
    assert "criteria.overlap.bound: 1 -> 0.5" in done.out
    assert "executions against the kit before it: 0" in done.out
    assert "assay validate" in done.err
    listed = registered.read("kit", "list")
    assert [one["protocol"].get("number") for one in listed] == [None, 1]
    registered.assert_clean()


def test_somebody_who_is_not_qa_does_not_approve_a_deviation(registered: Cli, kit: Path) -> None:
    edit(kit)
    refused = registered("kit", "deviate", kit, "--as", "sofia", "--reason", "it would pass").refused()
    assert (refused.exit_code, refused.code) == (5, "wrong-role")
    assert len(registered.read("kit", "list")) == 1


def test_an_unedited_protocol_is_no_deviation(registered: Cli, kit: Path) -> None:
    refused = registered("kit", "deviate", kit, "--as", "quentin", "--reason", "none").refused()
    assert (refused.exit_code, refused.code) == (6, "kit-malformed")
    assert "says the same" in refused.message


def test_an_edit_needs_a_reason(registered: Cli, kit: Path) -> None:
    edit(kit)
    assert registered("kit", "deviate", kit, "--as", "quentin").exit_code == 2
