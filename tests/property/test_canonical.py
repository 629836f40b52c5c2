"""Canonical JSON has one form per value, and strict reading gives the value back."""

import json

from hypothesis import given
from hypothesis import strategies as st

from registry.canonical import canonical_json, parse_json
from registry.errors import MalformedJsonError

TEXT = st.text(st.characters(codec="utf-8"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@given(VALUES)
def test_what_is_written_is_read_back_as_the_same_value(value: object) -> None:
    assert parse_json(canonical_json(value), where="generated") == value


@given(VALUES)
def test_reading_and_writing_again_gives_the_same_bytes(value: object) -> None:
    data = canonical_json(value)
    assert canonical_json(parse_json(data, where="generated")) == data


@given(st.dictionaries(TEXT, SCALARS, min_size=2))
def test_the_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@given(VALUES)
def test_a_reader_that_knows_only_doubles_understands_the_same(value: object) -> None:
    assert json.loads(canonical_json(value), parse_int=float) == value


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused_by_name(data: bytes) -> None:
    try:
        value = parse_json(data, where="fuzz")
    except MalformedJsonError:
        return
    assert json.loads(data) == value
