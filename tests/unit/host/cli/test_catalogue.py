"""``assay catalogue``: what QA, a sponsor and a reader see of a release from its approval to its recall."""

from pathlib import Path

import pytest

from host.home import Home, now
from registry.keys import save_private
from registry.registry import Registry
from tests.support.cli import PASSPHRASE, Cli
from tests.support.registry_builders import seeded
from tests.support.tiny import RELEASE, TRIAL
from tests.support.tiny_host import SITE, tiny_host


def for_one_disease(manifest: str) -> str:
    return manifest.replace('"every area"', '"neurology"').replace(
        '"none: a plugin for tests"', '"multiple sclerosis"'
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A sponsor whose trial has a lock in force."""
    folder = tmp_path_factory.mktemp("catalogue")
    folder.chmod(0o700)
    host = tiny_host(folder, declared=for_one_disease)
    site = Registry.create_site(
        Home(folder / "site", folder / "cache").path, site_id=SITE, clock=now, random=seeded(SITE)
    )
    host.locked(site)
    for person, key in host.keys.items():
        save_private(host.home.keys / f"{person}.key", key, PASSPHRASE, kdf_rounds=1)
    return Cli(host.home.path, folder / "cache", tuple(host.keys))


@pytest.fixture
def cli(template: Cli, tmp_path: Path) -> Cli:
    return template.copied(tmp_path / "home")


def decide(cli: Cli, verb: str, person: str, *more: str) -> dict[str, object]:
    answer: dict[str, object] = cli.read(
        "catalogue", verb, RELEASE, "--reason", "a cluster of false readings", "--as", person, *more
    )
    return answer


def test_a_list_says_how_far_the_evidence_goes_and_never_more(cli: Cli) -> None:
    out = cli.do("catalogue", "list").out
    heading, line = out.splitlines()
    assert heading.split() == [
        "release",
        "state",
        "verdict",
        "evidence",
        "earned",
        "approved",
        "for",
        "digest",
    ]
    assert line.split()[:5] == ["tiny-volumes@1.0.0", "approved", "met", "phantom", "technically"]
    shown = cli.do("catalogue", "show", RELEASE).out
    assert "met on phantom evidence (technically verified)" in shown
    for text in (out, shown, str(cli.read("catalogue", "list")), str(cli.read("catalogue", "show", RELEASE))):
        assert "validated" not in text


def test_a_suspension_is_shown_everywhere_and_lifted_by_another_person_only(cli: Cli) -> None:
    answer = decide(cli, "suspend", "quentin")
    assert (answer["state"], answer["trials"]) == ("suspended", [TRIAL])
    assert "is suspended: a cluster of false readings (quentin, " in cli.do("trial", "status", TRIAL).out
    assert "suspend     Quentin (qa) - " in cli.do("catalogue", "show", RELEASE).out
    refused = cli(
        "catalogue", "reinstate", RELEASE, "--reason", "it was nothing", "--as", "quentin"
    ).refused()
    assert (refused.exit_code, refused.code) == (5, "self-approval")
    lock = cli(
        "trial", "lock", TRIAL, "--slot", f"bright={RELEASE}", "--site", SITE, "--as", "sofia"
    ).refused()
    assert (lock.exit_code, lock.code) == (5, "release-suspended")
    assert [one["error"] for one in cli.predicates("refusal")][0] == "self-approval"


def test_a_recall_is_for_the_list_that_was_read(cli: Cli) -> None:
    listed = cli.read("catalogue", "impact", RELEASE)
    assert (listed["trials"], listed["sites"], listed["subjects"]) == ([TRIAL], [SITE], [])
    assert len(listed["runs"]) == len(cli.predicates("run-started"))
    wrong = cli(
        *("catalogue", "recall", RELEASE, "--reason", "unsafe", "--as", "sofia"),
        *("--impact", "sha256:" + "0" * 64),
    ).refused()
    assert (wrong.exit_code, wrong.code) == (5, "impact-changed")
    answer = decide(cli, "recall", "sofia", "--impact", listed["digest"])
    assert answer["state"] == "recalled"
    assert answer["impact"] == listed
    assert cli.predicates("release-recalled")[0]["impact"] == listed["digest"]
    approve = cli(
        *("catalogue", "approve", RELEASE, "--report", cli.predicates("validation-report")[0]["validation"]),
        *("--scope", "demonstration", "--use", "tests", "--as", "quentin"),
    ).refused()
    assert (approve.exit_code, approve.code) == (5, "release-recalled")
    assert [one["error"] for one in cli.predicates("refusal")] == ["impact-changed", "release-recalled"]
    assert decide(cli, "retire", "quentin")["state"] == "retired"
    cli.do("audit", "verify")


def test_a_recall_prints_what_it_concerns_and_which_trials_to_tell(cli: Cli) -> None:
    answer = cli.do("catalogue", "recall", RELEASE, "--reason", "unsafe", "--as", "quentin")
    assert "trials 1, locks 1, sites 1, runs " in answer.out
    assert f"site        {SITE}" in answer.out
    assert f"next: assay trial export {TRIAL} --out FILE" in answer.err


def test_a_developer_neither_suspends_nor_retires(cli: Cli) -> None:
    for verb in ("suspend", "recall", "retire"):
        refused = cli("catalogue", verb, RELEASE, "--reason", "mine", "--as", "rosa").refused()
        assert (refused.exit_code, refused.code) == (5, "wrong-role")


def test_a_context_in_fields_is_whole_or_left_out(cli: Cli) -> None:
    report = cli.predicates("validation-report")[0]["validation"]
    start = (
        "catalogue",
        "approve",
        RELEASE,
        "--report",
        report,
        "--scope",
        "demonstration",
        "--use",
        "tests",
    )
    refused = cli(*start, "--measurand", "bright voxels", "--as", "quentin").refused()
    assert (refused.code, refused.message) == ("bad-option", "a context of use needs --endpoint-role too")
    context = ("--measurand", "bright voxels", "--population", "phantoms", "--modality", "MR")
    cli.do(*start, *context, "--endpoint-role", "none", "--as", "quentin")
    (shown,) = cli.read("catalogue", "list")
    assert shown["approvals"][-1]["context"] == {
        "measurand": "bright voxels",
        "population": "phantoms",
        "modality": "MR",
        "tracer": None,
        "endpoint_role": "none",
    }


@pytest.mark.parametrize(
    ("option", "finds", "misses"),
    [
        ("--area", "neurology", "oncology"),
        ("--disease", "MULTIPLE", "stroke"),
        ("--modality", "MR", "CT"),
        ("--capability", "quantification", "detection"),
        ("--state", "approved", "recalled"),
        ("--evidence", "phantom", "patient"),
        ("--scope", "demonstration", "endpoint"),
    ],
)
def test_each_option_narrows_the_list(cli: Cli, option: str, finds: str, misses: str) -> None:
    assert [one["plugin"] for one in cli.read("catalogue", "list", option, finds)] == ["tiny-volumes"]
    assert cli.read("catalogue", "list", option, misses) == []
    assert cli.do("catalogue", "list", option, misses).out == "(none)\n"


def test_the_dossier_tells_everything_that_was_decided_and_who_signed_it(cli: Cli) -> None:
    decide(cli, "recall", "sofia")
    out = cli.do("catalogue", "show", RELEASE).out
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert lines["state"].split()[1] == "recalled"
    assert "Ada (developer) - " in lines["submitted"]
    assert lines["attempt"].startswith("attempt     1 on tiny-cubes ")
    assert lines["attempt"].endswith(": met")
    assert "Quentin (qa) - approval - " in out
    assert "signed    for approval by Quentin (qa) - 2" in out
    assert "recall      Sofia (sponsor) - " in out
    assert lines["concerns"].split("; ")[0].startswith("  concerns  trials 1, locks 1, sites 1, runs ")
    assert lines["trial"].startswith(f"trial       {TRIAL} (demonstration), lock 1 in force  sha256:")
    document = cli.read("catalogue", "show", RELEASE)
    assert [one["ended"] for one in document["attempts"]] == ["met"]
    assert document["trials"][0]["in_force"] is True
    assert document["recalled"]["trials"] == [TRIAL]
    assert document["changes"][0]["decision"] == "recall"
