"""Inflate what was compressed with gzip, a bounded piece at a time."""

import zlib
from collections.abc import Iterator
from typing import IO, Final

GZIP: Final = b"\x1f\x8b"
_PIECE_BYTES: Final = 1024 * 1024


def gunzipped(stream: IO[bytes], *, head: bytes = b"") -> Iterator[bytes]:
    """Yield what a compressed stream inflates to.

    Parameters
    ----------
    stream : file object
    head : bytes, optional
        What was read of it before.

    Raises
    ------
    EOFError
        It ends too early.
    zlib.error
        It is damaged.
    """
    inflater = zlib.decompressobj(wbits=31)
    block = head or stream.read(_PIECE_BYTES)
    while block:
        if inflater.eof:
            # Compressors that work in parallel write several streams one after another.
            inflater = zlib.decompressobj(wbits=31)
        # Bounded per step: a small file may inflate to terabytes.
        yield inflater.decompress(block, _PIECE_BYTES)
        block = inflater.unconsumed_tail or inflater.unused_data or stream.read(_PIECE_BYTES)
    yield inflater.flush()
    if not inflater.eof:
        raise EOFError("a compressed layer ends too early")
