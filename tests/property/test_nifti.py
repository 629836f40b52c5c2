"""NIfTI reading: whatever the bytes, the answer is an image or one clear line."""

import gzip
import io
import math
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from host.cases.errors import ImageError
from host.cases.nifti import decode_header, decode_volume, decompressed
from host.cases.survey import survey_volume
from tests.support.nifti_files import FIELDS, nifti_bytes

GOOD = nifti_bytes()
BYTES_MAX = 1_000_000
# Fields rarely take their awkward values by chance, so some edits aim at them.
aimed = st.tuples(
    st.sampled_from([offset for offset, _ in FIELDS.values()]),
    st.sampled_from([struct.pack("<f", value) for value in (math.nan, math.inf, 1e38, 1e-40, -1.0, 0.0)]),
)
anywhere = st.tuples(st.integers(0, 351), st.binary(min_size=1, max_size=8))
edits = st.lists(aimed | anywhere, max_size=6)


def read(content, name):
    stream = decompressed(io.BytesIO(content), name)
    return decode_volume(stream, decode_header(stream, name), name, bytes_max=BYTES_MAX)


def check_answer(content, name):
    """An image that keeps the invariants, or an error that names the file in one line."""
    try:
        volume = read(content, name)
    except ImageError as error:
        assert error.message.startswith(f"{name}: ")
        assert "\n" not in error.message
    else:
        assert volume.data.shape == volume.grid.shape
        assert volume.data.nbytes <= BYTES_MAX
        assert np.isfinite(volume.data).all()


@given(edits)
@example([])
def test_an_edited_header_gives_an_image_or_a_clear_line(changes):
    content = bytearray(GOOD)
    for offset, patch in changes:
        content[offset : offset + len(patch)] = patch
    check_answer(bytes(content), "scan.nii")
    check_answer(gzip.compress(bytes(content)), "scan.nii.gz")


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_an_edited_compressed_stream_gives_an_image_or_a_clear_line(offset, patch):
    content = bytearray(gzip.compress(GOOD, mtime=0))
    content[offset : offset + len(patch)] = patch
    check_answer(bytes(content), "scan.nii.gz")


@given(st.binary(max_size=1000))
def test_arbitrary_bytes_give_a_clear_line(content):
    check_answer(content, "scan.nii")
    check_answer(content, "scan.nii.gz")
    check_answer(gzip.compress(content), "scan.nii.gz")


@given(edits, st.integers(0, 3))
@example([], 0)
def test_what_is_seen_piece_by_piece_is_what_is_read_whole(changes, cut):
    content = bytearray(GOOD)
    for offset, patch in changes:
        content[offset : offset + len(patch)] = patch
    content = bytes(content[: len(content) - cut])
    try:
        volume = read(content, "scan.nii")
    except ImageError as error:
        with pytest.raises(type(error)) as caught:
            look(content)
        assert caught.value.message == error.message
    else:
        seen = look(content)
        assert (seen.minimum, seen.maximum) == (volume.minimum, volume.maximum)


def look(content):
    stream = decompressed(io.BytesIO(content), "scan.nii")
    return survey_volume(stream, decode_header(stream, "scan.nii"), "scan.nii", bytes_max=BYTES_MAX)
