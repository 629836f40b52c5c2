import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from host.errors import ArchiveError, LayerDigestError
from host.images.archive import read_archive, require_whole, save_archive, write_archive
from tests.support.images import make_image, make_layer

Members = dict[str, bytes]


@pytest.fixture
def image(tmp_path):
    return make_image(tmp_path)


@pytest.fixture
def saved(tmp_path, image):
    path = tmp_path / "image.tar"
    save_archive(image, path)
    return path


def members_of(path: Path) -> Members:
    with tarfile.open(path) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def rewrite(path: Path, change: Callable[[Members], None]) -> Path:
    members = members_of(path)
    change(members)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def append(path: Path, member: tarfile.TarInfo, data: bytes = b"") -> Path:
    with tarfile.open(path, "a", format=tarfile.PAX_FORMAT) as archive:
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return path


def config_name(members: Members) -> str:
    return next(name for name in members if name.endswith(".json") and name != "manifest.json")


def test_a_saved_archive_reads_back_as_the_same_image(image, saved):
    contents = read_archive(saved)
    assert contents.image_id == f"sha256:{hashlib.sha256(image.config_bytes).hexdigest()}"
    assert contents.config_bytes == image.config_bytes
    assert [(layer.diff_id, layer.size_bytes) for layer in contents.layers] == [
        (layer.diff_id, layer.size_bytes) for layer in image.layers
    ]
    assert contents.config.config.user == "65534:65534"


def test_an_image_has_one_archive(image, saved):
    stream = io.BytesIO()
    write_archive(image, stream)
    assert stream.getvalue() == saved.read_bytes()


def test_the_manifest_is_what_docker_load_expects(image, saved):
    members = members_of(saved)
    [entry] = json.loads(members["manifest.json"])
    assert entry["Config"] == config_name(members)
    assert [f"sha256:{hashlib.sha256(members[name]).hexdigest()}" for name in entry["Layers"]] == [
        layer.diff_id for layer in image.layers
    ]


def test_a_cached_layer_with_a_flipped_byte_is_not_written_out(tmp_path, image):
    data = bytearray(image.layers[0].path.read_bytes())
    data[-1] ^= 1
    image.layers[0].path.write_bytes(data)
    with pytest.raises(LayerDigestError, match="have changed"):
        save_archive(image, tmp_path / "image.tar")
    assert not list(tmp_path.glob("*image.tar*"))
    with pytest.raises(LayerDigestError, match="have changed"):
        require_whole(image.layers[0])


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0"])
def test_a_cached_layer_of_another_length_is_not_written_out(tmp_path, image, change):
    path = image.layers[1].path
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(LayerDigestError):
        save_archive(image, tmp_path / "image.tar")


def test_a_missing_cached_layer_is_one_clear_line(image):
    image.layers[0].path.unlink()
    with pytest.raises(LayerDigestError, match="No such file"):
        require_whole(image.layers[0])


def test_a_changed_layer_byte_is_refused(image, saved):
    name = f"{image.layers[0].diff_id.removeprefix('sha256:')}/layer.tar"

    def change(members):
        members[name] = members[name].replace(b"first", b"fIrst")

    with pytest.raises(ArchiveError, match="missing or its bytes have another digest"):
        read_archive(rewrite(saved, change))


def test_a_swapped_config_is_refused(saved):
    def change(members):
        name = config_name(members)
        members[name] = members[name].replace(b'"65534:65534"', b'"0:0"')

    with pytest.raises(ArchiveError, match="not the ones its name promises"):
        read_archive(rewrite(saved, change))


def test_a_config_renamed_to_fit_is_another_image_and_not_this_one(image, saved):
    def change(members):
        data = members.pop(config_name(members)).replace(b'"65534:65534"', b'"0:0"')
        name = f"{hashlib.sha256(data).hexdigest()}.json"
        members[name] = data
        [entry] = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps([{**entry, "Config": name}]).encode()

    contents = read_archive(rewrite(saved, change))
    assert contents.image_id != f"sha256:{hashlib.sha256(image.config_bytes).hexdigest()}"


