import gzip
import io

import pytest

from host.images.gunzip import gunzipped

WHOLE = bytes(range(256)) * 5000


def test_several_streams_one_after_another_are_one_content():
    data = gzip.compress(WHOLE) + gzip.compress(b"the end")
    assert b"".join(gunzipped(io.BytesIO(data))) == WHOLE + b"the end"


def test_what_was_read_before_counts():
    data = gzip.compress(WHOLE)
    assert b"".join(gunzipped(io.BytesIO(data[9:]), head=data[:9])) == WHOLE


def test_a_small_file_that_stands_for_much_comes_in_bounded_pieces():
    pieces = list(gunzipped(io.BytesIO(gzip.compress(bytes(20 * 2**20)))))
    assert max(map(len, pieces)) <= 2**20


@pytest.mark.parametrize("kept", [4, 40, -1])
def test_a_stream_that_ends_too_early_is_refused(kept):
    with pytest.raises(EOFError, match="ends too early"):
        list(gunzipped(io.BytesIO(gzip.compress(WHOLE)[:kept])))
