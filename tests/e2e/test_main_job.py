"""The main job, end to end, on the first plugin: from an author's folder to a number that a sponsor can trace.

The steps run once, through the public command line, as ``.ci/demo`` does; each test looks at what came out.
"""

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.conftest import ROOT, engine_fault
from tests.support.cli import Answer, Cli
from tests.support.tiny import staffed

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.slow]

KIT = ROOT / "validation_kits" / "brain-tissue-mni152"
# A version of its own, so that a demo on the same machine and this test do not swap each other's image.
VERSION = "1.0.0-e2e"
RELEASE = f"brain-tissue-volumes@{VERSION}"
IMAGE_NAME = f"assay/brain-tissue-volumes:{VERSION}"
TRIAL = "demo-trial"
USE = "Demonstration on derived images of an average brain"
# What a scan's file may be called at a site, and no record may say.
PERSON = "DOE-JANE-1961"


@dataclass(frozen=True)
class Job:
    """Everything the steps left behind."""

    sponsor: Cli
    site: Cli
    other_site: Cli
    build: dict[str, Any]
    embedded_tests: dict[str, Any]
    validated: dict[str, Any]
    html: Path
    self_approval: Answer
    unsigned_export: Answer
    bundle: Path
    pin: str
    offline: "subprocess.CompletedProcess[str]"
    scan: Path
    run: dict[str, Any]
    outputs: Path
    swapped: Answer
    healed: dict[str, Any]
    returned: Path
    taken_in: dict[str, Any]
    trace: dict[str, Any]


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """Carry out every step once; it takes more than a gigabyte, which is given back."""
    if fault := engine_fault():
        pytest.skip(fault)
    folder = tmp_path_factory.mktemp("main-job")
    made: dict[str, Any] = {"sponsor": staffed(Cli(folder / "sponsor"))}
    _author(made, folder)
    _validate_and_approve(made, folder)
    _lock(made, folder)
    _site(made, folder)
    _swap(made)
    _return(made, folder)
    yield Job(**made)
    shutil.rmtree(folder)


def _author(made: dict[str, Any], folder: Path) -> None:
    plugin = folder / "plugin"
    shutil.copytree(ROOT / "plugins" / "brain-tissue-volumes", plugin)
    manifest = plugin / "plugin.toml"
    manifest.write_text(manifest.read_text().replace('version = "1.0.0"', f'version = "{VERSION}"', 1))
    sponsor = made["sponsor"]
    sponsor.do("plugin", "check", plugin)
    made["build"] = sponsor.read("plugin", "build", plugin)
    made["embedded_tests"] = sponsor.read("plugin", "test", plugin, "--repeats", "2")
    sponsor.do("plugin", "submit", plugin, "--as", "ada")


def _validate_and_approve(made: dict[str, Any], folder: Path) -> None:
    sponsor, made["html"] = made["sponsor"], folder / "report.html"
    sponsor.do("kit", "register", KIT, "--as", "quentin")
    options = ("--smoke", "--html", made["html"], "--json")
    answer = sponsor("validate", RELEASE, "--kit", KIT, "--as", "ada", *options)
    assert answer.exit_code in (0, 3), answer.err  # 3: criteria not met, and said so
    made["validated"] = {**answer.document, "exit_code": answer.exit_code}
    validation = made["validated"]["validation"]
    sponsor.do("report", "sign", validation, "--as", "quentin", "--meaning", "approval")
    approval = ("--report", validation, "--scope", "demonstration", "--use", USE)
    made["self_approval"] = sponsor("catalogue", "approve", RELEASE, *approval, "--as", "ada")
    sponsor.do("catalogue", "approve", RELEASE, *approval, "--as", "quentin")


