"""Canonical JSON against RFC 8785's published samples; strict reading against everything it must refuse."""

import json
import struct

import pytest
from pydantic import TypeAdapter, ValidationError

from registry.canonical import MAX_DEPTH, Digest, canonical_json, digest, parse_json, short
from registry.errors import MalformedJsonError, UnsignableValueError

# RFC 8785 appendix B: IEEE 754 bits and the text they must have.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}
# RFC 8785 section 3.2.2, and the sorting sample of cyberphone/json-canonicalization (Apache-2.0).
VALUES_IN = rb"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
VALUES_OUT = (
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
    '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
)
WEIRD_IN = rb"""{
  "\u20ac": "Euro Sign", "1": "One", "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley",
  "\u00f6": "Latin Small Letter O With Diaeresis", "\ufb33": "Hebrew Letter Dalet With Dagesh",
  "</script>": "Browser Challenge"
}"""
WEIRD_OUT = (
    '{"1":"One","</script>":"Browser Challenge","\x80":"Control\x7f",'
    '"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",'
    '"😂":"Smiley","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
)


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_rfc_8785_appendix_b_says(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(number) == text.encode()


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_every_number_that_is_written_can_be_read_back(bits: str, text: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert parse_json(text.encode(), where="sample") == number


@pytest.mark.parametrize(("source", "expected"), [(VALUES_IN, VALUES_OUT), (WEIRD_IN, WEIRD_OUT)])
def test_the_published_documents_get_their_published_form(source: bytes, expected: str) -> None:
    assert canonical_json(parse_json(source, where="sample")) == expected.encode()


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        2**53,
        -(2**53),
        "\ud800",
        {"\udfff": 1},
        {1: 2},
        b"x",
        {1, 2},
    ],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(UnsignableValueError):
        canonical_json({"value": value})


@pytest.mark.attack("JSON that readers understand differently")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":{"b":1,"\\u0062":2}}', "twice"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"1e999", "double"),
        (b"9007199254740993", "2**53"),
        (b"9" * 5000, "2**53"),
        (b'"\\ud800"', "surrogates"),
        (b'{"\\udc00":1}', "surrogates"),
        (b'"\xff"', "utf-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        ('{"a":1}'.encode("utf-16"), "utf-8"),
        (b"", "Expecting value"),
        (b"{} {}", "Extra data"),
        (b"{'a':1}", "property name"),
        (b'{"a":1,}', "property name"),
        (b'"a\nb"', "control character"),
        (b"01", "Extra data"),
    ],
)
def test_what_readers_could_understand_differently_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(MalformedJsonError, match=r"^kit\.json: ") as caught:
        parse_json(data, where="kit.json")
    assert said in caught.value.message
    assert caught.value.code == "malformed-json"


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 5_000, 200_000])
def test_deep_nesting_is_refused_at_any_depth(depth: int) -> None:
    with pytest.raises(MalformedJsonError, match="nested deeper than 64"):
        parse_json(b"[" * depth + b"]" * depth, where="bomb")


def test_nesting_up_to_the_limit_is_read() -> None:
    value = parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, where="deep")
    assert json.dumps(value) == "[" * MAX_DEPTH + "]" * MAX_DEPTH


def test_more_bytes_than_the_limit_are_refused() -> None:
    assert parse_json(b"[1]", where="small", limit=3) == [1]
    with pytest.raises(MalformedJsonError, match="limit of 2"):
        parse_json(b"[1]", where="small", limit=2)


def test_a_digest_is_the_sha256_of_the_bytes() -> None:
    # FIPS 180-2 appendix B.1
    assert digest(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert short(digest(b"abc")) == "ba7816bf8f01"


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "A" * 64, "md5:" + "a" * 64, "sha256:" + "a" * 64 + "\n"]
)
def test_what_is_no_digest_is_refused_by_the_type(text: str) -> None:
    adapter = TypeAdapter(Digest)
    assert adapter.validate_python(digest(b""))
    with pytest.raises(ValidationError):
        adapter.validate_python(text)
