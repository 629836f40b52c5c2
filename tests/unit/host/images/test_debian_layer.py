"""Packages here are hand-made; real ones are built and run in tests/integration/test_debian_image.py."""

import shutil
from pathlib import Path

import pytest

from host.errors import PackageFormatError
from host.images.alternatives import Alternative, read_alternatives
from host.images.bytecode import BaseInterpreter
from host.images.debian_layer import make_debian_root
from tests.support.debian import file_member, make_package

pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")

BLAS = """#!/bin/sh
set -e
# update-alternatives --install /usr/lib/libno.so libno /usr/lib/no/libno.so 99
update-alternatives --install /usr/lib/libblas.so.3 \\
                    libblas.so.3 /usr/lib/{0}/libblas.so.3 {1}
"""


def make_root(tmp_path: Path, *packages: tuple[str, list, str]) -> tuple[Path, tuple[str, ...]]:
    root = tmp_path / "root"
    root.mkdir()
    named = []
    for name, members, postinst in packages:
        make_package(tmp_path, name, members, postinst=postinst)
        named.append((name, tmp_path / f"{name}_1.0-1_all.deb"))
    return root, make_debian_root(named, root, BaseInterpreter(tmp_path))


def test_an_alternative_is_linked_and_the_highest_priority_wins(tmp_path):
    root, notes = make_root(
        tmp_path,
        ("blas", [file_member("./usr/lib/blas/libblas.so.3")], BLAS.format("blas", 10)),
        ("openblas", [file_member("./usr/lib/openblas/libblas.so.3")], BLAS.format("openblas", 100)),
    )
    assert (root / "usr/lib/libblas.so.3").readlink() == Path("/etc/alternatives/libblas.so.3")
    assert (root / "etc/alternatives/libblas.so.3").readlink() == Path("/usr/lib/openblas/libblas.so.3")
    assert notes == ("maintainer scripts are never run; these packages have one: blas, openblas",)
    assert not (root / "usr/lib/libno.so").exists()


def test_an_alternative_whose_file_is_not_in_the_image_is_not_linked(tmp_path):
    root, _ = make_root(tmp_path, ("blas", [], BLAS.format("blas", 10)))
    assert not (root / "usr/lib/libblas.so.3").is_symlink()


def test_slaves_come_along():
    master = "update-alternatives --quiet --install /usr/bin/awk awk /usr/bin/mawk 5"
    script = f"{master} --slave /usr/bin/nawk nawk /usr/bin/mawk"
    assert read_alternatives(script) == (
        (
            Alternative("/usr/bin/awk", "awk", "/usr/bin/mawk", 5),
            Alternative("/usr/bin/nawk", "nawk", "/usr/bin/mawk", 5),
        ),
        0,
    )


@pytest.mark.parametrize(
    "command",
    [
        'update-alternatives --install "/usr/bin/$name" a /usr/bin/b 5',
        "update-alternatives --install /usr/bin/a a $(which b) 5",
        "update-alternatives --install /usr/bin/a a",
        "update-alternatives --install /usr/bin/a a /usr/bin/b high",
        "update-alternatives --install '/usr/bin/a",
    ],
)
def test_a_command_that_is_not_literal_is_counted_and_not_guessed(command):
    assert read_alternatives(command) == ((), 1)


def test_what_is_not_understood_is_said(tmp_path):
    _, notes = make_root(tmp_path, ("tool", [], "update-alternatives --install /usr/bin/$x a /usr/bin/b 5\n"))
    assert notes[0] == "tool: 1 update-alternatives command(s) are not understood, nothing is linked"


def test_a_link_that_would_leave_the_image_or_replace_a_file_is_not_made(tmp_path):
    script = (
        "update-alternatives --install /../../escaped a /usr/bin/b 5\n"
        "update-alternatives --install /usr/bin/taken taken /usr/bin/b 5\n"
    )
    root, notes = make_root(
        tmp_path, ("tool", [file_member("./usr/bin/b"), file_member("./usr/bin/taken", "mine")], script)
    )
    assert (root / "usr/bin/taken").read_text() == "mine"
    assert not (tmp_path / "escaped").exists()
    assert "/usr/bin/taken: the alternative /usr/bin/b is not linked" in "\n".join(notes)
    assert "/../../escaped" in "\n".join(notes)


def test_libraries_that_only_ldconfig_would_find_are_linked(tmp_path):
    conf = "# private libraries\n/usr/lib/x86_64-linux-gnu/private\n/lib/other\nrelative\n/../up\n"
    root, _ = make_root(
        tmp_path,
        (
            "tool",
            [
                file_member("./etc/ld.so.conf.d/tool.conf", conf),
                file_member("./usr/lib/x86_64-linux-gnu/private/libone.so.1"),
                file_member("./lib/other/libtwo.so"),
                file_member("./lib/other/README"),
            ],
            "",
        ),
    )
    libraries = root / "usr/lib/x86_64-linux-gnu"
    assert (libraries / "libone.so.1").readlink() == Path("/usr/lib/x86_64-linux-gnu/private/libone.so.1")
    assert (libraries / "libtwo.so").readlink() == Path("/usr/lib/other/libtwo.so")
    assert not (libraries / "README").is_symlink()


def test_the_links_of_the_merged_root_stay_with_the_base(tmp_path):
    root, notes = make_root(tmp_path, ("tool", [file_member("./bin/tool", mode=0o755)], ""))
    assert (root / "usr/bin/tool").is_file()
    assert not (root / "bin").is_symlink()
    assert notes == ()


def test_two_packages_with_one_path_are_refused(tmp_path):
    with pytest.raises(PackageFormatError, match="unpacked twice"):
        make_root(
            tmp_path, ("aa", [file_member("./usr/bin/x")], ""), ("bb", [file_member("./usr/bin/x")], "")
        )