def _lock(made: dict[str, Any], folder: Path) -> None:
    sponsor, made["bundle"] = made["sponsor"], folder / "trial.bundle"
    for name, site_id in (("site", "site-01"), ("other_site", "site-02")):
        made[name] = Cli(folder / site_id)
        key = folder / f"{site_id}.pub"
        made[name].do("trust", "join", "--site", site_id, "--out", key)
        enrolment = ("--id", site_id, "--name", site_id, "--role", "site", "--by", "root")
        sponsor.do("trust", "enrol", *enrolment, "--public-key", key)
    opened = ("--title", "Demonstration", "--scope", "demonstration")
    sponsor.do("trial", "create", TRIAL, *opened, "--as", "sofia")
    sponsor.do("trial", "lock", TRIAL, "--slot", f"tissue={RELEASE}", "--site", "site-01", "--as", "sofia")
    made["unsigned_export"] = sponsor("trial", "export", TRIAL, "--out", made["bundle"])
    assert not made["bundle"].exists()
    sponsor.do("trial", "sign", TRIAL, "--lock", sponsor.newest_lock(TRIAL), "--as", "quentin")
    sponsor.do("trial", "activate", TRIAL, "--site", "site-01", "--as", "sofia")
    sponsor.do("trial", "export", TRIAL, "--out", made["bundle"])
    made["pin"] = sponsor.read("trust", "show")["trust_root"]


def _site(made: dict[str, Any], folder: Path) -> None:
    site = made["site"]
    made["offline"] = _verify_offline(site, made["bundle"], made["pin"])
    site.do("trial", "import", made["bundle"], "--trust-root", made["pin"])
    made["scan"], made["outputs"] = folder / f"{PERSON}.nii", folder / "outputs"
    shutil.copyfile(next((made["sponsor"].home / "kits").glob("*/cases/clean-2mm_t1.nii")), made["scan"])
    made["run"] = site.read(
        "trial", "run", TRIAL, *_order(made["scan"], "baseline"), "--out", made["outputs"]
    )


