"""Reads our PNG pictures back, by the rules of the standard (W3C PNG, third edition) and nothing of ours."""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and data of every chunk, each one's checksum compared (section 5.3)."""
    assert png[:8] == bytes([137, 80, 78, 71, 13, 10, 26, 10])
    found, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(kind + data)
        found.append((kind, data))
        at += 12 + length
    return found


def pixels(png: bytes) -> NDArray[Any]:
    """Red, green and blue of an unfiltered palette picture, shape (rows, columns, 3)."""
    parts = dict(chunks(png))
    columns, rows = struct.unpack_from(">II", parts[b"IHDR"])
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    palette = np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)
    return palette[lines[:, 1:]]
