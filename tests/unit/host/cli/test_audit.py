"""``assay audit`` as QA uses it: filters, signed reviews, and text that may identify a person."""

from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode
from tests.support.cli import Cli
from tests.support.tiny import staffed


@pytest.fixture(scope="module")
def sponsor(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A sponsor with its staff, and a trial that sofia opened."""
    cli = staffed(Cli(tmp_path_factory.mktemp("sponsor") / "home"))
    opened = ("--title", "A trial", "--scope", "demonstration", "--as", "sofia")
    cli.do("trial", "create", "trial-1", *opened)
    return cli


@pytest.mark.requirement("R28")
def test_qa_reviews_what_somebody_else_did_and_the_trail_shows_it(sponsor: Cli) -> None:
    last = len(sponsor.log()) - 1
    asked = ("--from", 0, "--to", last, "--who", "sofia", "--finding", "none", "--reason", "monthly review")
    done = sponsor.read("audit", "review", "--as", "quentin", *asked)
    assert done["review"]["records"] == 1
    (row,) = sponsor.log("--what", "audit-review", "--why", "MONTHLY")
    assert (row["digest"], row["actor"]) == (done["record"], "quentin")
    assert row["subject"] == f"entries 0 to {last}"
    sponsor.do("audit", "verify")


@pytest.mark.requirement("R28")
def test_a_reviewer_who_acted_in_the_range_is_refused(sponsor: Cli) -> None:
    asked = ("--from", 0, "--to", len(sponsor.log()) - 1, "--finding", "none", "--reason", "monthly review")
    sponsor.do("audit", "review", "--as", "quentin", *asked, "--what", "trial-created")
    last = len(sponsor.log()) - 1
    over_own = ("--from", last, "--to", last, "--finding", "none", "--reason", "my own")
    refused = sponsor("audit", "review", "--as", "quentin", *over_own).refused()
    assert (refused.exit_code, refused.code) == (ExitCode.NOT_PERMITTED, "self-approval")
    assert sponsor.log("--what", "refusal")[-1]["actor"] == "quentin"
    empty = sponsor(
        "audit", "review", "--as", "quentin", *over_own[4:], "--from", 9999, "--to", 9999
    ).refused()
    assert empty.code == "review-range"


@pytest.mark.requirement("R28")
def test_the_trail_is_filtered_on_the_command_line(sponsor: Cli) -> None:
    assert {row["what"] for row in sponsor.log("--about", "trial-1", "--what", "trial-created")} == {
        "trial-created"
    }
    assert sponsor.log("--until", "2001-01-01T00:00:00Z") == []
    refused = sponsor("audit", "log", "--until", "yesterday").refused()
    assert "--until 'yesterday': not a time" in refused.message


@pytest.mark.requirement("R31")
def test_an_honest_trail_raises_no_suspicion_and_a_date_of_birth_does(sponsor: Cli, tmp_path: Path) -> None:
    assert sponsor.read("audit", "phi") == []
    other = sponsor.copied(tmp_path / "copy")
    title = ("--title", "Follow-up of Mrs Doe", "--scope", "demonstration", "--as", "sofia")
    other.do("trial", "create", "trial-2", *title)
    (found,) = other.read("audit", "phi")
    assert (found["field"], found["looks_like"]) == ("title", "a title and a name")
