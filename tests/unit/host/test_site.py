"""A site runs what the lock names and nothing else, and every refusal is logged like a run."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from host.engines.cgroup import MemoryUse
from host.errors import (
    CaseFailureError,
    CaseRefusedError,
    ImageSwappedError,
    ImageTamperedError,
    OptionError,
)
from host.home import Home, now
from host.site import LockedRun, RunOrder, import_trial_bundle, run_locked
from plugin_spec.errors import AssayError, ExitCode, InputError, TrustError
from registry.audit import verify_log
from registry.errors import (
    BlobMismatchError,
    EngineNotAllowedError,
    RecalledError,
    StorageFullError,
    UnknownRecordError,
    WarmNotLockedError,
    WrongStateError,
)
from registry.impact import affected
from registry.registry import Registry
from registry.standing import Change, ReleaseRecalled, ReleaseSuspended
from registry.statements import RunStarted
from tests.support.memory_engine import MemoryEngine, ending
from tests.support.registry_builders import seeded
from tests.support.tiny import IMAGE_NAME, TRIAL, write_scan
from tests.support.tiny_host import SITE, TinyHost, finished, refusals, tiny_host
from tests.support.warm_process import REMEMBERS

OTHER_IMAGE = "sha256:" + "0" * 64


class Site:
    """A site's home with the trial imported, and an engine of its own."""

    def __init__(self, host: TinyHost) -> None:
        self.host = host
        self.home = Home(host.folder / "site", host.folder / "cache")
        self.registry = Registry.create_site(self.home.path, site_id=SITE, clock=now, random=seeded(SITE))
        self.engine = MemoryEngine()

    def take_in(self, *, warm: bool = False) -> "Site":
        """Import the trial, with an engine that holds the image already."""
        self.host.locked(self.registry, validated_warm=warm, warm=warm)
        image = self.host.release.image
        self.engine.images.add(image)
        pin = self.host.registry.roots.versions[0].digest
        import_trial_bundle(
            self.home,
            self.registry,
            self.host.exported(),
            pin=pin,
            engine_for=lambda allowed: self.engine,
            say=lambda line: None,
        )
        return self

    def run(
        self,
        behaviour: str = "answer",
        slot: str | None = None,
        out: Path | None = None,
        *,
        warm: bool = False,
        visit: str = "baseline",
    ) -> LockedRun:
        """Run the lock on a scan."""
        order = RunOrder(
            trial=TRIAL,
            slot=slot,
            inputs={"scan": write_scan(self.host.folder / "Doe_John.nii", behaviour)},
            subject="subject-1",
            visit=visit,
            out=out,
            warm=warm,
        )
        return run_locked(
            self.home,
            self.registry,
            self.engine,
            order,
            say=lambda line: None,
            probe=lambda pid: lambda: MemoryUse(24 * 2**20, 0),
        )

    def blob(self, digest: str) -> Path:
        """A stored file, made writable as an intruder would."""
        path = self.registry.blobs.path(digest)
        path.chmod(0o600)
        return path


@pytest.fixture
def site(host: TinyHost) -> Site:
    """A site under a signed lock."""
    return Site(host).take_in()


@pytest.mark.requirement("R1", "R2")
def test_the_locked_release_runs_and_its_outputs_are_copied_out(site: Site) -> None:
    out = site.host.folder / "out"
    done = site.run(out=out)
    assert done.fault() is None
    assert [(one.column, one.value) for one in done.record.measured] == [("bright_ml", 27.0)]
    assert sorted(path.name for path in out.iterdir()) == sorted(one.name for one in done.record.outputs)
    (started,) = [r.statement.read(RunStarted) for r in site.registry.records(RunStarted.predicate_type)]
    assert (started.trial, started.image) == (TRIAL, site.host.release.image)
    assert started.lock is not None


def test_importing_tags_the_image_for_people(site: Site) -> None:
    assert site.engine.names == {IMAGE_NAME: site.host.release.image}


def swap_image(site: Site) -> None:
    site.engine.names[IMAGE_NAME] = OTHER_IMAGE


def remove_image(site: Site) -> None:
    site.engine.remove(site.host.release.image)


def edit_what_the_engine_unpacked(site: Site) -> None:
    site.engine.tampered.add(site.host.release.image)


def tamper_weights(site: Site) -> None:
    site.blob(site.host.release.weight_refs[0].digest).write_bytes(b"other weights")


