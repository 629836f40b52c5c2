"""``assay trust``: holders far apart sign one proposed root, and only the whole threshold puts it in force."""

from dataclasses import replace
from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode
from tests.support.cli import Cli

PEOPLE = ("root", "rolf", "quinn")


@pytest.fixture
def registry(founded: Cli) -> Cli:
    return replace(founded, people=PEOPLE)


@pytest.fixture
def elsewhere(registry: Cli, tmp_path: Path) -> Cli:
    """The second holder's own machine: a key, no registry."""
    return replace(registry, home=tmp_path / "elsewhere")


def test_two_holders_found_a_threshold_and_both_are_needed_from_then_on(
    registry: Cli, elsewhere: Cli, tmp_path: Path
) -> None:
    public, file = tmp_path / "rolf.pub", tmp_path / "proposal.json"
    elsewhere.do("trust", "key", "--id", "rolf", "--out", public, "--algorithm", "ecdsa-p256")
    enrol = ("trust", "enrol", "--id", "rolf", "--name", "Rolf Root", "--role", "root", "--by", "root")
    made = registry.read(*enrol, "--public-key", public, "--threshold", "root=2", "--propose", file)
    assert (made["complete"], made["signed"]) == (False, {"1": ["root"], "2": ["root"]})
    early = registry("trust", "adopt", file).refused()
    assert (early.code, early.exit_code) == ("root-threshold", ExitCode.NOT_TRUSTED)
    assert registry.log()[-1]["reason"].startswith("trust-root/v1 refused (root-threshold)")
    sign = ("trust", "sign", file, "--as", "rolf", "--digest")
    wrong = elsewhere(*sign, "sha256:" + "0" * 64).refused()
    assert (wrong.code, wrong.exit_code) == ("another-proposal", ExitCode.NOT_TRUSTED)
    assert elsewhere.read(*sign, made["digest"])["complete"]
    assert registry.read("trust", "adopt", file)["trust_root"] == made["digest"]
    alone = ("trust", "enrol", "--id", "quinn", "--name", "Quinn Q", "--role", "qa", "--by", "root")
    assert registry(*alone).refused().code == "root-threshold"
    assert not (registry.home / "keys" / "quinn.key").exists()
    assert "root 2" in registry.do("trust", "show").out
    registry.do("audit", "verify")


def test_a_rotated_key_opens_and_the_old_one_signs_nothing(registry: Cli) -> None:
    registry.do("trust", "enrol", "--id", "quinn", "--name", "Quinn Q", "--role", "qa", "--by", "root")
    before = registry.read("trust", "show")["root"]["people"][-1]["keys"][0]["keyid"]
    registry.do("trust", "rotate", "--id", "root", "--by", "root", "--reason", "yearly")
    registry.do("trust", "rotate", "--id", "quinn", "--by", "root", "--reason", "lost")
    shown = registry.read("trust", "show")["root"]
    assert [one["reason"] for one in shown["withdrawn"]] == ["yearly", "lost"]
    assert shown["people"][-1]["keys"][0]["keyid"] != before
    assert len(list((registry.home / "keys").glob("quinn*.key"))) == 2
    registry.do("trust", "revoke", "--id", "quinn", "--by", "root", "--reason", "left")
    assert "quinn" not in [one["id"] for one in registry.read("trust", "show")["root"]["people"]]
    registry.do("audit", "verify")


@pytest.mark.parametrize("word", ["root", "root=", "king=2", "root=x", "root=-1"])
def test_a_threshold_that_is_none_is_named(word: str, registry: Cli) -> None:
    refused = registry("trust", "amend", "--by", "root", "--reason", "x", "--threshold", word).refused()
    assert (refused.code, refused.exit_code) == ("enrolment", ExitCode.BAD_INPUT)
    assert word in refused.message


def test_a_key_for_a_node_is_not_made_at_the_registry(registry: Cli) -> None:
    rotate = ("trust", "rotate", "--id", "registry", "--by", "root", "--reason", "yearly")
    assert registry(*rotate).refused().code == "enrolment"
    revoke = ("trust", "revoke", "--id", "registry", "--by", "root", "--reason", "by mistake")
    refused = registry(*revoke).refused()
    assert (refused.code, refused.exit_code) == ("own-log-locked", ExitCode.NOT_PERMITTED)
