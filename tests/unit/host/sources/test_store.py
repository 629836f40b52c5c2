"""A pinned file is taken from wherever it lies with the right bytes, and from nowhere with others."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from host.errors import KitDigestError, SourceError, SourceMissingError
from host.home import Home
from host.sources.pinned import Pinned
from host.sources.store import Found, SourceStore
from registry.canonical import digest
from tests.support.https_server import ServedFile, https_server

DATA = bytes(range(256)) * 8192  # 2 MiB: more than one read
NOWHERE = "url:https://127.0.0.1:9/scan.nii"  # the discard port: nobody answers


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "data").mkdir()
    return Home(tmp_path / "home", tmp_path / "cache", tmp_path / "data")


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedFile]:
    served = ServedFile(DATA)
    with https_server(tmp_path, served) as certificate:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield served


def scan(uri: str, folder: Path, data: bytes = DATA) -> Pinned:
    return Pinned("source scan", uri, digest(data), len(data), folder, KitDigestError)


def data_folder(home: Home) -> Path:
    assert home.data is not None
    return home.data


def cached(home: Home) -> Path:
    return home.cache / "sources" / digest(DATA).removeprefix("sha256:")


def test_a_local_file_is_copied_and_its_twin_with_one_other_byte_is_not(home: Home, tmp_path: Path) -> None:
    (tmp_path / "scan.nii").write_bytes(DATA)
    assert SourceStore(home).copy(scan("local:scan.nii", tmp_path), tmp_path / "copy").place == "folder"
    assert (tmp_path / "copy").read_bytes() == DATA
    (tmp_path / "scan.nii").write_bytes(DATA[:-1] + b"\0")
    with pytest.raises(
        KitDigestError, match=r"source scan: local:scan\.nii gives 2097152 bytes with sha256:"
    ):
        SourceStore(home).copy(scan("local:scan.nii", tmp_path), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_file_of_another_length_than_declared_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "scan.nii").write_bytes(DATA)
    wrong = replace(scan("local:scan.nii", tmp_path), bytes=7)
    with pytest.raises(KitDigestError, match="declared are 7 bytes"):
        SourceStore(home).copy(wrong, tmp_path / "copy")


def test_a_file_below_the_data_folder_is_found_by_its_digest_under_any_name(
    home: Home, tmp_path: Path
) -> None:
    (data_folder(home) / "deep").mkdir()
    (data_folder(home) / "deep" / "other name.bin").write_bytes(DATA)
    (data_folder(home) / "same length").write_bytes(bytes(len(DATA)))
    found = SourceStore(home).copy(scan(NOWHERE, tmp_path), tmp_path / "copy")
    assert found == Found("ASSAY_DATA", data_folder(home) / "deep" / "other name.bin")
    assert (tmp_path / "copy").read_bytes() == DATA


def test_only_files_of_the_right_size_are_hashed_and_each_once(home: Home, tmp_path: Path) -> None:
    (data_folder(home) / "scan").write_bytes(DATA)
    (data_folder(home) / "longer").write_bytes(DATA + b"\0")
    for wanted in (["scan"], []):
        said: list[str] = []
        assert SourceStore(home, say=said.append).find(scan(NOWHERE, tmp_path)) is not None
        assert said == [f"hash {data_folder(home) / name}" for name in wanted]


def test_a_file_that_was_changed_is_hashed_anew(home: Home, tmp_path: Path) -> None:
    file = data_folder(home) / "scan"
    file.write_bytes(bytes(len(DATA)))
    assert SourceStore(home).find(scan(NOWHERE, tmp_path)) is None
    file.write_bytes(DATA)
    assert SourceStore(home).find(scan(NOWHERE, tmp_path)) == Found("ASSAY_DATA", file)


def test_a_file_changed_behind_the_index_is_not_taken(home: Home, tmp_path: Path) -> None:
    import os

    file = data_folder(home) / "scan"
    file.write_bytes(DATA)
    assert SourceStore(home).find(scan(NOWHERE, tmp_path)) is not None
    before = file.stat()
    with file.open("r+b") as stream:
        stream.write(b"\xff")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    said: list[str] = []
    with pytest.raises(SourceMissingError):
        SourceStore(home, say=said.append).copy(scan(NOWHERE, tmp_path), tmp_path / "copy")
    assert any("any more: looked for elsewhere" in line for line in said)
    assert not (tmp_path / "copy").exists()


def test_an_index_that_cannot_be_read_is_made_anew(home: Home, tmp_path: Path) -> None:
    home.cache.mkdir()
    (home.cache / "data-index.json").write_text('{"files": 3}')
    (data_folder(home) / "scan").write_bytes(DATA)
    said: list[str] = []
    assert SourceStore(home, say=said.append).find(scan(NOWHERE, tmp_path)) is not None
    assert "cannot be read: files are hashed anew" in said[0]


def test_a_data_folder_that_is_none_is_one_line(home: Home, tmp_path: Path) -> None:
    lost = replace(home, data=tmp_path / "nowhere")
    with pytest.raises(SourceError, match="ASSAY_DATA names .*nowhere, which is no folder"):
        SourceStore(lost).find(scan(NOWHERE, tmp_path))


def test_what_is_nowhere_is_one_line_with_file_digest_address_and_the_data_folder(
    home: Home, tmp_path: Path
) -> None:
    with pytest.raises(SourceMissingError) as caught:
        SourceStore(home).copy(scan(NOWHERE, tmp_path), tmp_path / "copy")
    for part in ("source scan", digest(DATA), "https://127.0.0.1:9/scan.nii", "2097152 bytes"):
        assert part in caught.value.message
    assert "\n" not in caught.value.message
    assert f"ASSAY_DATA names ({data_folder(home)})" in caught.value.hint


def test_a_download_is_kept_by_its_digest_and_not_asked_for_again(
    home: Home, tmp_path: Path, served: ServedFile
) -> None:
    far = scan(f"url:{served.base}/scan.nii", tmp_path)
    told: list[tuple[int, int]] = []
    store = SourceStore(home, told=lambda have, total: told.append((have, total)))
    assert store.copy(far, tmp_path / "one").place == "download"
    assert store.copy(far, tmp_path / "two") == Found("cache", cached(home))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() == DATA
    assert served.asked == [""]
    assert told[-1] == (len(DATA), len(DATA))


def test_a_download_that_was_cut_off_goes_on_where_it_ended(
    home: Home, tmp_path: Path, served: ServedFile
) -> None:
    far = scan(f"url:{served.base}/scan.nii", tmp_path)
    served.cut_after = 1_000_000
    with pytest.raises(SourceMissingError):
        SourceStore(home).have(far)
    assert not cached(home).exists()
    have = cached(home).with_suffix(".part").stat().st_size
    assert 0 < have <= 1_000_000
    served.cut_after = None
    assert SourceStore(home).have(far).place == "download"
    assert served.asked == ["", f"bytes={have}-"]
    assert cached(home).read_bytes() == DATA


def test_a_server_that_ignores_what_part_is_asked_for_is_begun_with_anew(
    home: Home, tmp_path: Path, served: ServedFile
) -> None:
    far = scan(f"url:{served.base}/scan.nii", tmp_path)
    served.cut_after = 1_000_000
    with pytest.raises(SourceMissingError):
        SourceStore(home).have(far)
    served.cut_after, served.ignores_range = None, True
    SourceStore(home).have(far)
    assert cached(home).read_bytes() == DATA


@pytest.mark.parametrize(
    ("data", "said"),
    [(DATA[:-1] + b"\0", "gives sha256:"), (DATA + b"\0", "gives more than the 2097152 bytes")],
)
def test_another_file_than_the_declared_one_is_refused_and_not_kept(
    home: Home, tmp_path: Path, served: ServedFile, data: bytes, said: str
) -> None:
    far = scan(f"url:{served.base}/scan.nii", tmp_path)
    served.data = data
    with pytest.raises(KitDigestError, match=said):
        SourceStore(home).have(far)
    assert not cached(home).exists()
    served.data = DATA  # nothing that was refused is gone on with
    assert SourceStore(home).have(far).place == "download"


def test_a_part_that_is_not_of_the_file_is_found_out(home: Home, tmp_path: Path, served: ServedFile) -> None:
    far = scan(f"url:{served.base}/scan.nii", tmp_path)
    cached(home).parent.mkdir(parents=True)
    cached(home).with_suffix(".part").write_bytes(b"of another file")
    with pytest.raises(KitDigestError, match="declared is"):
        SourceStore(home).have(far)
    assert SourceStore(home).have(far).place == "download"


def test_a_redirection_to_an_unguarded_address_is_not_followed(
    home: Home, tmp_path: Path, served: ServedFile
) -> None:
    served.leads_to = "http://127.0.0.1:9/scan.nii"
    with pytest.raises(SourceMissingError, match="unknown url type: http"):
        SourceStore(home).have(scan(f"url:{served.base}/scan.nii", tmp_path))


def test_a_server_with_an_unknown_certificate_is_not_believed(
    home: Home, tmp_path: Path, served: ServedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SourceMissingError, match="certificate"):
        SourceStore(home).have(scan(f"url:{served.base}/scan.nii", tmp_path))
    assert served.asked == []


def test_an_address_without_the_file_says_what_it_answers(
    home: Home, tmp_path: Path, served: ServedFile
) -> None:
    with pytest.raises(SourceMissingError, match="it answers 404"):
        SourceStore(home).have(scan(f"url:{served.base}/missing", tmp_path))


def test_a_damaged_file_of_the_cache_is_fetched_anew(home: Home, tmp_path: Path, served: ServedFile) -> None:
    far = scan(f"url:{served.base}/scan.nii", tmp_path)
    SourceStore(home).have(far)
    cached(home).chmod(0o644)
    cached(home).write_bytes(b"damaged")
    assert SourceStore(home).copy(far, tmp_path / "copy").place == "download"
    assert (tmp_path / "copy").read_bytes() == DATA