def _verify_offline(site: Cli, bundle: Path, pin: str) -> "subprocess.CompletedProcess[str]":
    """``assay verify`` in a process of its own: without any network where this machine lets us take it away."""
    denied = ["unshare", "--net"] if os.geteuid() == 0 else []
    program = "import sys; from host.cli import main; sys.exit(main())"
    command = [*denied, sys.executable, "-c", program, "verify", str(bundle), "--trust-root", pin]
    environment = {**os.environ, **site.environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _order(scan: Path, visit: str) -> tuple[object, ...]:
    return ("--input", f"t1={scan}", "--subject", "S-001", "--visit", visit)


def _swap(made: dict[str, Any]) -> None:
    """Put another image under the locked name, be refused, and import again."""
    site, client = made["site"], docker.from_env()
    try:
        other = next(one for one in client.images.list(all=True) if one.id != made["build"]["image"])
        other.tag(*IMAGE_NAME.split(":"))
    finally:
        client.close()
    made["swapped"] = site("trial", "run", TRIAL, *_order(made["scan"], "month-6"))
    site.do("trial", "import", made["bundle"], "--trust-root", made["pin"])
    made["healed"] = site.read("trial", "run", TRIAL, *_order(made["scan"], "month-6"))


def _return(made: dict[str, Any], folder: Path) -> None:
    made["returned"] = folder / "site-01.records"
    made["site"].do("trial", "return", TRIAL, "--out", made["returned"])
    made["taken_in"] = made["sponsor"].read("trial", "import", made["returned"], "--as", "sofia")
    made["trace"] = made["sponsor"].read("trace", made["run"]["run"], "volumes.brain_ml")


# ---- the author and QA --------------------------------------------------------------------------------------


def test_the_embedded_tests_of_the_plugin_hold(job: Job) -> None:
    assert job.embedded_tests["failed"] == 0
    assert {one["expected"] for one in job.embedded_tests["tests"]} == {"ok", "refused"}
    assert job.embedded_tests["determinism"]["verdict"] == "holds"


def test_every_case_of_the_subset_stays_in_the_denominator(job: Job) -> None:
    flow = job.validated["flow"]
    ends = ("answered", "refused_correctly", "refused_wrongly", "answered_wrongly", "failed")
    assert flow["cases"] == flow["expected_ok"] + flow["expected_refused"] == 6
    assert sum(flow[end] for end in ends) == 6


def test_the_exit_code_says_what_the_verdict_says(job: Job) -> None:
    assert (job.validated["verdict"]["verdict"] == "met") == (job.validated["exit_code"] == 0)


def test_the_report_page_shows_the_verdict_and_fetches_nothing(job: Job) -> None:
    page = job.html.read_text()
    assert job.validated["validation"] in page
    assert "default-src &#x27;none&#x27;" in page
    # One script of our own sorts tables; the policy names it by its digest.
    assert page.count("<script") == page.count("<script>") == 1
    assert 'src="http' not in page and "url(http" not in page


def test_the_authors_own_approval_is_refused_and_logged(job: Job) -> None:
    refused = job.self_approval.refused()
    assert (refused.exit_code, refused.code) == (5, "self-approval")
    assert "self-approval" in {one["error"] for one in job.sponsor.predicates("refusal")}


def test_qa_approves_for_one_scope_and_use(job: Job) -> None:
    (release,) = job.sponsor.read("catalogue", "list")
    assert [(one["actor"], one["scope"], one["context_of_use"]) for one in release["approvals"]] == [
        ("quentin", "demonstration", USE)
    ]


def test_a_lock_that_qa_has_not_signed_cannot_be_exported(job: Job) -> None:
    refused = job.unsigned_export.refused()
    assert (refused.exit_code, refused.code) == (4, "lock-not-signed")


def test_the_lock_carries_both_signatures(job: Job) -> None:
    (lock,) = job.sponsor.read("trial", "status", TRIAL)["locks"]
    assert lock["holds"] and lock["missing"] == []
    assert [(one["actor"], one["meaning"]) for one in lock["signatures"]] == [
        ("sofia", "responsibility"),
        ("quentin", "approval"),
    ]


# ---- the site -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("R23")
def test_the_bundle_verifies_with_the_network_denied(job: Job) -> None:
    assert job.offline.returncode == 0, job.offline.stderr
    assert f"verified: trial {TRIAL}" in job.offline.stdout


@pytest.mark.parametrize("tenth", [0, 1, 5, 9])
def test_a_bundle_with_one_flipped_byte_is_refused(tenth: int, job: Job, tmp_path: Path) -> None:
    copy = tmp_path / "copy.bundle"
    shutil.copyfile(job.bundle, copy)
    with copy.open("r+b") as stream:
        stream.seek(copy.stat().st_size * tenth // 10 + 200)
        byte = stream.read(1)
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte[0] ^ 1]))
    before = len(job.other_site.log())
    for answer in (
        job.other_site("verify", copy, "--trust-root", job.pin),
        job.other_site("trial", "import", copy, "--trust-root", job.pin),
    ):
        refused = answer.refused()
        assert refused.exit_code == 4
        assert refused.code in {"bundle-content", "malformed-bundle"}
    assert [row["what"] for row in job.other_site.log()[before:]] == ["refusal"]
    copy.unlink()  # a third of a gigabyte


def test_a_bundle_is_refused_under_another_trust_root(job: Job) -> None:
    refused = job.other_site("verify", job.bundle, "--trust-root", f"sha256:{'0' * 64}").refused()
    assert (refused.exit_code, refused.code) == (4, "root-pin-mismatch")


def test_a_site_that_the_lock_does_not_name_cannot_take_the_trial_in(job: Job, tmp_path: Path) -> None:
    site, before = job.other_site.copied(tmp_path / "other"), job.other_site.log()
    refused = site("trial", "import", job.bundle, "--trust-root", job.pin).refused()
    assert (refused.exit_code, refused.code) == (4, "site-not-enrolled")
    run = site("trial", "run", TRIAL, *_order(job.scan, "baseline")).refused()
    assert (run.exit_code, run.code) == (6, "unknown-record")
    assert [row["what"] for row in site.log()[len(before) :]] == ["refusal", "refusal"]
    assert not list((site.home / "blobs").rglob("sha256/*/*"))


