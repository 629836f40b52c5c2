"""What layers add up to; each rule of the module's docstring has a test here."""

from pathlib import Path

import pytest

from host.engines.layer_tree import Kind, Tree, image_tree
from host.errors import ImageLoadError
from tests.support.layers import device, file, folder, hard_link, layer, layer_files, link, pipe


def names(tree: Tree) -> set[str]:
    return set(tree) - {""}


def tree_of(tmp_path: Path, *layers: bytes) -> Tree:
    return image_tree(layer_files(tmp_path, *layers))


def test_a_later_layer_wins(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, layer(file("a", b"old")), layer(file("a", b"newer", mode=0o755)))
    assert (tree["a"].layer, tree["a"].size, tree["a"].mode) == (1, 5, 0o755)


def test_a_whiteout_hides_a_file_and_all_below_a_folder(tmp_path: Path) -> None:
    lower = layer(folder("etc"), file("etc/a"), folder("opt"), folder("opt/x"), file("opt/x/b"))
    tree = tree_of(tmp_path, lower, layer(file("etc/.wh.a"), file(".wh.opt")))
    assert names(tree) == {"etc"}


def test_an_opaque_folder_hides_what_lower_layers_put_into_it_and_keeps_its_own(tmp_path: Path) -> None:
    upper = layer(folder("etc"), file("etc/.wh..wh..opq"), file("etc/new"))
    tree = tree_of(tmp_path, layer(folder("etc"), file("etc/old")), upper)
    assert names(tree) == {"etc", "etc/new"}


def test_a_name_can_be_hidden_and_given_again_in_one_layer(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, layer(folder("a"), file("a/x")), layer(file(".wh.a"), file("a", b"now a file")))
    assert tree["a"].kind is Kind.FILE
    assert names(tree) == {"a"}


def test_the_old_union_file_systems_own_files_do_not_appear(tmp_path: Path) -> None:
    assert names(tree_of(tmp_path, layer(file(".wh..wh.plnk", b"x"), file("a")))) == {"a"}


def test_a_folder_over_a_link_replaces_it_so_that_nothing_lands_behind_it(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, layer(link("lib", "/etc")), layer(file("lib/passwd", b"forged")))
    assert tree["lib"].kind is Kind.FOLDER
    assert tree["lib/passwd"].size == 6
    assert "etc/passwd" not in tree


def test_a_file_over_a_folder_takes_all_below_it_away(tmp_path: Path) -> None:
    assert names(tree_of(tmp_path, layer(folder("a"), file("a/b")), layer(file("a", b"x")))) == {"a"}


def test_parents_that_no_layer_names_are_plain_folders(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, layer(file("a/b/c")))
    assert (tree["a/b"].kind, tree["a/b"].mode) == (Kind.FOLDER, 0o755)


def test_a_hard_link_is_the_same_content_by_another_name(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, layer(file("a", b"12345"), hard_link("b", "a")))
    assert tree["b"] == tree["a"]


def test_devices_and_pipes_are_left_out_and_hide_what_is_below(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, layer(file("mem", b"x"), file("kept")), layer(device("mem"), pipe("p")))
    assert names(tree) == {"kept"}


def test_setuid_and_setgid_bits_are_dropped(tmp_path: Path) -> None:
    assert tree_of(tmp_path, layer(file("su", b"x", mode=0o6755)))["su"].mode == 0o755


def test_absolute_names_and_dots_are_below_the_root(tmp_path: Path) -> None:
    assert names(tree_of(tmp_path, layer(file("/etc/x"), file("./etc/y")))) == {"etc", "etc/x", "etc/y"}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([file("../x")], "leads out of the image"),
        ([file("a/../../x")], "leads out of the image"),
        ([hard_link("a", "../../etc/passwd")], "leads out of the image"),
        ([hard_link("a", "b")], "is no file of its layer"),
        ([link("b", "/etc"), hard_link("a", "b")], "is no file of its layer"),
        ([link("a", "/etc"), file("a/passwd")], "lies behind 'a', which is no folder"),
        ([file("a"), file("a/b")], "lies behind 'a', which is no folder"),
        ([file("/".join("d" * 200))], "folders deep"),
    ],
)
def test_what_no_tree_can_hold_is_refused(tmp_path: Path, entries: list, said: str) -> None:
    with pytest.raises(ImageLoadError, match=said):
        tree_of(tmp_path, layer(*entries))


def test_a_layer_that_is_no_tar_is_refused_by_its_digest(tmp_path: Path) -> None:
    (broken,) = layer_files(tmp_path, b"not a tar" * 200)
    with pytest.raises(ImageLoadError, match=broken.diff_id):
        image_tree([broken])
