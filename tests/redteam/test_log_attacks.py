"""A log that shows different histories to different people, or an older one than it showed before."""

import shutil
from pathlib import Path

import pytest

from host.errors import LogFaultError
from plugin_spec.errors import PolicyError
from registry.bundle import export_trial, import_trial
from registry.checkpoint import sign_checkpoint
from registry.errors import (
    LogTruncatedError,
    SplitViewError,
    UnknownOriginError,
    UnsignedCheckpointError,
)
from registry.keys import generate
from registry.registry import Registry
from registry.statements import Refusal
from registry.witness import cosigners, hear
from tests.support.cli import Cli
from tests.support.registry_builders import World, seeded


def goes_on(sponsor: Registry, what: str, times: int = 1) -> str:
    """Log something, and sign what the log is then."""
    for number in range(times):
        sponsor.refuse(PolicyError("no"), attempted="test", subject=f"{what}-{number}")
    return sponsor.log.checkpoint()


def last_refusal(registry: Registry) -> Refusal:
    return [one.statement.read(Refusal) for one in registry.log.records(Refusal.predicate_type)][-1]


@pytest.fixture
def fork(imported: World, tmp_path: Path) -> World:
    """The sponsor's home once more: with the same key, it can sign another history."""
    (tmp_path / "fork").mkdir()
    return imported.copied(tmp_path / "fork")


@pytest.mark.requirement("R25")
def test_checkpoints_of_one_history_are_heard_and_kept(imported: World) -> None:
    for times in (1, 3):
        note = goes_on(imported.sponsor, "honest", times)
        assert hear(imported.site, note).size == imported.sponsor.log.size
        assert note in imported.site.log.notes(imported.sponsor.log.origin)
    import_trial(imported.site, imported.exported("later.zip"), pin=imported.pin)
    assert hear(imported.sponsor, imported.sponsor.log.checkpoint()).size == imported.sponsor.log.size


@pytest.mark.requirement("R25")
def test_two_histories_of_one_size_are_found_when_their_checkpoints_meet(
    imported: World, fork: World
) -> None:
    shown_here, shown_there = goes_on(imported.sponsor, "here"), goes_on(fork.sponsor, "there")
    hear(imported.site, shown_here)
    with pytest.raises(SplitViewError) as caught:
        hear(imported.site, shown_there)
    for world in (imported, fork):
        assert world.sponsor.log.at(world.sponsor.log.size).root.hex() in caught.value.message
    assert shown_there not in imported.site.log.notes(imported.sponsor.log.origin)


@pytest.mark.requirement("R25")
@pytest.mark.parametrize("further", [1, 3])
def test_a_history_shown_to_another_site_is_found_at_the_next_import(
    imported: World, fork: World, further: int
) -> None:
    hear(imported.site, goes_on(fork.sponsor, "there", 2))
    goes_on(imported.sponsor, "here", 1 + further)
    size = imported.site.log.size
    with pytest.raises(SplitViewError):
        import_trial(imported.site, imported.exported("next.zip"), pin=imported.pin)
    assert imported.site.log.size == size + 1
    assert last_refusal(imported.site).error == "split-view"


@pytest.mark.requirement("R25")
def test_the_sponsor_meets_another_history_of_its_own_log_in_a_return(imported: World, fork: World) -> None:
    goes_on(imported.sponsor, "here", 4)
    goes_on(fork.sponsor, "there", 2)
    import_trial(imported.site, fork.exported("fork.zip"), pin=imported.pin)
    with pytest.raises(SplitViewError):
        imported.take_in(imported.returned())
    assert last_refusal(imported.sponsor).error == "split-view"


@pytest.mark.requirement("R30")
def test_an_old_database_put_back_is_found_when_a_site_returns(imported: World, tmp_path: Path) -> None:
    shutil.copyfile(imported.sponsor.home / "registry.db", tmp_path / "old.db")
    goes_on(imported.sponsor, "later", 3)
    path = imported.folder / "later.zip"
    export_trial(imported.sponsor, "trial-1", path)
    import_trial(imported.site, path, pin=imported.pin)
    for name in ("registry.db-wal", "registry.db-shm"):
        (imported.sponsor.home / name).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "old.db", imported.sponsor.home / "registry.db")
    imported.sponsor = Registry.open(imported.sponsor.home, imported.clock)
    with pytest.raises(LogTruncatedError):
        imported.take_in(imported.returned())
    assert last_refusal(imported.sponsor).error == "log-truncated"


