import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode, TrustError
from registry.bundle import export_trial, import_trial, verify_bundle
from registry.errors import (
    BundleContentError,
    CheckpointMismatchError,
    DuplicateRecordError,
    LockNotSignedError,
    MalformedBundleError,
    MissingBlobError,
    OutputPathError,
    RootPinError,
    SiteNotEnrolledError,
    UnsafeBundleNameError,
    ValueRefusedError,
    WrongStateError,
)
from registry.returns import export_site_records, take_in
from registry.statements import (
    SERIES_LISTING,
    InputRef,
    RecordsTakenIn,
    Refusal,
    Release,
    RunFinished,
    RunStarted,
)
from tests.support.bundle_forgery import forge, members_of, write_members
from tests.support.registry_builders import World, digest_of


def test_the_same_content_gives_the_same_bytes(imported: World) -> None:
    first, second = imported.folder / "1.zip", imported.folder / "2.zip"
    assert export_trial(imported.sponsor, "trial-1", first) == export_trial(
        imported.sponsor, "trial-1", second
    )
    assert first.read_bytes() == second.read_bytes()


def test_a_bundle_verifies_against_any_root_of_its_chain(imported: World) -> None:
    path = imported.exported()
    for version in imported.sponsor.roots.versions:
        verified = verify_bundle(path, pin=version.digest)
        assert verified.lock.digest == imported.logged["lock"].digest
        assert verified.roots.current == imported.sponsor.root


@pytest.mark.requirement("R23")
def test_a_bundle_verifies_in_a_process_without_network_or_home(imported: World) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = refuse\n"
        "from pathlib import Path\n"
        "from registry.bundle import verify_bundle\n"
        "print(verify_bundle(Path(sys.argv[1]), pin=sys.argv[2]).trial)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(imported.exported()), imported.pin],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"},
        cwd=Path(__file__).parents[3],
    )
    assert answer.stdout.strip() == "trial-1"


def test_a_bundle_names_the_witnesses_of_its_checkpoint(imported: World) -> None:
    imported.cosign()
    assert verify_bundle(imported.exported(), pin=imported.pin).cosigners == ("site-1",)


def test_a_bundle_carries_every_file_a_locked_release_names(imported: World) -> None:
    release = imported.logged["release"].statement.read(Release)
    names = members_of(imported.exported())
    for blob in (release.image, release.manifest, release.io_schema, release.sbom, release.weights[0].digest):
        assert f"blobs/{blob.removeprefix('sha256:')}" in names


def test_a_release_with_a_missing_file_is_not_exported(imported: World) -> None:
    release = imported.logged["release"].statement.read(Release)
    imported.sponsor.blobs.path(release.weights[0].digest).unlink()
    with pytest.raises(MissingBlobError):
        imported.exported("incomplete.zip")
    assert not (imported.folder / "incomplete.zip").exists()


def test_a_trial_without_a_lock_in_force_is_not_exported(approved: World) -> None:
    approved.open_trial()
    approved.lock()
    with pytest.raises(LockNotSignedError):
        approved.exported()


def test_an_unknown_pin_is_refused(imported: World) -> None:
    with pytest.raises(RootPinError):
        verify_bundle(imported.exported(), pin=digest_of("some other root"))


def test_an_import_brings_records_blobs_and_lock(imported: World) -> None:
    site = imported.site
    assert site.root_digest == imported.sponsor.root_digest
    view = site.trial("trial-1").effective
    assert view is not None
    assert view.digest == imported.logged["lock"].digest
    release = imported.logged["release"].statement.read(Release)
    assert site.blobs.verify(release.image) > 0


@pytest.mark.requirement("R19")
@pytest.mark.attack("old lock replayed")
def test_an_amendment_reaches_the_site_and_the_older_bundle_is_then_refused(imported: World) -> None:
    old = imported.exported("old.zip")
    imported.lock()
    imported.sign("simone", "lock")
    imported.sign("quinn", "lock")
    import_trial(imported.site, imported.exported("new.zip"), pin=imported.pin)
    view = imported.site.trial("trial-1").effective
    assert view is not None
    assert view.lock.sequence == 2
    with pytest.raises(CheckpointMismatchError):
        import_trial(imported.site, old, pin=imported.pin)