def test_the_run_answers_with_its_numbers_and_copies_its_outputs(job: Job) -> None:
    assert job.run["outcome"] == "ok"
    assert {f"{one['port']}.{one['column']}" for one in job.run["measured"]} >= {"volumes.brain_ml"}
    assert {path.name.partition(".")[0] for path in job.outputs.iterdir()} == {"tissue", "volumes"}


def test_a_swapped_image_is_refused_and_the_refusal_is_logged(job: Job) -> None:
    refused = job.swapped.refused()
    assert (refused.exit_code, refused.code) == (4, "image-swapped")
    assert "trial import" in refused.hint
    assert "image-swapped" in {one["error"] for one in job.site.predicates("refusal")}


def test_importing_again_heals_a_swapped_image(job: Job) -> None:
    assert job.healed["outcome"] == "ok"
    assert job.healed["measured"] == job.run["measured"], "the same scan gives the same numbers"


# ---- the sponsor again --------------------------------------------------------------------------------------


def test_the_sponsor_takes_in_every_record_of_the_site(job: Job) -> None:
    assert job.taken_in["site"] == "site-01"
    at_sponsor = {one["run"] for one in job.sponsor.predicates("run-finished")}
    assert {job.run["run"], job.healed["run"]} <= at_sponsor


def test_the_same_records_are_not_taken_in_twice(job: Job, tmp_path: Path) -> None:
    sponsor = job.sponsor.copied(tmp_path / "sponsor")
    refused = sponsor("trial", "import", job.returned, "--as", "sofia").refused()
    assert (refused.exit_code, refused.code) == (5, "already-logged")


def test_a_number_is_traced_to_the_bytes_of_its_scan(job: Job) -> None:
    (scan,) = job.trace["started"]["inputs"]
    assert scan["digest"] == f"sha256:{hashlib.sha256(job.scan.read_bytes()).hexdigest()}"
    assert scan["bytes"] == job.scan.stat().st_size


@pytest.mark.requirement("R32")
def test_a_number_is_traced_to_image_manifest_and_lock(job: Job) -> None:
    started, (lock,) = job.trace["started"], job.sponsor.read("trial", "status", TRIAL)["locks"]
    assert started["image"] == job.build["image"] == job.trace["lock"]["slots"][0]["image"]
    assert started["manifest"] == job.build["manifest"]
    assert started["lock"] == lock["digest"]
    assert [one["digest"] for one in started["weights"]] == [one["digest"] for one in job.build["weights"]]


@pytest.mark.requirement("R32")
def test_a_number_is_traced_to_the_signed_report_and_the_registered_protocol(job: Job) -> None:
    assert job.trace["report"]["validation"] == job.validated["validation"]
    assert [(one["actor"], one["meaning"]) for one in job.trace["report_signatures"]] == [
        ("quentin", "approval")
    ]
    (protocol,) = job.sponsor.predicates("protocol")
    assert job.trace["protocol"]["protocol_digest"] == protocol["protocol_digest"]


def test_every_record_that_a_trace_names_is_in_the_log(job: Job) -> None:
    logged = {row["digest"]: row["sequence"] for row in job.sponsor.log()}
    assert len(job.trace["entries"]) >= 8
    assert all(logged[one["digest"]] == one["sequence"] for one in job.trace["entries"])


def test_the_traced_value_is_the_one_the_site_saw(job: Job) -> None:
    seen = {one["column"]: one["value"] for one in job.run["measured"]}
    assert job.trace["value"]["value"] == seen["brain_ml"]
    assert job.trace["value"]["unit"] == "mL"


