"""uv itself, on a folder of hand-made wheels instead of an index."""

import hashlib

import pytest

from host.errors import RequirementsError, WheelDigestError, WheelError
from host.images.pip_layer import fetch_wheel_file, make_site
from host.images.requirements import parse_requirements
from host.images.wheels import install_wheels, select_wheels
from tests.support.wheels import write_wheel


@pytest.fixture
def index(tmp_path, monkeypatch):
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("UV_NO_INDEX", "UV_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    return folder


def site(tmp_path, text):
    requirements = parse_requirements(text, where="r.txt")
    return make_site(requirements, tmp_path / "site", uv_cache=tmp_path / "uv")


def test_the_folder_holds_the_wheel_without_scripts_or_installer_records(tmp_path, index):
    digest = write_wheel(
        index, "example", {"example/__init__.py": b"raise SystemExit(3)", "example/bin/x": b"kept"}
    )
    [wheel] = site(tmp_path, f"example==1.0 --hash={digest}")
    assert (wheel.name, wheel.version, wheel.sha256) == ("example", "1.0", digest)
    assert wheel.file_name == "example-1.0-py3-none-any.whl"
    folder = tmp_path / "site"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "example-1.0.dist-info/METADATA",
        "example-1.0.dist-info/WHEEL",
        "example-1.0.dist-info/entry_points.txt",
        "example/__init__.py",
        "example/bin/x",
    ]


def test_a_wheel_with_another_digest_is_refused(tmp_path, index):
    write_wheel(index, "example", {"example.py": b"changed"})
    with pytest.raises(WheelDigestError, match=r"example 1\.0: no wheel .* has a listed hash"):
        site(tmp_path, f"example==1.0 --hash=sha256:{'0' * 64}")


def test_a_listed_wheel_made_for_this_python_is_chosen_before_a_general_one(tmp_path, index):
    general = write_wheel(index, "example", {"example.py": b"general"})
    fitting = write_wheel(
        index, "example", {"example.py": b"fitting"}, tag="cp311-cp311-manylinux_2_17_x86_64"
    )
    other = write_wheel(index, "example", {"example.py": b"other"}, tag="cp312-cp312-manylinux_2_17_x86_64")
    text = f"example==1.0 --hash={general} --hash={fitting} --hash={other}"
    [wheel] = site(tmp_path, text)
    assert wheel.sha256 == fitting
    assert (tmp_path / "site/example.py").read_bytes() == b"fitting"


def test_of_two_wheels_only_the_listed_one_is_taken(tmp_path, index):
    general = write_wheel(index, "example", {"example.py": b"general"})
    write_wheel(index, "example", {"example.py": b"unlisted"}, tag="cp311-cp311-manylinux_2_17_x86_64")
    [wheel] = site(tmp_path, f"example==1.0 --hash={general}")
    assert wheel.sha256 == general
    assert (tmp_path / "site/example.py").read_bytes() == b"general"


def test_a_requirement_for_another_platform_is_left_out(tmp_path, index):
    digest = write_wheel(index, "example", {"example.py": b""})
    assert site(tmp_path, f"example==1.0 ; sys_platform == 'win32' --hash={digest}") == ()


def test_two_wheels_that_claim_one_path_for_different_bytes_are_refused(tmp_path, index):
    one = write_wheel(index, "one", {"shared.py": b"one"})
    two = write_wheel(index, "two", {"shared.py": b"two"})
    with pytest.raises(WheelError, match=r"both hold shared\.py"):
        site(tmp_path, f"one==1.0 --hash={one}\ntwo==1.0 --hash={two}")


def test_two_wheels_may_hold_the_same_file(tmp_path, index):
    one = write_wheel(index, "one", {"shared.py": b"same"})
    two = write_wheel(index, "two", {"shared.py": b"same"})
    assert len(site(tmp_path, f"one==1.0 --hash={one}\ntwo==1.0 --hash={two}")) == 2


def test_a_wheel_exchanged_after_it_was_chosen_is_refused(tmp_path, index):
    digest = write_wheel(index, "example", {"example.py": b"good"})
    wheels = select_wheels(
        parse_requirements(f"example==1.0 --hash={digest}", where="r"), uv_cache=tmp_path / "uv"
    )
    write_wheel(index, "example", {"example.py": b"evil"})
    with pytest.raises(WheelDigestError, match="listed hash"):
        install_wheels(wheels, tmp_path / "site", uv_cache=tmp_path / "other")
    assert not (tmp_path / "site/example.py").exists()


def test_an_unknown_package_is_one_clear_line(tmp_path, index):
    with pytest.raises(WheelError, match="absent"):
        site(tmp_path, f"absent==1.0 --hash=sha256:{'0' * 64}")


def test_one_file_is_read_out_of_a_pinned_wheel(tmp_path, index):
    digest = write_wheel(
        index, "example", {"example/__init__.py": b"raise SystemExit(3)", "example/a.dat": b"abc"}
    )
    target = tmp_path / "a.dat"
    found = fetch_wheel_file(
        f"example==1.0 --hash={digest}", "example/a.dat", target, uv_cache=tmp_path / "uv"
    )
    assert target.read_bytes() == b"abc"
    assert found == f"sha256:{hashlib.sha256(b'abc').hexdigest()}"
    assert not list(tmp_path.glob(".wheel.*"))


@pytest.mark.parametrize(
    "member", ["example/absent", "../index/example-1.0-py3-none-any.whl", "/etc/passwd", "example"]
)
def test_a_member_that_is_no_file_of_the_wheel_is_refused(tmp_path, index, member):
    digest = write_wheel(index, "example", {"example/a.dat": b"abc"})
    with pytest.raises(WheelError, match="holds no file"):
        fetch_wheel_file(f"example==1.0 --hash={digest}", member, tmp_path / "x", uv_cache=tmp_path / "uv")
    assert not (tmp_path / "x").exists()


def test_a_file_from_an_unpinned_wheel_is_refused(tmp_path):
    with pytest.raises(RequirementsError):
        fetch_wheel_file("example==1.0", "example/a.dat", tmp_path / "x", uv_cache=tmp_path / "uv")
