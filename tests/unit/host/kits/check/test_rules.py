"""Each rule of kits is broken by one change to a clean kit, and by no other; every fault has a place and a fix."""

from pathlib import Path

import pytest

from host.errors import KitDigestError, KitError
from host.home import Home
from host.kits.check.folder import check_for_registration, inspect_kit
from host.kits.check.rules import rule_texts
from tests.support.clean_kit import write_clean_kit
from tests.support.kit_rule_examples import EXAMPLES

ROOT = Path(__file__).parents[5]
NEVER_OF_A_KIT = {"K006"}  # no document of a kit has members told by kind and source


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    return write_clean_kit(tmp_path / "kit")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", tmp_path / "cache")


def test_a_clean_kit_has_no_fault(kit: Path, home: Home) -> None:
    checked = inspect_kit(kit, home)
    assert checked.faults == ()
    assert checked.kit is not None
    assert check_for_registration(kit, home).kit_digest == checked.kit.kit_digest


def test_every_rule_has_an_example() -> None:
    assert {one.number for one in rule_texts()} - NEVER_OF_A_KIT == set(EXAMPLES)
    assert all(one.demands and one.fix for one in rule_texts())


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_one_change_breaks_one_rule(rule: str, kit: Path, home: Home) -> None:
    EXAMPLES[rule](kit)
    checked = inspect_kit(kit, home)
    assert {one.fault.rule for one in checked.faults} == {rule}
    for one in checked.faults:
        assert one.fault.message
        assert one.fault.fix
        assert (kit / one.file).exists() or rule == "K710"
        assert one.severity == ("warning" if rule.startswith("K7") else "error")
    assert (checked.kit is None) == bool(checked.errors)


@pytest.mark.parametrize("rule", sorted(EXAMPLES))
def test_a_kit_with_a_fault_is_not_registered_and_one_with_a_warning_is(
    rule: str, kit: Path, home: Home
) -> None:
    EXAMPLES[rule](kit)
    if rule.startswith("K7") and rule != "K711":
        check_for_registration(kit, home)
        return
    with pytest.raises(KitDigestError if rule == "K203" else KitError) as refused:
        check_for_registration(kit, home)
    assert f"[{rule}]" in refused.value.message
    assert "\n" not in refused.value.message


def test_every_fault_is_shown_at_once_with_file_and_line(kit: Path, home: Home) -> None:
    for rule in ("K004", "K005"):
        EXAMPLES[rule](kit)
    protocol = (kit / "protocol.toml").read_text()
    (kit / "protocol.toml").write_text(protocol.replace("bound = 1.0", 'bound = "high"'))
    cases = (kit / "cases.csv").read_text()
    (kit / "cases.csv").write_text(cases.replace("ok,phantom,yes", "fine,phantom,perhaps"))
    faults = {(one.file, one.fault.path): one.fault for one in inspect_kit(kit, home).faults}
    assert {file for file, _ in faults} == {
        "kit.toml",
        "protocol.toml",
    }  # without kit.toml no source is known
    statements = {
        ("kit.toml", "title"): "title = 3",
        ("kit.toml", "evidence"): 'evidence = "patients"',
    }
    for place, statement in statements.items():
        line = faults[place].line
        assert line is not None
        assert (kit / place[0]).read_text().splitlines()[line - 1] == statement
    assert len([one for one in faults if one[0] == "protocol.toml"]) == 2


def test_every_wrong_cell_of_a_row_is_told_with_its_line(kit: Path, home: Home) -> None:
    cases = (kit / "cases.csv").read_text()
    (kit / "cases.csv").write_text(
        cases.replace("ok,phantom,yes,baseline", "fine,phantom,perhaps,first visit").replace(
            "two,p1,refused", "two,p 1,refused"
        )
    )
    found = [(one.fault.line, one.fault.path) for one in inspect_kit(kit, home).faults]
    assert found == [(2, "smoke"), (2, "expected"), (2, "session"), (3, "subject_id")]


def test_case_files_that_were_made_here_are_checked_too(kit: Path, home: Home) -> None:
    from host.kits.data import data_folder, ensure_data
    from host.kits.kit import read_kit
    from tests.support.memory_engine import MemoryEngine

    home.ensure()
    made = read_kit(kit)
    ensure_data(home, made, MemoryEngine(), say=lambda line: None)
    assert inspect_kit(kit, home).faults == ()
    image = data_folder(home, made) / "source" / "scan.nii"
    image.chmod(0o644)
    image.write_bytes(b"other voxels")
    (fault,) = inspect_kit(kit, home).faults
    assert (fault.fault.rule, fault.fault.line) == ("K203", 2)
    assert "source/scan.nii has digest" in fault.fault.message


def test_a_folder_without_a_kit_and_one_that_is_not_there_are_told(tmp_path: Path, home: Home) -> None:
    found = [one.file for one in inspect_kit(tmp_path, home).faults]
    assert found == ["kit.toml", "protocol.toml", "cases.csv"]
    with pytest.raises(KitError, match="no such folder"):
        inspect_kit(tmp_path / "nowhere", home)


def test_the_shipped_kits_have_no_fault(home: Home) -> None:
    for kit in sorted((ROOT / "validation_kits").iterdir()):
        if (kit / "kit.toml").is_file():
            assert inspect_kit(kit, home).errors == (), kit.name
