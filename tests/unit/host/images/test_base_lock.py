import json

import pytest

from host.errors import BaseLockError, PackageMissingError
from host.images.base import PACKAGES
from host.images.base_lock import BASE_LOCK, BaseLock, LockedPackage, read_base_lock, relock


def package(name: str, version: str = "1.0-1") -> LockedPackage:
    return LockedPackage(
        package=name, version=version, architecture="amd64", sha256=f"sha256:{'0' * 64}", bytes=1
    )


class Offering:
    def __init__(self, *packages):
        self.packages = packages

    def offers(self, names, *, newest_only):
        assert newest_only
        return self.packages


def test_the_committed_lock_holds_exactly_the_closed_list():
    assert tuple(one.package for one in read_base_lock().packages) == PACKAGES


def test_the_committed_lock_is_in_its_written_form_and_names_no_host():
    assert read_base_lock().to_bytes() == BASE_LOCK.read_bytes()
    assert b"://" not in BASE_LOCK.read_bytes()


def test_relock_takes_what_is_offered_and_only_what_was_asked_for():
    lock = relock(["bb", "a0"], Offering(package("a0", "2"), package("bb"), package("cc")))
    assert [(one.package, one.version) for one in lock.packages] == [("a0", "2"), ("bb", "1.0-1")]


def test_relock_names_the_package_that_is_not_offered():
    with pytest.raises(PackageMissingError, match="apt offers no zlib1g"):
        relock(["zlib1g"], Offering())


def test_the_digest_depends_on_content_and_not_on_layout(tmp_path):
    lock = BaseLock(packages=(package("aa"), package("bb")))
    respaced = tmp_path / "lock.json"
    respaced.write_text(json.dumps(json.loads(lock.to_bytes()), indent=8))
    assert read_base_lock(respaced).digest == lock.digest
    assert BaseLock(packages=(package("aa", "1.0-2"), package("bb"))).digest != lock.digest


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"package": "../evil"}, "packages.0.package"),
        ({"package": "-oDebug=1"}, "packages.0.package"),
        ({"version": "1.0 && true"}, "packages.0.version"),
        ({"sha256": "0" * 64}, "packages.0.sha256"),
        ({"bytes": 0}, "packages.0.bytes"),
        ({"architecture": "arm64"}, "packages.0.architecture"),
        ({"url": "somewhere"}, "unknown field"),
    ],
)
def test_a_lock_with_a_bad_field_is_refused_by_name(tmp_path, change, named):
    document = json.loads(BaseLock(packages=(package("aa"),)).to_bytes())
    document["packages"][0].update(change)
    path = tmp_path / "lock.json"
    path.write_text(json.dumps(document))
    with pytest.raises(BaseLockError, match=named):
        read_base_lock(path)


def test_a_package_listed_twice_is_refused(tmp_path):
    document = json.loads(BaseLock(packages=(package("aa"),)).to_bytes())
    document["packages"] *= 2
    path = tmp_path / "lock.json"
    path.write_text(json.dumps(document))
    with pytest.raises(BaseLockError, match="each named once"):
        read_base_lock(path)


def test_a_missing_lock_is_one_clear_line(tmp_path):
    with pytest.raises(BaseLockError, match="absent.json: No such file"):
        read_base_lock(tmp_path / "absent.json")
