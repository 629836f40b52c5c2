import hashlib
import os
import tarfile
import time
from pathlib import Path

import pytest

from host.errors import LayerContentError
from host.images.layer import Entry, folder_entries, write_layer


def make_tree(root: Path) -> Path:
    (root / "b/inner").mkdir(parents=True)
    (root / "a.sh").write_text("#!/bin/sh\n")
    (root / "a.sh").chmod(0o4755)
    (root / "b/inner/data").write_bytes(b"x" * 5000)
    (root / "b/ü" / ("long" * 40)).parent.mkdir()
    (root / "b/ü" / ("long" * 40)).write_text("long name")
    os.link(root / "b/inner/data", root / "b/again")
    (root / "link").symlink_to("/b/inner/data")
    return root


def test_the_same_tree_gives_the_same_layer_in_another_folder_umask_and_time_zone(tmp_path, monkeypatch):
    first = write_layer(folder_entries(make_tree(tmp_path / "one")), tmp_path / "1.tar")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    before = os.umask(0o077)
    try:
        tree = make_tree(tmp_path / "deeper/two")
        os.utime(tree / "a.sh", (1e9, 1e9))
        second = write_layer(folder_entries(tree), tmp_path / "2.tar")
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()
    assert first.diff_id == second.diff_id


def test_the_diff_id_is_the_digest_of_the_tar(tmp_path):
    layer = write_layer(folder_entries(make_tree(tmp_path / "tree")), tmp_path / "layer.tar")
    data = layer.path.read_bytes()
    assert layer.diff_id == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert layer.size_bytes == len(data)


def test_members_are_sorted_and_carry_no_owner_time_or_setuid_bit(tmp_path):
    layer = write_layer(folder_entries(make_tree(tmp_path / "tree"), under="opt/x"), tmp_path / "layer.tar")
    with tarfile.open(layer.path) as archive:
        members = archive.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names, key=str.encode)
    assert names[:2] == ["opt", "opt/x"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, 0, "", "")}
    modes = {member.name: member.mode for member in members}
    assert modes["opt/x/a.sh"] == 0o755
    assert modes["opt/x/b/inner/data"] == 0o644


def test_a_hard_link_becomes_a_file_of_its_own(tmp_path):
    layer = write_layer(folder_entries(make_tree(tmp_path / "tree")), tmp_path / "layer.tar")
    with tarfile.open(layer.path) as archive:
        again = archive.getmember("b/again")
        assert again.type == tarfile.REGTYPE
        assert archive.extractfile(again).read() == b"x" * 5000
        assert archive.getmember("link").linkname == "/b/inner/data"


def test_a_fifo_is_refused(tmp_path):
    (tmp_path / "tree").mkdir()
    os.mkfifo(tmp_path / "tree/pipe")
    with pytest.raises(LayerContentError, match="pipe: not a file, folder or symbolic link"):
        write_layer(folder_entries(tmp_path / "tree"), tmp_path / "layer.tar")


def test_a_source_that_became_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(LayerContentError, match="link"):
        write_layer([Entry("file", source=tmp_path / "link")], tmp_path / "layer.tar")


@pytest.mark.parametrize("path", ["../up", "/etc/passwd", "a//b", "a/./b", "", "a\0b", "a\udc80"])
def test_a_path_that_is_not_plain_is_refused(tmp_path, path):
    with pytest.raises(LayerContentError):
        write_layer([Entry(path)], tmp_path / "layer.tar")


def test_a_path_given_twice_is_refused(tmp_path):
    with pytest.raises(LayerContentError, match="given twice"):
        write_layer([Entry("a"), Entry("a", target="b")], tmp_path / "layer.tar")


def test_a_file_below_a_file_is_refused(tmp_path):
    with pytest.raises(LayerContentError, match="a is not a folder"):
        write_layer([Entry("a", target="b"), Entry("a/c")], tmp_path / "layer.tar")


def test_a_missing_folder_is_one_clear_line(tmp_path):
    with pytest.raises(LayerContentError, match="nowhere: No such file"):
        list(folder_entries(tmp_path / "nowhere"))