def test_a_manifest_with_the_layers_in_another_order_is_refused(saved):
    def change(members):
        [entry] = json.loads(members["manifest.json"])
        entry["Layers"].reverse()
        members["manifest.json"] = json.dumps([entry]).encode()

    with pytest.raises(ArchiveError, match="lists other layers"):
        read_archive(rewrite(saved, change))


def test_a_missing_layer_is_refused(image, saved):
    name = f"{image.layers[1].diff_id.removeprefix('sha256:')}/layer.tar"
    with pytest.raises(ArchiveError, match="missing"):
        read_archive(rewrite(saved, lambda members: members.pop(name)))


def test_a_second_image_in_the_manifest_is_refused(saved):
    def change(members):
        [entry] = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps([entry, entry]).encode()

    with pytest.raises(ArchiveError, match=r"manifest\.json"):
        read_archive(rewrite(saved, change))


def test_a_manifest_with_one_key_twice_is_refused(saved):
    def change(members):
        members["manifest.json"] = members["manifest.json"].replace(
            b'"Config"', b'"Config":"x.json","Config"', 1
        )

    with pytest.raises(ArchiveError, match="twice"):
        read_archive(rewrite(saved, change))


def test_a_tag_is_refused(saved):
    def change(members):
        members["manifest.json"] = members["manifest.json"].replace(b"null", b'["trusted:latest"]')

    with pytest.raises(ArchiveError, match="RepoTags"):
        read_archive(rewrite(saved, change))


def test_an_unlisted_file_is_refused(saved):
    with pytest.raises(ArchiveError, match="repositories belongs to no image"):
        read_archive(append(saved, tarfile.TarInfo("repositories"), b"{}"))


def test_an_unlisted_layer_is_refused(tmp_path, saved):
    extra = make_layer(tmp_path, "extra", "not listed")
    name = f"{extra.diff_id.removeprefix('sha256:')}/layer.tar"
    with pytest.raises(ArchiveError, match="belongs to no image"):
        read_archive(append(saved, tarfile.TarInfo(name), extra.path.read_bytes()))


def test_a_file_listed_twice_is_refused(saved):
    with pytest.raises(ArchiveError, match=r"manifest\.json is there twice"):
        read_archive(append(saved, tarfile.TarInfo("manifest.json"), b"[]"))


@pytest.mark.parametrize("name", ["../manifest.json", "/etc/cron.d/x", "x/../../y"])
def test_a_path_that_leaves_the_archive_is_refused(saved, name):
    with pytest.raises(ArchiveError, match="belongs to no image"):
        read_archive(append(saved, tarfile.TarInfo(name), b"x"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_anything_but_a_plain_file_is_refused(saved, kind):
    member = tarfile.TarInfo("x/layer.tar")
    member.type, member.linkname = kind, "manifest.json"
    with pytest.raises(ArchiveError, match="not a plain file"):
        read_archive(append(saved, member))


def test_an_extended_header_is_refused(saved):
    member = tarfile.TarInfo("x/layer.tar")
    member.pax_headers = {"path": "manifest.json"}
    with pytest.raises(ArchiveError, match="not a plain file"):
        read_archive(append(saved, member, b"[]"))


def test_too_many_members_are_refused(saved):
    with tarfile.open(saved, "a") as archive:
        for number in range(150):
            archive.addfile(tarfile.TarInfo(f"{number}/layer.tar"))
    with pytest.raises(ArchiveError, match="more than 100 layers"):
        read_archive(saved)


def test_a_config_with_an_unknown_field_is_refused(saved):
    def change(members):
        data = members.pop(config_name(members)).replace(
            b'{"architecture"', b'{"Volumes":{},"architecture"', 1
        )
        name = f"{hashlib.sha256(data).hexdigest()}.json"
        members[name] = data
        [entry] = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps([{**entry, "Config": name}]).encode()

    with pytest.raises(ArchiveError, match="config: Volumes: unknown field"):
        read_archive(rewrite(saved, change))


@pytest.mark.parametrize("data", [b"", b"not a tar at all" * 100])
def test_a_file_that_is_no_archive_is_refused(tmp_path, data):
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"image\.tar"):
        read_archive(path)


def test_a_cut_archive_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:9000])
    with pytest.raises(ArchiveError):
        read_archive(saved)