@pytest.mark.requirement("R18")
def test_what_a_site_saw_comes_back_cosigned_and_is_kept(imported: World) -> None:
    imported.run()
    imported.take_in(imported.returned())
    seen = [set(cosigners(one, imported.sponsor.root)) for one in imported.sponsor.log.notes()]
    assert {imported.site.node_id} in seen


def test_a_checkpoint_of_nobody_or_signed_by_a_stranger_is_not_heard(imported: World) -> None:
    note = goes_on(imported.sponsor, "honest")
    with pytest.raises(UnknownOriginError):
        hear(imported.site, note.replace(imported.sponsor.log.origin, "assay.example/log/nobody"))
    forged = sign_checkpoint(imported.sponsor.log.at(3), generate(seeded("stranger"))).decode()
    with pytest.raises(UnsignedCheckpointError):
        hear(imported.site, forged)


@pytest.mark.requirement("R30")
def test_the_command_line_finds_an_old_database_by_a_checkpoint_kept_elsewhere(
    imported: World, tmp_path: Path
) -> None:
    assay, pin = Cli(imported.sponsor.home), tmp_path / "kept.checkpoint"
    shutil.copyfile(imported.sponsor.home / "registry.db", tmp_path / "old.db")
    goes_on(imported.sponsor, "later")
    assay.do("audit", "checkpoint", "--out", pin)
    assay.do("audit", "verify", "--pin", pin)
    for name in ("registry.db-wal", "registry.db-shm"):
        (imported.sponsor.home / name).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "old.db", imported.sponsor.home / "registry.db")
    assay.do("audit", "verify")
    refused = assay("audit", "verify", "--pin", pin, "--json")
    assert refused.exit_code == LogFaultError("").exit_code
    assert [one["code"] for one in refused.document["faults"]] == ["log-truncated"]


@pytest.mark.requirement("R25")
def test_the_command_line_hears_a_checkpoint_and_refuses_a_second_history(
    imported: World, fork: World, tmp_path: Path
) -> None:
    goes_on(imported.sponsor, "here")
    goes_on(fork.sponsor, "there")
    here, there = tmp_path / "here", tmp_path / "there"
    Cli(imported.sponsor.home).do("audit", "checkpoint", "--out", here)
    Cli(fork.sponsor.home).do("audit", "checkpoint", "--out", there)
    site = Cli(imported.site.home)
    assert site.read("audit", "exchange", here)[0]["log"] == imported.sponsor.log.origin
    site.do("audit", "checkpoint", "--log", imported.sponsor.log.origin, "--out", tmp_path / "seen")
    assert (tmp_path / "seen").read_bytes() == here.read_bytes()
    assert site("audit", "exchange", there).refused().code == "split-view"
    assert last_refusal(Registry.open(imported.site.home, imported.clock)).error == "split-view"


def test_the_command_line_proves_a_record_to_who_has_the_logs_key_only(
    imported: World, tmp_path: Path
) -> None:
    assay, proof = Cli(imported.sponsor.home), tmp_path / "release.tlog-proof"
    record = imported.logged["release"]
    written = assay.read("audit", "prove", record.digest, "--out", proof)
    elsewhere = Cli(tmp_path / "nowhere")
    checked = elsewhere.read("audit", "check", proof, "--log-key", written["log_key"])
    assert (checked["entry"], checked["record"]) == (record.sequence, record.digest)
    (tmp_path / "envelope").write_bytes(record.envelope)
    held = ("--log-key", written["log_key"], "--envelope", tmp_path / "envelope")
    elsewhere.do("audit", "check", proof, *held)
    (tmp_path / "envelope").write_bytes(record.envelope + b" ")
    assert elsewhere("audit", "check", proof, *held).refused().code == "bundle-content"
    lines = proof.read_text().splitlines()
    lines[3] = lines[4]
    proof.write_text("\n".join(lines) + "\n")
    assert (
        elsewhere("audit", "check", proof, "--log-key", written["log_key"]).refused().code
        == "bad-inclusion-proof"
    )
