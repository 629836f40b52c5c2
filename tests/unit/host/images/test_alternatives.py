"""Links that Debian's scripts would make; with real packages in test_debian_layer.py."""

from pathlib import Path

from host.images.alternatives import link_libraries

LIBRARIES = "usr/lib/x86_64-linux-gnu"


def configured(root: Path, folder: str) -> None:
    (root / "etc" / "ld.so.conf.d").mkdir(parents=True)
    (root / "etc" / "ld.so.conf.d" / "x.conf").write_text(f"{folder}\n")


def test_libraries_in_a_folder_of_their_own_are_linked_where_the_loader_looks(tmp_path: Path) -> None:
    configured(tmp_path, "/opt/x")
    (tmp_path / "opt" / "x").mkdir(parents=True)
    (tmp_path / "opt" / "x" / "libx.so.1").touch()
    link_libraries(tmp_path)
    assert (tmp_path / LIBRARIES / "libx.so.1").readlink() == Path("/opt/x/libx.so.1")


def test_a_library_folder_that_is_a_link_shows_nothing_of_this_machine(tmp_path: Path) -> None:
    host, root = tmp_path / "host", tmp_path / "root"
    (host / "inner").mkdir(parents=True)
    for folder in (host, host / "inner"):
        (folder / "libhost.so.1").touch()
    for named in ("/opt/x", "/opt/x/inner"):
        where = root / named[1:].replace("/", "-")
        configured(where, named)
        (where / "opt").mkdir()
        (where / "opt" / "x").symlink_to(host)
        link_libraries(where)
        assert not (where / LIBRARIES).exists()
