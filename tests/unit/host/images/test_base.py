"""Packages here are hand-made; the real base is built in tests/integration/test_image_build.py."""

import shutil
import tarfile

import pytest

from host.errors import ImageBuildError, PackageFormatError, PackageMissingError
from host.images.apt import Apt
from host.images.base import fetch_packages, unpack_packages
from host.images.base_lock import BaseLock, relock
from tests.support.debian import file_member, make_package, special_member, stand_in_apt

needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


def unpack(tmp_path, archive, members):
    make_package(archive, "example", members)
    root = tmp_path / "root"
    root.mkdir()
    unpack_packages([archive / "example_1.0-1_all.deb"], root)
    return root


def test_packages_come_from_apt_once_and_then_from_the_cache(tmp_path, archive):
    lock = BaseLock(packages=(make_package(archive, "aa", []), make_package(archive, "bb", [])))
    first = fetch_packages(lock, cache=tmp_path / "cache", apt=stand_in_apt(archive, lock.packages))
    again = fetch_packages(lock, cache=tmp_path / "cache", apt=Apt(get="/absent", cache="/absent"))
    assert first == again
    assert [path.read_bytes() for path in first] == [
        (archive / f"{n}_1.0-1_all.deb").read_bytes() for n in ("aa", "bb")
    ]


def test_a_changed_package_in_the_cache_is_fetched_again(tmp_path, archive):
    lock = BaseLock(packages=(make_package(archive, "aa", []),))
    apt = stand_in_apt(archive, lock.packages)
    [path] = fetch_packages(lock, cache=tmp_path / "cache", apt=apt)
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"X")
    assert fetch_packages(lock, cache=tmp_path / "cache", apt=apt)[0].read_bytes() == good


def test_other_bytes_under_a_locked_version_are_refused(tmp_path, archive):
    lock = BaseLock(packages=(make_package(archive, "aa", []),))
    make_package(archive, "aa", [file_member("./evil")])
    with pytest.raises(PackageMissingError, match="other bytes for aa 1.0-1"):
        fetch_packages(lock, cache=tmp_path / "cache", apt=stand_in_apt(archive, lock.packages))
    assert not list((tmp_path / "cache").glob("*.deb"))


def test_a_superseded_version_is_named_with_what_to_do(tmp_path, archive):
    locked, newer = make_package(archive, "aa", []), make_package(archive, "bb", [])
    apt = stand_in_apt(archive, [newer])
    with pytest.raises(PackageMissingError, match=r"no longer offers aa 1\.0-1") as caught:
        fetch_packages(BaseLock(packages=(locked, newer)), cache=tmp_path / "cache", apt=apt)
    assert caught.value.subject == "aa"
    assert "apt-get update" in caught.value.hint


def test_empty_apt_lists_are_named_as_the_cause(tmp_path, archive):
    lock = BaseLock(packages=(make_package(archive, "aa", []),))
    with pytest.raises(PackageMissingError, match="its lists are empty") as caught:
        fetch_packages(lock, cache=tmp_path / "cache", apt=stand_in_apt(archive, []))
    assert caught.value.hint == "as root: apt-get update"


def test_a_download_that_fails_repeats_what_apt_said(tmp_path, archive):
    lock = BaseLock(packages=(make_package(archive, "aa", []),))
    apt = stand_in_apt(archive, lock.packages)
    (archive / "apt-get").write_text("#!/bin/sh\necho 'E: Failed to fetch aa' >&2; exit 100\n")
    with pytest.raises(PackageMissingError, match="image.s packages: Failed to fetch aa"):
        fetch_packages(lock, cache=tmp_path / "cache", apt=apt)


def test_a_machine_without_apt_is_told_what_to_do(tmp_path, archive):
    lock = BaseLock(packages=(make_package(archive, "aa", []),))
    with pytest.raises(ImageBuildError, match="absent: No such file"):
        fetch_packages(lock, cache=tmp_path / "cache", apt=Apt(get="/absent", cache="/absent"))


def test_relock_reads_what_apt_prints(archive):
    package = make_package(archive, "aa", [])
    assert relock(["aa"], stand_in_apt(archive, [package])) == BaseLock(packages=(package,))


@needs_dpkg
def test_the_root_is_merged_and_pruned_and_keeps_licences(tmp_path, archive):
    members = [
        special_member("./lib/x/", tarfile.DIRTYPE),
        file_member("./lib/x/library.so", "code", mode=0o4755),
        special_member("./lib/x/again.so", tarfile.LNKTYPE, "./lib/x/library.so"),
        special_member("./lib64/loader", tarfile.SYMTYPE, "/lib/x/library.so"),
        file_member("./usr/share/man/man1/x.1", "manual"),
        file_member("./usr/share/doc/example/changelog", "news"),
        file_member("./usr/share/doc/example/copyright", "licence"),
    ]
    root = unpack(tmp_path, archive, members)
    found = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir())
    assert found == [
        "usr/lib/x/again.so",
        "usr/lib/x/library.so",
        "usr/lib64/loader",
        "usr/share/doc/example/copyright",
    ]
    assert (root / "lib").readlink().as_posix() == "usr/lib"
    assert (root / "usr/lib/x/library.so").stat().st_mode & 0o7777 == 0o755
    assert (root / "usr/lib/x/again.so").stat().st_nlink == 1


@needs_dpkg
@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([file_member("./../outside", "x")], "leaves the image's root"),
        (
            [special_member("./etc/out", tarfile.SYMTYPE, "/tmp"), file_member("./etc/out/x", "x")],
            "behind a symbolic",
        ),
        ([special_member("./dev/sda", tarfile.BLKTYPE)], "neither a file"),
        ([file_member("./etc/a", "x"), file_member("./etc/a", "y")], "unpacked twice"),
        ([special_member("./etc/h", tarfile.LNKTYPE, "./../../etc/passwd")], "leaves the image's root"),
        ([file_member("./etc/a", "x"), file_member("./etc/a/b", "y")], "a file where a folder is needed"),
    ],
)
def test_a_package_that_reaches_outside_or_contradicts_itself_is_refused(tmp_path, archive, members, reason):
    with pytest.raises(PackageFormatError, match=reason):
        unpack(tmp_path, archive, members)
    assert not (tmp_path / "outside").exists()


@needs_dpkg
def test_a_file_that_is_no_package_is_refused(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "bad.deb").write_text("not a package")
    with pytest.raises(PackageFormatError, match=r"bad\.deb"):
        unpack_packages([tmp_path / "bad.deb"], tmp_path / "root")
