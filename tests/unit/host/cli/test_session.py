"""Keys are found by ids that can be no path, and opened by phrases that are never guessed."""

import re
from contextvars import copy_context
from pathlib import Path

import pytest

from host.cli import session
from host.errors import HomeMissingError, OptionError, PassphraseMissingError
from host.home import Home
from registry.errors import WrongPassphraseError
from registry.esignature import FIRST_OF_SERIES, Signing, compose
from registry.policy import Action
from registry.trust_root import Role
from tests.support.cli import Cli


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", tmp_path / "cache")
    home.ensure()
    return home


def test_a_key_file_lies_in_the_home(home: Home) -> None:
    assert session.key_file(home, "ada-2") == home.keys / "ada-2.key"


@pytest.mark.attack("path traversal in an id")
@pytest.mark.parametrize("person", ["", "a", "../ada", "ada/eve", "Ada", "ada.key", "-ada", "ada\n"])
def test_an_id_that_could_be_a_path_is_refused(person: str, home: Home) -> None:
    with pytest.raises(OptionError, match="is no id"):
        session.key_file(home, person)


def test_a_new_key_opens_under_its_phrase_and_no_other(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PASSPHRASE_ADA_2", "correct horse battery")
    with session.new_key(home, "ada-2") as signer:
        pass
    assert session.unlock(home, "ada-2").public == signer.public
    monkeypatch.setenv("ASSAY_PASSPHRASE_ADA_2", "wrong horse battery")
    with pytest.raises(WrongPassphraseError):
        session.unlock(home, "ada-2")


def test_a_key_whose_enrolment_failed_leaves_no_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PASSPHRASE_ADA", "correct horse battery")
    with pytest.raises(KeyboardInterrupt), session.new_key(home, "ada"):
        raise KeyboardInterrupt
    assert list(home.keys.iterdir()) == []


def test_nobody_is_asked_for_a_phrase_off_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_PASSPHRASE_ADA", raising=False)
    with Path("/dev/null").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        with pytest.raises(PassphraseMissingError) as refused:
            session.passphrase("ada")
    assert "ASSAY_PASSPHRASE_ADA" in refused.value.hint


def test_a_home_without_a_registry_is_not_opened(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(home.path))
    with pytest.raises(HomeMissingError):
        session.open_registry()


@pytest.mark.requirement("R15")
def test_a_signature_records_what_its_signer_gave(founded: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in founded.environment.items():
        monkeypatch.setenv(name, value)
    home, registry = session.open_registry()

    def act(*, continued: bool) -> session.Actor:
        person = session._of_the_series() if continued else "root"
        return session.act_as(home, registry, person, Action.TRUST_ENROL)

    with pytest.raises(OptionError, match="no series of signings is open"):
        act(continued=True)
    first = copy_context().run(act, continued=False)
    later = copy_context().run(act, continued=True)
    again = copy_context().run(act, continued=False)
    assert first.authentication == again.authentication == FIRST_OF_SERIES
    assert later.person == "root"
    assert re.fullmatch(
        r"pass phrase, in a series begun \S+ with id and pass phrase; key file", later.authentication
    )
    signing = Signing("sha256:" + "0" * 64, "review", "read", authentication=later.authentication)
    signature = compose(registry.root.person("root"), Role.ROOT, signing, at=registry.clock())
    assert signature.authentication == later.authentication
