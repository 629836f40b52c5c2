"""``assay kit check``, ``fetch`` and ``show``: what they print, and what they end with."""

from pathlib import Path

import pytest

from registry.canonical import digest
from tests.support.clean_kit import write_clean_kit
from tests.support.cli import Cli
from tests.support.https_server import ServedFile, https_server
from tests.support.kit_rule_examples import EXAMPLES


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path / "cache")


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    return write_clean_kit(tmp_path / "kit")


def far(kit: Path, url: str) -> None:
    """Let the scan be a file at an address that is not in the folder."""
    (kit / "scan.nii").rename(kit.parent / "far.nii")
    text = (kit / "kit.toml").read_text()
    (kit / "kit.toml").write_text(text.replace("local:scan.nii", f"url:{url}"))


def test_a_clean_kit_shows_its_digests_and_what_each_criterion_rests_on(cli: Cli, kit: Path) -> None:
    told = cli("kit", "check", kit)
    assert told.exit_code == 0
    assert "clean-kit 1.0.0: 2 cases, 2 criteria" in told.out
    assert "endings    overall  2      0         2 cases" in told.out
    assert "0 error(s), 0 warning(s): fits together" in told.out
    assert "next: assay kit register" in told.err
    document = cli("kit", "check", kit, "--json").document
    assert document["kit_digest"].startswith("sha256:")
    assert [one["criterion"] for one in document["scopes"]] == ["endings", "overlap"]


def test_every_fault_is_shown_with_file_line_rule_and_fix(cli: Cli, kit: Path) -> None:
    EXAMPLES["K103"](kit)
    EXAMPLES["K104"](kit)
    told = cli("kit", "check", kit)
    assert told.refused().code == "kit-malformed"
    assert told.exit_code == 6
    assert f"{kit / 'kit.toml'}:9: error K104 in evidence" in told.out
    assert f"{kit / 'cases.csv'}:2: error K103 in stratum.vendor" in told.out
    assert "fix: write evidence = " in told.out
    assert "2 error(s), 0 warning(s)" in told.out
    document = cli("kit", "check", kit, "--json").document
    assert {one["rule"] for one in document["faults"]} == {"K103", "K104"}


def test_the_rules_are_listed_without_a_folder(cli: Cli) -> None:
    told = cli("kit", "check", "--rules")
    assert "K701  warning  each criterion has the cases and patients it asks for" in told.out
    assert cli("kit", "check").refused().code == "bad-option"


def test_a_kit_that_a_human_has_not_finished_is_not_registered(founded: Cli, kit: Path) -> None:
    EXAMPLES["K711"](kit)
    refused = founded("kit", "register", kit, "--as", "root").refused()
    assert refused.code == "kit-malformed"
    assert "risk: a human must still type this [K711]" in refused.message


def test_fetch_shows_each_file_with_its_licence_and_where_it_is(cli: Cli, kit: Path) -> None:
    told = cli("kit", "fetch", kit)
    assert told.exit_code == 0
    assert "licence   CC-BY-4.0" in told.out
    assert "cite      Nobody, 2025." in told.out
    assert told.out.count("folder") == 4
    rows = cli("kit", "fetch", kit, "--json").document["files"]
    assert [one["place"] for one in rows] == ["folder"] * 4
    assert rows[1]["file"] == "series/1.dcm"


def test_fetch_downloads_what_is_nowhere_into_the_cache(
    cli: Cli, kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = ServedFile((kit / "scan.nii").read_bytes())
    with https_server(tmp_path, served) as certificate:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        far(kit, f"{served.base}/scan.nii")
        places = [
            cli("kit", "fetch", kit, "--json", ASSAY_DATA=None).document["files"][0]["place"] for _ in "ab"
        ]
    assert places == ["download", "cache"]
    assert (cli.cache / "sources" / digest(served.data)[7:]).read_bytes() == served.data


def test_offline_says_what_is_missing_with_digest_and_address_and_asks_no_network(
    cli: Cli, kit: Path
) -> None:
    far(kit, "https://127.0.0.1:9/scan.nii")
    told = cli("kit", "fetch", kit, "--offline", ASSAY_DATA=None)
    refused = told.refused()
    assert (refused.exit_code, refused.code) == (6, "source-missing")
    scan = (kit.parent / "far.nii").read_bytes()
    for part in ("source scan", digest(scan), f"{len(scan)} bytes", "https://127.0.0.1:9/scan.nii"):
        assert part in refused.message
    assert "ASSAY_DATA" in refused.hint
    assert "missing" in told.out


def test_a_copy_below_the_data_folder_is_found_under_any_name(cli: Cli, kit: Path, tmp_path: Path) -> None:
    far(kit, "https://127.0.0.1:9/scan.nii")
    (tmp_path / "data").mkdir()
    (kit.parent / "far.nii").rename(tmp_path / "data" / "some other name")
    told = cli("kit", "fetch", kit, "--offline", "--json", ASSAY_DATA=str(tmp_path / "data"))
    assert told.document["files"][0]["place"] == "ASSAY_DATA"


def test_another_file_where_a_source_should_be_is_not_trusted(cli: Cli, kit: Path) -> None:
    (kit / "scan.nii").write_bytes(b"x" * (kit / "scan.nii").stat().st_size)
    refused = cli("kit", "fetch", kit).refused()
    assert (refused.exit_code, refused.code) == (4, "kit-digest")


def test_show_tells_question_data_licence_reference_metrics_and_criteria(cli: Cli, kit: Path) -> None:
    told = cli("kit", "show", kit)
    for part in (
        "clean-kit 1.0.0: A kit without a generator",
        "question      Is the case answered?",
        "licence       CC-BY-4.0",
        "cite          Nobody, 2025.",
        "reference     constructed, no readers.",
        "dice_bright  [1]",
        "A failed case counts as: 0.",
        "overlap: dice_bright >= 1, overall; from 1 case on",
        "one   p1       baseline  ok        phantom",
    ):
        assert part in told.out
    document = cli("kit", "show", kit, "--json").document
    assert document["kit"]["dataset"]["citation"] == "Nobody, 2025."
    assert document["cases"][0]["session"] == "baseline"
