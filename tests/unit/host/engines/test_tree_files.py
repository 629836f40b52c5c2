"""A tree written out is the tree; every way to change it afterwards is found and named."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from host.engines.layer_tree import LayerFile, image_tree
from host.engines.tree_files import mapped, require_digests, require_same, write_tree
from host.errors import ImageLoadError, ImageTamperedError
from tests.support.layers import file, folder, hard_link, layer, layer_files, link

IMAGE = f"sha256:{'a' * 64}"
CONTENT = bytes(range(256)) * 64


@pytest.fixture
def layers(tmp_path: Path) -> list[LayerFile]:
    lower = layer(folder("bin"), file("bin/tool", CONTENT, mode=0o755), hard_link("bin/same", "bin/tool"))
    upper = layer(
        folder("etc", mode=0o700),
        file("etc/settings", b"x = 1\n"),
        link("lib", "bin"),
        file("empty"),
        folder("void"),
    )
    return layer_files(tmp_path, lower, upper)


@pytest.fixture
def root(layers: list[LayerFile], tmp_path: Path) -> Path:
    written = tmp_path / "root"
    with mapped(layers) as contents:
        write_tree(image_tree(layers), contents, written, owners=False)
    return written


def compare(layers: list[LayerFile], root: Path) -> None:
    with mapped(layers) as contents:
        require_same(image_tree(layers), contents, root, owners=False, subject=IMAGE)


def test_what_was_written_is_what_the_layers_say(layers: list[LayerFile], root: Path) -> None:
    assert (root / "bin/tool").read_bytes() == (root / "lib/same").read_bytes() == CONTENT
    assert os.readlink(root / "lib") == "bin"
    assert stat.S_IMODE((root / "etc").stat().st_mode) == 0o700
    assert (root / "bin/tool").stat().st_mtime == 1_000_000_000
    compare(layers, root)


def edit(root: Path) -> str:
    path, times = root / "bin/tool", (1_000_000_000, 1_000_000_000)
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    os.utime(path, times)
    return "bin/tool was edited|bin/same was edited"


def grow(root: Path) -> str:
    path = root / "etc/settings"
    path.write_bytes(b"x = 1\ny = 2\n")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return "etc/settings has 12 bytes instead of 6"


def touch(root: Path) -> str:
    os.utime(root / "empty", (1, 1))
    return "empty has another time"


def add(root: Path) -> str:
    (root / "void/extra").touch()
    return "void/extra is not in the image"


def add_a_folder(root: Path) -> str:
    (root / "void/deep").mkdir()
    return "void/deep is not in the image"


def delete(root: Path) -> str:
    (root / "etc/settings").unlink()
    return "etc/settings is gone"


def delete_a_folder(root: Path) -> str:
    (root / "void").rmdir()
    return "void is gone"


def open_up(root: Path) -> str:
    (root / "etc").chmod(0o777)
    return "etc has the mode 0777 instead of 0700"


def make_setuid(root: Path) -> str:
    (root / "bin/tool").chmod(0o4755)
    return "has the mode 4755 instead of 0755"


def point_elsewhere(root: Path) -> str:
    (root / "lib").unlink()
    (root / "lib").symlink_to("/lib")
    return "lib points elsewhere"


def replace_a_file_by_a_link(root: Path) -> str:
    (root / "etc/settings").unlink()
    (root / "etc/settings").symlink_to("/etc/passwd")
    return "etc/settings is no file any more"


def replace_a_file_by_a_pipe(root: Path) -> str:
    (root / "etc/settings").unlink()
    os.mkfifo(root / "etc/settings")
    return "etc/settings is no file any more"


@pytest.mark.parametrize(
    "tamper",
    [
        edit,
        grow,
        touch,
        add,
        add_a_folder,
        delete,
        delete_a_folder,
        open_up,
        make_setuid,
        point_elsewhere,
        replace_a_file_by_a_link,
        replace_a_file_by_a_pipe,
    ],
)
def test_a_changed_tree_is_refused_and_the_change_named(
    tamper: Callable[[Path], str], layers: list[LayerFile], root: Path
) -> None:
    said = tamper(root)
    with pytest.raises(ImageTamperedError, match=said) as refused:
        compare(layers, root)
    assert refused.value.subject == IMAGE


def test_a_layer_with_other_bytes_is_refused(layers: list[LayerFile]) -> None:
    data = bytearray(layers[0].path.read_bytes())
    data[600] ^= 1
    layers[0].path.write_bytes(data)
    with mapped(layers) as contents, pytest.raises(ImageLoadError, match=layers[0].diff_id):
        require_digests(layers, contents)
