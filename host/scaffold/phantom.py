"""Images for what is new: bright balls on a dark ground, drawn by a formula. No person's.

Written without an image library, so that a new plugin or kit is written at once; NIfTI-1 of int16 voxels, (I, J, K)
with I running fastest, world frame RAS+ mm.
"""

import gzip
import struct
from collections.abc import Callable
from itertools import product
from typing import Final

EDGE: Final = 16
SPACING_MM: Final = 4.0
DARK, BRIGHT = 100, 1000
# Centre (voxel indices) and radius (voxels) of each ball.
Balls = tuple[tuple[tuple[int, int, int], float], ...]
BALLS: Final[Balls] = (((5, 5, 8), 3.0), ((11, 11, 6), 2.0))


def is_bright(i: int, j: int, k: int, *, balls: Balls = BALLS) -> bool:
    """Whether a voxel's centre lies in one of the balls."""
    return any((i - x) ** 2 + (j - y) ** 2 + (k - z) ** 2 <= radius**2 for (x, y, z), radius in balls)


def bright_voxels(balls: Balls = BALLS) -> int:
    """How many voxels are bright."""
    return sum(is_bright(*voxel, balls=balls) for voxel in product(range(EDGE), repeat=3))


def bright_ml(balls: Balls = BALLS) -> float:
    """What the bright voxels take up, in mL."""
    return bright_voxels(balls) * SPACING_MM**3 / 1000


def centres_lps_mm(balls: Balls) -> tuple[tuple[float, float, float], ...]:
    """The centres of the balls in patient coordinates (LPS, mm), as findings have them."""
    first_mm = -SPACING_MM * (EDGE - 1) / 2
    places = [tuple(first_mm + SPACING_MM * index for index in centre) for centre, _ in balls]
    return tuple((-x, -y, z) for x, y, z in places)


def phantom_image(balls: Balls = BALLS, *, below_zero: bool = False) -> bytes:
    """A compressed image of the balls; on a ground below 0, which no magnitude image has, if it is to be refused."""
    ground = -DARK if below_zero else DARK
    return _image(lambda *voxel: BRIGHT if is_bright(*voxel, balls=balls) else ground, "phantom, no person")


def mask_image(balls: Balls = BALLS) -> bytes:
    """A compressed image of 1 in the balls and 0 elsewhere."""
    return _image(lambda *voxel: int(is_bright(*voxel, balls=balls)), "bright voxels of the phantom")


def test_images() -> dict[str, bytes]:
    """File name to compressed image, for a new plugin's tests."""
    return {
        "phantom.nii.gz": phantom_image(),
        "mask.nii.gz": mask_image(),
        "negative.nii.gz": phantom_image(below_zero=True),
    }


def _image(value: Callable[[int, int, int], int], description: str) -> bytes:
    header = bytearray(352)  # 348, and four bytes that say: no extension
    first_mm = -SPACING_MM * (EDGE - 1) / 2
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, EDGE, EDGE, EDGE, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 4, 16)  # int16
    struct.pack_into("<8f", header, 76, 1, SPACING_MM, SPACING_MM, SPACING_MM, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, 1, 0)  # offset of the voxels, slope, intercept
    struct.pack_into("<b", header, 123, 2)  # mm
    struct.pack_into("<80s", header, 148, description.encode())
    struct.pack_into("<2h", header, 252, 0, 2)  # the sform holds the frame: aligned
    for row in range(3):
        axes = [SPACING_MM if row == column else 0.0 for column in range(3)]
        struct.pack_into("<4f", header, 280 + 16 * row, *axes, first_mm)
    struct.pack_into("<4s", header, 344, b"n+1")
    voxels = (value(i, j, k) for k, j, i in product(range(EDGE), repeat=3))
    return gzip.compress(bytes(header) + struct.pack(f"<{EDGE**3}h", *voxels), mtime=0)