def tamper_manifest(site: Site) -> None:
    path = site.blob(site.host.release.manifest_digest)
    path.write_bytes(path.read_bytes().replace(b"case_timeout_s = 10", b"case_timeout_s = 90"))


def use_another_engine(site: Site) -> None:
    site.engine.name = "podman"


@pytest.mark.requirement("R1", "R2", "R3")
@pytest.mark.attack("image swapped under the same tag", "unpacked image tree edited")
@pytest.mark.parametrize(
    ("tamper", "error"),
    [
        (swap_image, ImageSwappedError),
        (remove_image, ImageSwappedError),
        (edit_what_the_engine_unpacked, ImageTamperedError),
        (tamper_weights, BlobMismatchError),
        (tamper_manifest, BlobMismatchError),
        (use_another_engine, EngineNotAllowedError),
    ],
)
def test_what_differs_from_the_lock_is_refused_and_the_refusal_is_logged(
    tamper: Callable[[Site], None], error: type[TrustError], site: Site
) -> None:
    tamper(site)
    with pytest.raises(error) as refused:
        site.run()
    assert site.engine.ran == []
    assert finished(site.registry) == []
    (refusal,) = refusals(site.registry)
    assert (refusal.attempted, refusal.error) == ("trial-run", refused.value.code)


def change(site: Site, kind: type[Change], by: str = "quentin") -> list[str]:
    """QA decides about the release, and the site imports the trial's next bundle; what the site is told."""
    host, said = site.host, list[str]()
    fields = {"release": host.release.record}
    if kind is ReleaseRecalled:
        fields["impact"] = affected(host.registry, host.release.record).digest
    host.registry.act(kind.model_validate({**host.stamp(by), **fields}), host.keys[by])
    import_trial_bundle(
        site.home,
        site.registry,
        host.exported(),
        pin=host.registry.roots.versions[0].digest,
        engine_for=lambda allowed: site.engine,
        say=said.append,
    )
    return [line for line in said if line.startswith("slot")]


def test_a_recalled_release_starts_no_container_at_a_site_that_was_told(site: Site) -> None:
    (told,) = change(site, ReleaseRecalled)
    assert told.startswith("slot bright: tiny-volumes 1.0.0 is recalled: as planned (quentin, ")
    assert told.endswith("it is not run any more")
    with pytest.raises(RecalledError) as refused:
        site.run()
    assert refused.value.exit_code == ExitCode.NOT_PERMITTED
    assert site.engine.ran == []
    (refusal,) = refusals(site.registry)
    assert (refusal.attempted, refusal.error) == ("trial-run", "release-recalled")


def test_a_suspended_release_runs_on_under_its_lock_and_the_site_is_told(site: Site) -> None:
    (told,) = change(site, ReleaseSuspended)
    assert told.endswith("runs under this lock go on")
    assert site.run().fault() is None


@contextmanager
def no_room_for_records(site: Site) -> Iterator[None]:
    """No file may grow beyond what the site's journal has reached, as on a full disk."""
    path = site.home.path / "registry.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")  # whose snapshot keeps the journal from being written again from its start
        reader.execute("SELECT count(*) FROM entries").fetchone()
        for number in range(20):
            site.registry.refuse(InputError("no"), attempted="trial-run", subject=str(number))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.with_name("registry.db-wal").stat().st_size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.requirement("R3")
@pytest.mark.attack("disk full while logging")
def test_a_run_that_cannot_be_logged_does_not_start(site: Site) -> None:
    with no_room_for_records(site):
        before = site.registry.log.size
        with pytest.raises(StorageFullError, match="cannot write"):
            site.run()
        assert site.engine.ran == []
        assert site.registry.log.size == before
    assert verify_log(site.registry) == ()
    assert site.run().record.outcome == "ok"


def test_a_slot_the_lock_does_not_have_is_refused_and_the_slots_are_named(site: Site) -> None:
    with pytest.raises(OptionError) as refused:
        site.run(slot="dark")
    assert refused.value.hint == "slots: bright"
    assert [one.error for one in refusals(site.registry)] == ["bad-option"]


