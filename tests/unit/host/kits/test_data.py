"""Case files are used only under the digests of cases.csv, each time."""

import shutil
from pathlib import Path

import pytest

from host.errors import KitDigestError, KitError
from host.home import Home
from host.kits.data import check_data, data_folder, ensure_data
from host.kits.kit import read_kit
from tests.support.clean_kit import LISTING, SLICES, write_clean_kit
from tests.support.memory_engine import MemoryEngine
from tests.support.tiny_host import TinyHost


def test_case_files_that_were_made_are_checked_and_not_made_again(host: TinyHost) -> None:
    said: list[str] = []
    assert ensure_data(host.home, host.kit, host.engine, say=said.append) == data_folder(host.home, host.kit)
    assert said == ["check the digests of 5 case files"]
    assert host.engine.ran == []


def test_one_flipped_bit_of_a_reference_is_found(host: TinyHost) -> None:
    path = data_folder(host.home, host.kit) / "reference" / "cube-2.nii"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(KitDigestError, match=r"reference/cube-2\.nii has digest") as refused:
        check_data(host.home, host.kit)
    assert "to make the files again" in refused.value.hint


def test_a_source_that_is_not_the_declared_one_makes_nothing(host: TinyHost) -> None:
    shutil.rmtree(data_folder(host.home, host.kit))
    (host.kit.path / "cubes.json").write_text("[]")
    with pytest.raises(KitDigestError, match="source cubes"):
        ensure_data(host.home, read_kit(host.kit.path), host.engine, say=lambda line: None)
    assert not data_folder(host.home, host.kit).exists()
    assert list(host.home.runs.iterdir()) == []


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", tmp_path / "cache")
    home.ensure()
    return home


def made(home: Home, kit: Path) -> Path:
    return ensure_data(home, read_kit(kit), MemoryEngine(), say=lambda line: None)


def test_a_kit_without_a_generator_is_made_of_its_sources_and_its_own_files(
    home: Home, tmp_path: Path
) -> None:
    kit = write_clean_kit(tmp_path / "kit")
    data = made(home, kit)
    assert (data / "source" / "scan.nii").read_bytes() == (kit / "scan.nii").read_bytes()
    assert (data / "local" / "reference" / "mask.nii").is_file()
    series = data / "source" / "series"
    assert {one.name: one.read_bytes() for one in series.iterdir()} == SLICES
    assert all(one.stat().st_nlink == 1 for one in series.iterdir())


@pytest.mark.parametrize("name", ["scan.nii", "series/2.dcm", "reference/mask.nii"])
def test_one_other_byte_in_any_of_them_makes_nothing(home: Home, tmp_path: Path, name: str) -> None:
    kit = write_clean_kit(tmp_path / "kit")
    data = bytearray((kit / name).read_bytes())
    data[-1] ^= 1
    (kit / name).write_bytes(data)
    with pytest.raises(KitDigestError, match=Path(name).name):
        made(home, kit)
    assert list(home.kits.iterdir()) == []


def test_a_folder_with_a_file_more_a_file_less_or_a_link_is_another_folder(
    home: Home, tmp_path: Path
) -> None:
    kit = read_kit(write_clean_kit(tmp_path / "kit"))
    series = made(home, tmp_path / "kit") / "source" / "series"
    (series / "4.dcm").write_bytes(b"more")
    with pytest.raises(KitDigestError, match="source/series/ has digest"):
        check_data(home, kit)
    (series / "4.dcm").unlink()
    (series / "3.dcm").rename(tmp_path / "3.dcm")
    with pytest.raises(KitDigestError, match="source/series/ has digest"):
        check_data(home, kit)
    (series / "3.dcm").symlink_to(tmp_path / "3.dcm")
    with pytest.raises(KitDigestError, match=r"3\.dcm: not a regular file"):
        check_data(home, kit)


def test_a_case_file_behind_a_link_out_of_the_data_folder_is_missing(home: Home, tmp_path: Path) -> None:
    kit = read_kit(write_clean_kit(tmp_path / "kit"))
    local = made(home, tmp_path / "kit") / "local"
    (local / "reference").rename(tmp_path / "elsewhere")
    (local / "reference").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KitDigestError, match="case file local/reference/mask.nii is missing"):
        check_data(home, kit)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1.dcm,100", "1.dcm,99", "kit.toml declares 300 bytes"),
        ("1.dcm,100", "1.dcm,many", "bytes"),
        ("1.dcm,100", "../1.dcm,100", "file"),
        ("1.dcm,100", "2.dcm,100", "each file may stand once"),
    ],
)
def test_a_listing_that_is_not_the_declared_one_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    kit = write_clean_kit(tmp_path / "kit")
    text = (kit / LISTING).read_text()
    assert old in text
    (kit / LISTING).write_text(text.replace(old, new))
    with pytest.raises(KitError) as caught:
        read_kit(kit)
    assert LISTING in caught.value.message
    assert said in caught.value.message


def test_a_listing_is_under_the_kits_digest(tmp_path: Path) -> None:
    assert LISTING in read_kit(write_clean_kit(tmp_path / "kit")).contents