@pytest.mark.requirement("R11")
def test_a_trial_that_does_not_name_the_site_is_not_imported(imported: World, tmp_path: Path) -> None:
    from registry.registry import Registry
    from registry.trust_root import Person, Role
    from tests.support.registry_builders import seeded

    other = Registry.create_site(
        tmp_path / "two", site_id="site-2", clock=imported.clock, random=seeded("site-2")
    )
    person = Person(id="site-2", name="Hospital Two", roles=(Role.SITE,), keys=(other.node.public,))
    imported.sponsor.enrol([person], [imported.keys["rosa"]], reason="joins later")
    with pytest.raises(SiteNotEnrolledError, match="does not name"):
        import_trial(other, imported.exported(), pin=imported.pin)


def test_what_a_site_ran_comes_back_with_its_outputs(imported: World) -> None:
    finished = imported.run()
    record = imported.take_in(imported.returned())
    act = record.statement.read(RecordsTakenIn)
    assert (act.site, act.first, act.size) == ("site-1", 0, imported.site.log.size)
    assert len(list(imported.sponsor.records(RunStarted.predicate_type))) == 1
    output = finished.statement.read(RunFinished).outputs[0]
    assert imported.sponsor.blobs.verify(output.digest) == output.bytes


def run_on_a_series(imported: World) -> str:
    """A run whose record names a listing; its digest."""
    listing = b'{"contract":"assay.dicom-series/1","instances":[]}'
    stored = imported.site.blobs.put_bytes(listing)
    named = InputRef(name=f"scan{SERIES_LISTING}", port="scan", digest=stored.digest, bytes=stored.bytes)
    imported.finish(
        imported.site, imported.site.act(imported.run_started(inputs=(named,)), imported.site.node)
    )
    return stored.digest


def test_the_listing_of_a_series_comes_back_even_where_the_outputs_stay(imported: World) -> None:
    listing = run_on_a_series(imported)
    path = imported.folder / "return.zip"
    export_site_records(imported.site, "trial-1", path)
    imported.take_in(path)
    assert imported.sponsor.blobs.verify(listing) > 0
    finished = next(imported.sponsor.records(RunFinished.predicate_type)).statement.read(RunFinished)
    assert not imported.sponsor.blobs.has(finished.outputs[0].digest)


def test_a_listing_that_was_changed_on_the_way_is_not_taken_in(imported: World) -> None:
    name = f"blobs/{run_on_a_series(imported).removeprefix('sha256:')}"

    def change(members: dict[str, bytes]) -> None:
        (member,) = [one for one in members if name.split("/")[1] in one]
        members[member] = members[member].replace(b"[]", b"{}")

    with pytest.raises(TrustError):
        imported.take_in(forge(imported.returned(), change))
    assert not list(imported.sponsor.records(RunStarted.predicate_type))


def test_a_second_return_adds_only_what_is_new(imported: World) -> None:
    imported.run()
    first = imported.returned("first.zip")
    imported.take_in(first)
    with pytest.raises(DuplicateRecordError, match="nothing is new"):
        imported.take_in(first)
    imported.run("c" * 16)
    act = imported.take_in(imported.returned("second.zip")).statement.read(RecordsTakenIn)
    assert act.first == act.size - 2
    assert len(list(imported.sponsor.records(RunFinished.predicate_type))) == 2


def test_a_run_under_an_amended_lock_still_comes_back(imported: World) -> None:
    imported.run()
    imported.lock()
    imported.sign("simone", "lock")
    imported.sign("quinn", "lock")
    assert imported.take_in(imported.returned()).sequence == imported.sponsor.log.size - 1


