import io
import tarfile
from pathlib import Path

import pytest

from host.errors import ArchiveError
from host.images.inventory import Inventory, take_inventory
from host.images.layer import Layer
from tests.support.foreign_images import layer, sha256


def inventory(tmp_path: Path, *layers: bytes) -> Inventory:
    made = []
    for number, data in enumerate(layers):
        path = tmp_path / f"{number}.tar"
        path.write_bytes(data)
        made.append(Layer(f"sha256:{sha256(data)}", len(data), path))
    return take_inventory(made)


def test_later_layers_win_and_say_which_layer_a_file_is_from(tmp_path):
    found = inventory(
        tmp_path, layer(("./bin/tool", b"1", 0o644), ("etc", None, 0o755)), layer(("bin/tool", b"22", 0o755))
    )
    tool = found.files["bin/tool"]
    assert (tool.kind, tool.mode, tool.size_bytes, tool.layer) == ("file", 0o755, 2, 1)
    assert found.files["etc"].kind == "folder"


def test_a_whiteout_removes_what_lower_layers_hold_and_nothing_of_its_own(tmp_path):
    found = inventory(
        tmp_path,
        layer(("opt/a/x", b"", 0o644), ("opt/a/y", b"", 0o644), ("opt/ab", b"", 0o644)),
        layer(("opt/.wh.a", b"", 0o644), ("opt/a/new", b"", 0o644)),
    )
    assert set(found.files) == {"opt/ab", "opt/a/new"}


def test_an_opaque_folder_hides_everything_below_it(tmp_path):
    found = inventory(
        tmp_path,
        layer(("opt", None, 0o755), ("opt/x", b"", 0o644), ("other", b"", 0o644)),
        layer(("opt", None, 0o755), ("opt/.wh..wh..opq", b"", 0o644), ("opt/y", b"", 0o644)),
    )
    assert set(found.files) == {"opt", "opt/y", "other"}


def test_a_folder_that_becomes_a_link_takes_its_content_with_it(tmp_path):
    found = inventory(
        tmp_path, layer(("lib", None, 0o755), ("lib/x", b"", 0o644)), layer(("lib", "usr/lib", 0o777))
    )
    assert set(found.files) == {"lib"}


def test_a_removed_package_record_is_gone_too(tmp_path):
    found = inventory(
        tmp_path,
        layer(("var/lib/dpkg/status", b"Package: x\n", 0o644)),
        layer(("var/lib/dpkg/.wh.status", b"", 0o644)),
    )
    assert found.records == {}


def test_a_hard_link_is_the_file_it_links_to(tmp_path):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        one = tarfile.TarInfo("bin/tool")
        one.size, one.mode = 3, 0o755
        archive.addfile(one, io.BytesIO(b"abc"))
        link = tarfile.TarInfo("bin/again")
        link.type, link.linkname = tarfile.LNKTYPE, "bin/tool"
        archive.addfile(link)
        device = tarfile.TarInfo("dev/null")
        device.type = tarfile.CHRTYPE
        archive.addfile(device)
    found = inventory(tmp_path, buffer.getvalue())
    assert found.files["bin/again"] == found.files["bin/tool"]
    assert found.files["dev/null"].kind == "other"


@pytest.fixture
def linked(tmp_path: Path) -> Inventory:
    return inventory(
        tmp_path,
        layer(
            ("bin", "usr/bin", 0o777),
            ("usr/bin/python3.11", b"", 0o755),
            ("usr/bin/python3", "python3.11", 0o777),
            ("usr/bin/tool", "/etc/alternatives/tool", 0o777),
            ("etc/alternatives/tool", "/usr/lib/../bin/python3", 0o777),
            ("usr/lib", None, 0o755),
            ("usr/bin/round", "circle", 0o777),
            ("usr/bin/circle", "round", 0o777),
            ("usr/bin/gone", "nowhere", 0o777),
            ("usr/bin/data", b"", 0o644),
        ),
    )


@pytest.mark.parametrize("path", ["/bin/python3", "usr/bin/tool", "/usr/bin/../bin/python3.11"])
def test_links_are_followed_as_inside_the_image(linked, path):
    found = linked.resolve(path)
    assert found is not None
    assert found[0] == "usr/bin/python3.11"


@pytest.mark.parametrize("path", ["/bin/round", "/bin/gone", "/absent", "../../../etc/passwd"])
def test_what_leads_nowhere_is_nothing(linked, path):
    assert linked.resolve(path) is None


def test_a_program_is_found_along_the_path_if_it_is_executable(linked):
    assert linked.find_program("python3", "/sbin:/bin")[0] == "usr/bin/python3.11"
    assert linked.find_program("data", "/bin") is None
    assert linked.find_program("python3", "bin:.") is None


def test_a_layer_that_is_no_tar_is_one_clear_line(tmp_path):
    with pytest.raises(ArchiveError, match="the layer sha256:"):
        inventory(tmp_path, b"no tar" * 1000)
