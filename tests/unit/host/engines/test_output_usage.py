import os
from pathlib import Path

import pytest

from host.engines.output_usage import DEPTH_MAX, passes_limits

PAGE = 4096


def passes(folder: Path, *, bytes_max: int = 100 * PAGE, files_max: int = 100) -> bool:
    return passes_limits(folder, bytes_max=bytes_max, files_max=files_max)


def test_an_empty_folder_passes_no_limit(tmp_path: Path) -> None:
    assert not passes(tmp_path, bytes_max=0, files_max=0)


def test_sizes_are_summed_over_all_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_bytes(bytes(PAGE))
    (tmp_path / "2").write_bytes(bytes(PAGE))
    assert not passes(tmp_path, bytes_max=2 * PAGE)
    assert passes(tmp_path, bytes_max=2 * PAGE - 1)


def test_entries_of_every_kind_are_counted(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder" / "pipe")
    (tmp_path / "link").symlink_to("/")
    (tmp_path / "file").touch()
    assert not passes(tmp_path, files_max=4)
    assert passes(tmp_path, files_max=3)


def test_a_file_with_a_hole_counts_its_whole_size(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(200 * PAGE)
    assert passes(tmp_path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "outputs"
    outside.mkdir()
    folder.mkdir()
    (outside / "large").write_bytes(bytes(200 * PAGE))
    (folder / "folder").symlink_to(outside)
    (folder / "file").symlink_to(outside / "large")
    assert not passes(folder)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(outside)
    assert passes(folder), "the output folder itself must not be a link"


@pytest.mark.parametrize(("depth", "expected"), [(DEPTH_MAX, False), (DEPTH_MAX + 1, True)])
def test_folders_are_nested_to_a_bound(tmp_path: Path, depth: int, expected: bool) -> None:
    tmp_path.joinpath(*["d"] * depth).mkdir(parents=True)
    assert passes(tmp_path) is expected


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    tmp_path.joinpath("a", "b").mkdir(parents=True)
    before = os.listdir("/proc/self/fd")
    for files_max in (0, 1, 2):
        passes(tmp_path, files_max=files_max)
    assert os.listdir("/proc/self/fd") == before
