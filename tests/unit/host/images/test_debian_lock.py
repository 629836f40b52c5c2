import json

import pytest

from host.errors import DebianLockError, PackageMissingError
from host.images.base_lock import BaseLock, LockedPackage
from host.images.debian_lock import DebianLock, lock_debian, read_debian_lock
from tests.support.debian import make_package, stand_in_apt


def package(name, version="1.0-1"):
    return LockedPackage(
        package=name, version=version, architecture="amd64", sha256=f"sha256:{'0' * 64}", bytes=10
    )


BASE = BaseLock(packages=(package("libc6"),))


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


def inst(name, version="1.0-1", held=""):
    return f"Inst {name} {f'[{held}] ' if held else ''}({version} Debian:12.15/oldstable [amd64])\n"


def test_a_lock_holds_what_was_asked_for_with_all_it_needs_beyond_the_base(archive):
    tool, library = make_package(archive, "tool", []), make_package(archive, "libtool", [])
    plan = inst("libc6", held="1.0-1") + inst("libtool") + inst("tool") + "Conf tool (1.0-1 Debian [amd64])\n"
    apt = stand_in_apt(archive, [tool, library], plan=plan)
    lock = lock_debian(["tool", "tool"], BASE, apt)
    assert lock == DebianLock(base=BASE.digest, asked=("tool",), packages=(library, tool))


def test_the_resolver_is_told_that_the_base_is_installed_and_needs_nothing(archive):
    tool = make_package(archive, "tool", [])
    lock_debian(["tool"], BASE, stand_in_apt(archive, [tool], plan=inst("tool")))
    status = (archive / "status").read_text()
    assert "Package: libc6\nStatus: install ok installed\nVersion: 1.0-1\n" in status
    assert "Depends" not in status
    assert "Provides: debconf-2.0" in status


def test_a_package_that_needs_a_newer_base_is_refused_by_name(archive):
    tool = make_package(archive, "tool", [])
    apt = stand_in_apt(archive, [tool], plan=inst("libc6", "2.0-1", held="1.0-1") + inst("tool"))
    with pytest.raises(DebianLockError, match=r"libc6 2\.0-1, newer than this host's base"):
        lock_debian(["tool"], BASE, apt)


def test_a_package_that_would_remove_a_base_package_is_refused(archive):
    tool = make_package(archive, "tool", [])
    apt = stand_in_apt(archive, [tool], plan="Remv libc6 [1.0-1]\n" + inst("tool"))
    with pytest.raises(PackageMissingError, match="conflict with libc6"):
        lock_debian(["tool"], BASE, apt)


@pytest.mark.parametrize(
    "origin", ["Debian:13.2/stable", "Debian-Security:13/stable-security", "Ubuntu:24.04/noble"]
)
def test_packages_of_another_system_are_refused(archive, origin):
    tool = make_package(archive, "tool", [])
    apt = stand_in_apt(archive, [tool], plan=f"Inst tool (1.0-1 {origin} [amd64])\n")
    with pytest.raises(PackageMissingError, match=r"from (Debian|Ubuntu).*; the base image is Debian 12"):
        lock_debian(["tool"], BASE, apt)


@pytest.mark.parametrize(
    "origin", ["Debian:12.15/oldstable, Debian-Security:12/oldstable-security", "NeuroDebian:bookworm"]
)
def test_packages_of_debian_12_and_of_archives_for_it_are_taken(archive, origin):
    tool = make_package(archive, "tool", [])
    apt = stand_in_apt(archive, [tool], plan=f"Inst tool (1.0-1 {origin} [amd64])\n")
    assert lock_debian(["tool"], BASE, apt).packages == (tool,)


def test_an_unknown_package_is_one_clear_line(archive):
    apt = stand_in_apt(archive, [], plan="E: Unable to locate package nosuch\n")
    with pytest.raises(PackageMissingError, match="apt cannot resolve nosuch: Unable to locate"):
        lock_debian(["nosuch"], BASE, apt)


def test_a_planned_version_without_a_digest_is_refused(archive):
    tool = make_package(archive, "tool", [])
    apt = stand_in_apt(archive, [tool], plan=inst("tool", "9.9-9"))
    with pytest.raises(PackageMissingError, match="no digest for tool 9"):
        lock_debian(["tool"], BASE, apt)


def written(tmp_path, **changes):
    lock = {"base": BASE.digest, "asked": ("tool",), "packages": (package("tool"),)}
    path = tmp_path / "debian.lock.json"
    path.write_bytes(DebianLock(**{**lock, **changes}).to_bytes())
    return path


def test_a_lock_reads_back_as_written(tmp_path):
    path = written(tmp_path)
    lock = read_debian_lock(path, names=["tool"], base=BASE)
    assert lock.to_bytes() == path.read_bytes()
    assert [one.package for one in lock.packages] == ["tool"]


def test_a_lock_for_other_packages_than_the_manifest_asks_for_is_refused(tmp_path):
    with pytest.raises(
        DebianLockError, match=r"locks tool; the manifest's image\.debian asks for other"
    ) as refused:
        read_debian_lock(written(tmp_path), names=["other"], base=BASE)
    assert refused.value.hint == f"assay plugin lock {tmp_path}"


def test_a_lock_for_another_base_is_refused(tmp_path):
    with pytest.raises(DebianLockError, match="made for another base image"):
        read_debian_lock(written(tmp_path, base=f"sha256:{'b' * 64}"), names=["tool"], base=BASE)


def test_a_missing_lock_says_how_to_make_it(tmp_path):
    with pytest.raises(DebianLockError, match="No such file") as refused:
        read_debian_lock(tmp_path / "debian.lock.json", names=["tool"], base=BASE)
    assert refused.value.hint == f"assay plugin lock {tmp_path}"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"asked": ["bb", "aa"]}, "asked must be sorted"),
        ({"asked": ["--option"]}, "asked.0"),
        ({"packages": [json.loads(package("tool").model_dump_json())] * 2}, "each named once"),
        ({"url": "somewhere"}, "unknown field"),
    ],
)
def test_a_lock_with_a_bad_field_is_refused_by_name(tmp_path, change, named):
    path = written(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DebianLockError, match=named):
        read_debian_lock(path, names=["tool"], base=BASE)
