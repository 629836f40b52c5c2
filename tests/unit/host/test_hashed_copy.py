"""What is copied is what was read, and its digest is of those bytes, whatever the sizes of the pieces."""

import hashlib
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from host.hashed_copy import BUFFER_BYTES, copy_and_hash


def pieces(data: bytes, sizes: list[int]) -> Callable[[bytearray], int]:
    """A reader that gives ``data`` in pieces of at most these sizes, in turn."""
    state = {"at": 0, "piece": 0}

    def read_into(buffer: bytearray) -> int:
        size = min(sizes[state["piece"] % len(sizes)], len(buffer), len(data) - state["at"])
        buffer[:size] = data[state["at"] : state["at"] + size]
        state["at"] += size
        state["piece"] += 1
        return size

    return read_into


@pytest.mark.parametrize(
    "length", [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, 9 * BUFFER_BYTES + 7]
)
@pytest.mark.parametrize("sizes", [[BUFFER_BYTES], [BUFFER_BYTES, 3, 70_000], [100_000]], ids=str)
def test_the_copy_is_whole_and_the_digest_is_the_copy_s(
    length: int, sizes: list[int], tmp_path: Path
) -> None:
    data = random.Random(length).randbytes(length)
    with (tmp_path / "copy").open("xb", buffering=0) as writer:
        digest, size = copy_and_hash(pieces(data, sizes), writer)
    assert (tmp_path / "copy").read_bytes() == data
    assert (digest, size) == (f"sha256:{hashlib.sha256(data).hexdigest()}", length)


@pytest.mark.parametrize("after", [0, 1, 6])
def test_what_the_reader_raises_is_raised_and_no_thread_is_left(after: int, tmp_path: Path) -> None:
    before, given = threading.active_count(), []

    def read_into(buffer: bytearray) -> int:
        if len(given) == after:
            raise ValueError("no more")
        given.append(1)
        return len(buffer)

    with (tmp_path / "copy").open("xb", buffering=0) as writer, pytest.raises(ValueError, match="no more"):
        copy_and_hash(read_into, writer)
    assert threading.active_count() <= before + 1  # a thread that has nothing left to do may still be ending


def test_a_full_disk_is_raised_too() -> None:
    with Path("/dev/full").open("wb", buffering=0) as writer, pytest.raises(OSError, match="No space left"):
        copy_and_hash(len, writer)