def info(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.create_system = 3
    made.external_attr = mode << 16
    return made


@pytest.mark.attack("zip slip in a bundle")
@pytest.mark.parametrize(
    "member",
    [
        info("../evil"),
        info("/etc/passwd"),
        info("blobs/../../evil"),
        info("blobs\\evil"),
        info("BUNDLE.JSON"),
        info("blobs/", stat.S_IFDIR | 0o755),
        info("blobs/" + "0" * 64, stat.S_IFLNK | 0o777),
    ],
)
def test_a_name_that_is_no_plain_member_is_refused(imported: World, member: zipfile.ZipInfo) -> None:
    path = imported.exported()
    write_members(path, members_of(path), [(member, b"evil")])
    with pytest.raises(UnsafeBundleNameError):
        verify_bundle(path, pin=imported.pin)


@pytest.mark.attack("unlisted file in a bundle")
def test_an_unlisted_a_missing_and_a_doubled_file_are_refused(imported: World) -> None:
    path = imported.exported()
    members = members_of(path)
    blob = next(name for name in members if name.startswith("blobs/"))
    write_members(path, members, [(info("blobs/" + "0" * 64), b"")])
    with pytest.raises(BundleContentError, match="unlisted"):
        verify_bundle(path, pin=imported.pin)
    write_members(path, {name: data for name, data in members.items() if name != blob})
    with pytest.raises(BundleContentError, match="missing"):
        verify_bundle(path, pin=imported.pin)
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_members(path, members, [(info(blob), b"")])
    with pytest.raises(BundleContentError, match="twice"):
        verify_bundle(path, pin=imported.pin)


@pytest.mark.attack("zip bomb in a bundle")
def test_a_compressed_bundle_is_refused_before_anything_expands(imported: World) -> None:
    path = imported.exported()
    members = members_of(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    with pytest.raises(MalformedBundleError, match="compressed"):
        verify_bundle(path, pin=imported.pin)


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all" * 100])
def test_a_file_that_is_no_bundle_is_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(data)
    with pytest.raises(MalformedBundleError):
        verify_bundle(path, pin=digest_of("root"))


def test_a_bundle_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedBundleError, match="no such file"):
        verify_bundle(tmp_path / "absent.zip", pin=digest_of("root"))


def test_an_import_that_fails_keeps_no_blob_no_record_and_no_pin(world: World) -> None:
    old = world.locked().exported("old.zip")
    world.submit("9.0.0")
    world.cosign()
    with pytest.raises(CheckpointMismatchError):
        import_trial(world.site, old, pin=world.pin)
    assert world.site.pin is None
    assert not world.site.roots.versions
    assert not [one for one in (world.site.home / "blobs").rglob("*") if one.is_file()]
    assert [one.statement.predicate_type for one in world.site.log.records()] == [Refusal.predicate_type]
    import_trial(world.site, world.exported("new.zip"), pin=world.pin)
    assert world.site.pin == world.pin


@pytest.mark.parametrize(
    "place", ["/", "a-folder", "nowhere/trial.zip", "a-file/trial.zip", "x" * 300, "a\0b"]
)
def test_a_bundle_is_not_written_where_no_file_can_be(imported: World, tmp_path: Path, place: str) -> None:
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "a-file").touch()
    before = sorted(tmp_path.iterdir())
    for export, registry in ((export_trial, imported.sponsor), (export_site_records, imported.site)):
        with pytest.raises(OutputPathError) as caught:
            export(registry, "trial-1", tmp_path / place)
        assert caught.value.exit_code == ExitCode.BAD_INPUT
    assert sorted(tmp_path.iterdir()) == before
    export_trial(imported.sponsor, "trial-1", tmp_path / "a-folder" / "trial.zip")
    assert [one.name for one in (tmp_path / "a-folder").iterdir()] == ["trial.zip"]


def test_only_a_site_returns_records(imported: World, tmp_path: Path) -> None:
    with pytest.raises(WrongStateError, match="not a site") as caught:
        export_site_records(imported.sponsor, "trial-1", tmp_path / "return.zip")
    assert "at the site" in caught.value.hint
    assert not (tmp_path / "return.zip").exists()
    export_site_records(imported.site, "trial-1", tmp_path / "return.zip")


def test_a_return_is_taken_in_for_a_stated_reason(imported: World) -> None:
    imported.run()
    path = imported.returned()
    with pytest.raises(ValueRefusedError, match="reason"):
        take_in(imported.sponsor, path, imported.keys["simone"], actor="simone", reason="")
    assert not list(imported.sponsor.records(RunStarted.predicate_type))
    imported.take_in(path)


def test_a_refused_file_whose_name_is_not_utf8_is_named_in_the_log(imported: World, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"tri\xffal.zip")
    with pytest.raises(MalformedBundleError, match="no such file"):
        import_trial(imported.site, path, pin=imported.pin)
    *_, refusal = imported.site.records(Refusal.predicate_type)
    assert "tri\\udcffal.zip: no such file" in refusal.statement.read(Refusal).message
    os.replace(imported.exported(), path)
    assert import_trial(imported.site, path, pin=imported.pin).trial == "trial-1"
