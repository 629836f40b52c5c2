from collections.abc import Iterator
from pathlib import Path

import pytest

from host.engines.container_log import new_log, write_bounded
from host.errors import LogFileError


def logged(path: Path, chunks: list[bytes], bytes_max: int) -> tuple[bool, bytes]:
    with new_log(path) as stream:
        truncated = write_bounded(chunks, stream, bytes_max=bytes_max)
    return truncated, path.read_bytes()


def test_a_log_of_just_the_bound_is_whole(tmp_path: Path) -> None:
    assert logged(tmp_path / "log", [b"abc", b"de"], 5) == (False, b"abcde")


def test_one_byte_more_is_cut_and_marked(tmp_path: Path) -> None:
    marker = b"\n[assay: log cut after 5 bytes; 1 more were dropped]\n"
    assert logged(tmp_path / "log", [b"abc", b"def"], 5) == (True, b"abcde" + marker)


def test_a_full_log_is_read_to_its_end_so_that_the_container_goes_on(tmp_path: Path) -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        for n in range(10):
            taken.append(n)
            yield b"xxxx"

    with new_log(tmp_path / "log") as stream:
        write_bounded(chunks(), stream, bytes_max=1)
    assert taken == list(range(10))


def test_a_log_is_never_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"evidence")
    with pytest.raises(LogFileError):
        new_log(tmp_path / "log")
    assert (tmp_path / "log").read_bytes() == b"evidence"
