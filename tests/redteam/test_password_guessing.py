"""Guessing a pass phrase at the registry, and signing in a series that somebody else began (21 CFR 11.200, 11.300)."""

from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode
from tests.support.cli import PASSPHRASE, Cli

NEW = "another-phrase-for-a-test"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A registry with Quinn of quality assurance, where two wrong pass phrases lock."""
    folder = tmp_path_factory.mktemp("guessing")
    cli = Cli(folder / "home", folder / "cache", people=("root", "quinn"))
    cli.do("trust", "init", "--organisation", "Test", "--root-id", "root", "--root-name", "Rosa Root")
    cli.do("trust", "enrol", "--id", "quinn", "--name", "Quinn Q", "--role", "qa", "--by", "root")
    cli.do("trust", "amend", "--by", "root", "--reason", "strict", "--signing", "attempts=2")
    return cli


@pytest.fixture
def cli(template: Cli, tmp_path: Path) -> Cli:
    return template.copied(tmp_path / "home")


CHANGE = ("trust", "passphrase")
AS_QUINN = (*CHANGE, "--as", "quinn")


@pytest.mark.requirement("R16")
@pytest.mark.attack("password guessing")
def test_guessing_is_logged_and_locks_even_who_then_guesses_right(cli: Cli) -> None:
    for guess in ("password", "123456"):
        refused = cli(*AS_QUINN, ASSAY_PASSPHRASE_QUINN=guess).refused()
        assert (refused.code, refused.exit_code) == ("wrong-passphrase", ExitCode.NOT_TRUSTED)
    refused = cli(*AS_QUINN, ASSAY_NEW_PASSPHRASE_QUINN=NEW).refused()
    assert (refused.code, refused.exit_code) == ("signing-locked", ExitCode.NOT_PERMITTED)
    whys = [entry["reason"] for entry in cli.log() if entry["what"] == "refusal"]
    assert [why.partition(":")[0] for why in whys] == [
        "signing refused (wrong-passphrase)",
        "signing refused (wrong-passphrase)",
        "signing refused (signing-locked)",
    ]
    assert str(cli.home) not in "".join(whys)
    cli.do("audit", "verify")


@pytest.mark.requirement("R16")
def test_guessing_through_a_proposed_root_is_counted_as_well(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "proposal.json"
    made = cli.read(
        "trust", "amend", "--by", "root", "--reason", "x", "--threshold", "qa=1", "--propose", file
    )
    sign = ("trust", "sign", file, "--as", "quinn", "--digest", made["digest"])
    codes = [cli(*sign, ASSAY_PASSPHRASE_QUINN="guess").refused().code for _ in range(3)]
    assert codes == ["wrong-passphrase", "wrong-passphrase", "signing-locked"]
    assert cli(*AS_QUINN).refused().code == "signing-locked"


@pytest.mark.requirement("R16")
def test_deleting_files_beside_the_key_unlocks_nothing(cli: Cli) -> None:
    for _ in range(2):
        cli(*AS_QUINN, ASSAY_PASSPHRASE_QUINN="guess")
    for path in (*cli.home.glob("*.json"), *(cli.home / "keys").iterdir()):
        if path.name not in ("registry.json", "quinn.key"):
            path.unlink()
    assert cli(*AS_QUINN).refused().code == "signing-locked"


@pytest.mark.requirement("R16")
def test_the_person_is_told_of_a_failed_attempt_at_their_next_signing(cli: Cli) -> None:
    cli(*AS_QUINN, ASSAY_PASSPHRASE_QUINN="guess")
    answer = cli(*AS_QUINN, ASSAY_NEW_PASSPHRASE_QUINN=NEW)
    assert answer.exit_code == 0
    assert "warning: 1 wrong pass phrases in the name of quinn" in answer.err


@pytest.mark.requirement("R15")
def test_a_series_spares_the_id_but_never_the_pass_phrase(cli: Cli) -> None:
    refused = cli(*CHANGE, ASSAY_NEW_PASSPHRASE_QUINN=NEW).refused()
    assert (refused.code, refused.exit_code) == ("bad-option", ExitCode.BAD_INPUT)
    assert cli(*AS_QUINN, ASSAY_NEW_PASSPHRASE_QUINN=NEW).exit_code == 0
    series = next(cli.home.glob("signing-series.json"))
    assert NEW not in series.read_text() and PASSPHRASE not in series.read_text()
    wrong = cli(*CHANGE, ASSAY_PASSPHRASE_QUINN=PASSPHRASE, ASSAY_NEW_PASSPHRASE_QUINN="third").refused()
    assert wrong.code == "wrong-passphrase"
    # A failed attempt breaks the series: both components again.
    assert cli(*CHANGE, ASSAY_PASSPHRASE_QUINN=NEW).refused().code == "bad-option"
    again = cli(*AS_QUINN, ASSAY_PASSPHRASE_QUINN=NEW, ASSAY_NEW_PASSPHRASE_QUINN="third")
    assert again.exit_code == 0
    within = cli(*CHANGE, ASSAY_PASSPHRASE_QUINN="third", ASSAY_NEW_PASSPHRASE_QUINN="fourth")
    assert within.exit_code == 0, within.err


@pytest.mark.requirement("R15")
@pytest.mark.attack("forged signing series")
def test_a_forged_series_opens_no_key(cli: Cli) -> None:
    assert cli(*AS_QUINN, ASSAY_NEW_PASSPHRASE_QUINN=NEW).exit_code == 0
    path = cli.home / "signing-series.json"
    path.write_text(path.read_text().replace('"quinn"', '"root"'))
    refused = cli(*CHANGE, ASSAY_PASSPHRASE_ROOT="guess", ASSAY_NEW_PASSPHRASE_ROOT=NEW).refused()
    assert refused.code == "wrong-passphrase"


def test_the_same_pass_phrase_is_not_a_change(cli: Cli) -> None:
    refused = cli(*AS_QUINN, ASSAY_NEW_PASSPHRASE_QUINN=PASSPHRASE).refused()
    assert (refused.code, refused.exit_code) == ("unsafe-key-file", ExitCode.NOT_TRUSTED)
    assert [entry["what"] for entry in cli.log()] == ["trust-root"] * 3
