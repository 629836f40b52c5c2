"""Raster pictures: a small palette image as PNG bytes (W3C PNG, third edition), for `data:` addresses."""

import struct
import zlib
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_COLOURS = 256


def palette_png(picture: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Write a picture of palette entries as PNG.

    Parameters
    ----------
    picture : ndarray of uint8, shape (rows, columns)
        Entries of the palette.
    palette : ndarray of uint8, shape (N, 3)
        Red, green, blue; at most 256 of them.

    Raises
    ------
    ValueError
        Another shape, or an entry that the palette does not have.
    """
    rows, columns = picture.shape
    if palette.ndim != 2 or palette.shape[1] != 3 or not 0 < len(palette) <= _PALETTE_COLOURS:
        raise ValueError(f"a palette of shape {palette.shape} is none")
    if picture.size == 0 or int(picture.max()) >= len(palette):
        raise ValueError("the picture is empty, or names a colour that the palette does not have")
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    filtered = np.zeros((rows, columns + 1), np.uint8)  # each row begins with its filter: none
    filtered[:, 1:] = picture
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette.astype(np.uint8).tobytes()),
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def data_address(png: bytes) -> str:
    """A picture as the address that shows it."""
    return "data:image/png;base64," + b64encode(png).decode()


def grey_levels(picture: NDArray[Any], low: float, high: float, levels: int) -> NDArray[np.uint8]:
    """Values between ``low`` and ``high`` as that many levels; what lies beyond takes the last one."""
    share = np.clip((picture.astype(np.float64) - low) / (high - low), 0, 1)
    return np.round(share * (levels - 1)).astype(np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