@pytest.mark.requirement("R31")
def test_no_record_says_what_the_scans_file_was_called(job: Job) -> None:
    assert PERSON.encode() not in job.site.payloads() + job.sponsor.payloads()
    assert PERSON.encode() not in job.returned.read_bytes()


@pytest.mark.parametrize("node", ["sponsor", "site", "other_site"])
def test_every_log_verifies_and_nothing_half_written_is_left(node: str, job: Job) -> None:
    getattr(job, node).assert_clean()


# ---- tampering ----------------------------------------------------------------------------------------------


def test_a_report_verifies_from_its_own_results_table(job: Job) -> None:
    assert job.sponsor.read("report", "verify", job.validated["validation"])["checks"]


@pytest.mark.parametrize("rendering", ["report_json", "report_html"])
def test_a_report_that_was_edited_on_disk_does_not_verify(rendering: str, job: Job, tmp_path: Path) -> None:
    sponsor = job.sponsor.copied(tmp_path / "sponsor")
    (logged,) = sponsor.predicates("validation-report")
    name = logged[rendering]["digest"].removeprefix("sha256:")
    (blob,) = (sponsor.home / "blobs").rglob(name)
    edited = blob.read_bytes().replace(b"not met", b"met", 1) + b" "
    blob.unlink()
    blob.write_bytes(edited)
    refused = sponsor("report", "verify", job.validated["validation"]).refused()
    assert (refused.exit_code, refused.code) == (4, "blob-mismatch")


EDITS = {
    "a time moved": "UPDATE entries SET logged_at = '2020-01-01T00:00:00+00:00' WHERE sequence = 5",
    "a record dropped": "DELETE FROM entries WHERE sequence = 5",
    "a body replaced by another": "UPDATE entries SET envelope = (SELECT envelope FROM entries WHERE sequence = 4) "
    "WHERE sequence = 5",
    "the last record dropped": "DELETE FROM entries WHERE sequence = (SELECT max(sequence) FROM entries)",
}


@pytest.mark.requirement("R5")
@pytest.mark.parametrize("edit", EDITS)
def test_a_log_that_was_edited_by_hand_is_found_out(edit: str, job: Job, tmp_path: Path) -> None:
    sponsor = Cli(tmp_path / "sponsor")
    shutil.copytree(job.sponsor.home, sponsor.home, ignore=shutil.ignore_patterns("blobs", "kits"))
    database = sqlite3.connect(sponsor.home / "registry.db")
    with database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            database.execute(f"DROP TRIGGER {trigger}")
        assert database.execute(EDITS[edit]).rowcount == 1
    database.close()
    refused = sponsor("audit", "verify").refused()
    assert (refused.exit_code, refused.code) == (4, "log-faults")


def test_a_log_that_nobody_edited_verifies_without_its_blobs(job: Job, tmp_path: Path) -> None:
    """The twin of the test above: it is the edit that is found, not the copy."""
    sponsor = Cli(tmp_path / "sponsor")
    shutil.copytree(job.sponsor.home, sponsor.home, ignore=shutil.ignore_patterns("blobs", "kits"))
    sponsor.do("audit", "verify")


# ---- a patient ----------------------------------------------------------------------------------------------


@pytest.mark.patient_data
def test_the_brain_of_a_patient_with_ms_has_a_plausible_volume(job: Job, data_root: Path) -> None:
    """Raw T1 with 3 mm slices (Lesjak et al. 2016). The bounds are wide: any adult brain lies between them."""
    scan = data_root / "ms_open_longitudinal" / "patient01" / "study1_T1W.nii.gz"
    if not scan.is_file():
        pytest.skip(f"{scan} is not there")
    run = job.site.read("trial", "run", TRIAL, *_order(scan, "patient"))
    assert run["outcome"] == "ok"
    (brain_ml,) = (one["value"] for one in run["measured"] if one["column"] == "brain_ml")
    assert 800.0 < brain_ml < 1400.0
