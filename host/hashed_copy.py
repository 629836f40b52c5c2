"""Copy a stream and hash it in the same pass, in hardly more time than hashing takes.

One thread reads and writes while the caller's hashes, which takes longest; none of the three holds Python's lock.
"""

import hashlib
from collections.abc import Callable
from io import FileIO
from queue import SimpleQueue
from typing import Final

from host.engines.background import in_background

BUFFER_BYTES: Final = 1024 * 1024
_BUFFERS: Final = 4

# A buffer and how much of it is filled; ``None`` ends the traffic.
_Free = SimpleQueue[bytearray | None]
_Filled = SimpleQueue[tuple[bytearray, int] | None]


def copy_and_hash(read_into: Callable[[bytearray], int], writer: FileIO) -> tuple[str, int]:
    """Copy what a reader gives to a writer.

    Parameters
    ----------
    read_into : callable
        Fills a buffer as far as it can and returns the number of bytes, 0 at the end. What it raises is raised here.
    writer : file
        Unbuffered; takes the bytes in order.

    Returns
    -------
    digest : str
        ``sha256:`` and 64 hexadecimal digits.
    size : int
        Bytes copied.
    """
    hasher, size = hashlib.sha256(), 0
    free: _Free = SimpleQueue()
    filled: _Filled = SimpleQueue()
    first = bytearray(BUFFER_BYTES)
    count = read_into(first)
    if (
        count < BUFFER_BYTES
    ):  # a small file, or the first part of a slow one: a thread would cost more than it saves
        while count:
            hasher.update(memoryview(first)[:count])
            _write(writer, memoryview(first)[:count])
            size, count = size + count, read_into(first)
        return f"sha256:{hasher.hexdigest()}", size
    for _ in range(_BUFFERS - 1):
        free.put(bytearray(BUFFER_BYTES))
    copying = in_background(lambda: _copy(first, read_into, writer, free, filled))
    try:
        while (part := filled.get()) is not None:
            buffer, count = part
            hasher.update(memoryview(buffer)[:count])
            size += count
            free.put(buffer)
    finally:
        free.put(None)
    copying.result()
    return f"sha256:{hasher.hexdigest()}", size


def _copy(
    first: bytearray,
    read_into: Callable[[bytearray], int],
    writer: FileIO,
    free: _Free,
    filled: _Filled,
) -> None:
    buffer: bytearray | None = first
    count = len(first)
    try:
        while buffer is not None and count:
            _write(writer, memoryview(buffer)[:count])
            filled.put((buffer, count))
            buffer = free.get()
            count = 0 if buffer is None else read_into(buffer)
    finally:
        filled.put(None)


def _write(writer: FileIO, data: memoryview) -> None:
    while data:
        data = data[writer.write(data) or 0 :]