@pytest.mark.parametrize(
    ("behaviour", "error", "outcome"),
    [("refuse", CaseRefusedError, "refused"), ("raise_error", CaseFailureError, "failed")],
)
def test_an_outcome_other_than_ok_is_recorded_and_is_what_the_command_ends_with(
    behaviour: str, error: type[AssayError], outcome: str, site: Site
) -> None:
    out = site.host.folder / "out"
    done = site.run(behaviour, out=out)
    assert done.record.outcome == outcome
    assert not out.exists() or list(out.iterdir()) == []
    assert isinstance(done.fault(), error)


def test_a_container_that_ran_out_of_memory_tells_the_operator_peak_and_limit(site: Site) -> None:
    site.engine.container = ending(137, oom_killed=True, memory_peak_bytes=64 * 2**20)
    fault = site.run().fault()
    assert isinstance(fault, CaseFailureError)
    assert "peak 64 MiB, limit 64 MiB" in fault.message


def test_an_output_folder_that_exists_is_never_written_into(site: Site) -> None:
    out = site.host.folder / "out"
    out.mkdir()
    with pytest.raises(InputError, match="exists already"):
        site.run(out=out)
    assert site.engine.ran == []


@pytest.mark.requirement("R31")
def test_no_record_of_a_site_says_what_the_scan_was_called(site: Site) -> None:
    site.run()
    payloads = b"".join(one.statement.payload for one in site.registry.records())
    assert b"Doe_John" not in payloads


@pytest.mark.requirement("R11")
def test_a_bundle_is_imported_only_under_a_pinned_trust_root(host: TinyHost) -> None:
    site = Site(host)
    host.locked(site.registry)
    with pytest.raises(OptionError, match="--trust-root"):
        import_trial_bundle(
            site.home,
            site.registry,
            host.exported(),
            pin=None,
            engine_for=lambda allowed: site.engine,
            say=lambda line: None,
        )


def test_a_bundle_under_another_trust_root_leaves_nothing_behind(host: TinyHost) -> None:
    site = Site(host)
    host.locked(site.registry)
    with pytest.raises(TrustError):
        import_trial_bundle(
            site.home,
            site.registry,
            host.exported(),
            pin=OTHER_IMAGE,
            engine_for=lambda allowed: site.engine,
            say=lambda line: None,
        )
    assert site.engine.names == {}
    assert site.registry.pin is None


def test_a_trial_that_was_not_imported_cannot_be_run(host: TinyHost) -> None:
    site = Site(host)
    with pytest.raises(UnknownRecordError, match=f"no trial '{TRIAL}'"):
        site.run()
    assert [one.attempted for one in refusals(site.registry)] == ["trial-run"]
    assert site.engine.ran == []


@pytest.fixture
def serving(tmp_path: Path) -> TinyHost:
    """A sponsor whose plugin declares that it can serve."""
    return tiny_host(tmp_path, mode="serve")


def starts(site: Site) -> list[RunStarted]:
    return [one.statement.read(RunStarted) for one in site.registry.records(RunStarted.predicate_type)]


def test_a_trial_run_gets_a_fresh_container_unless_the_lock_permits_a_warm_one(serving: TinyHost) -> None:
    site = Site(serving).take_in()
    with pytest.raises(WarmNotLockedError, match="a fresh container for each case"):
        site.run(warm=True)
    assert starts(site) == []
    assert [one.error for one in refusals(site.registry)] == ["warm-not-locked"]
    assert site.run().record.outcome == "ok"
    assert [one.container for one in starts(site)] == ["fresh"]


def test_a_warm_run_under_a_lock_that_permits_it_is_recorded_as_warm(serving: TinyHost) -> None:
    site = Site(serving).take_in(warm=True)
    assert site.run(warm=True).record.outcome == "ok"
    assert site.run(visit="month-6").record.outcome == "ok"
    assert [one.container for one in starts(site)] == ["warm", "fresh"]
    assert [spec.control is not None for spec in site.engine.ran] == [True, False]


def test_a_lock_cannot_permit_warm_containers_that_no_report_found_equal(serving: TinyHost) -> None:
    with pytest.raises(WrongStateError, match="its report did not compare them with fresh ones"):
        serving.locked(Site(serving).registry, validated_warm=False, warm=True)


def test_a_plugin_that_remembers_is_not_locked_to_warm_containers(serving: TinyHost) -> None:
    serving.engine.server = REMEMBERS
    with pytest.raises(WrongStateError, match="its report found them different with fresh ones"):
        serving.locked(Site(serving).registry, validated_warm=True, warm=True)
