"""Stable bytes: canonical JSON out (RFC 8785), strict JSON in, and the digests that name them.

Invariants
----------
* ``canonical_json`` emits; it never takes part in verification, which works on the bytes as received.
* ``parse_json`` accepts only what every JSON reader understands alike (I-JSON, RFC 7493).
"""

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Annotated, NoReturn, TypeAlias

import rfc8785
from pydantic import StringConstraints

from registry.errors import MalformedJsonError, UnsignableValueError

JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"
Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]

MAX_JSON_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64
MAX_SAFE_INTEGER = 2**53 - 1
_MAX_INTEGER_CHARACTERS = len("-999999999999999999999")


def canonical_json(value: object) -> bytes:
    """Serialise ``value`` as RFC 8785 canonical JSON.

    Parameters
    ----------
    value : JsonValue
        Tuples are written as arrays.

    Raises
    ------
    UnsignableValueError
        A non-finite float, an integer beyond 2**53 - 1, a lone surrogate, or a value JSON does not know.
    """
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type] # its value type is private; it checks at run time
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise UnsignableValueError(f"a value has no canonical JSON form: {error}") from error


def digest(data: bytes) -> str:
    """Return the content identity of ``data``: ``sha256:`` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def short(digest: str) -> str:
    """Return the first 12 hexadecimal digits of a digest, for people to read; never compare these."""
    return digest.removeprefix("sha256:")[:12]


def parse_json(data: bytes, *, where: str, limit: int = MAX_JSON_BYTES) -> JsonValue:
    """Read outside bytes as strict JSON.

    Parameters
    ----------
    data : bytes
        UTF-8 without a byte order mark.
    where : str
        What the bytes are, for the error line: a file name, "envelope", "statement".
    limit : int, optional
        The most bytes to accept.

    Raises
    ------
    MalformedJsonError
        Too large, not UTF-8, a byte order mark, not JSON, a duplicate key, NaN or Infinity, a number that a
        double cannot hold, a lone surrogate, or nesting deeper than 64.
    """
    if len(data) > limit:
        raise MalformedJsonError(f"{where}: {len(data)} bytes exceed the limit of {limit}", subject=where)
    try:
        text = data.decode("utf-8")
        value: JsonValue = json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_safe_integer,
            parse_float=_finite_float,
            parse_constant=_no_constant,
        )
        # Without so many brackets nothing is nested so deep, and without escapes UTF-8 holds no lone surrogate.
        if text.count("{") + text.count("[") > MAX_DEPTH or "\\u" in text:
            _check_tree(value)
    except RecursionError as error:
        raise MalformedJsonError(f"{where}: nested deeper than {MAX_DEPTH}", subject=where) from error
    except ValueError as error:  # includes UnicodeDecodeError and JSONDecodeError (a byte order mark, too)
        raise MalformedJsonError(f"{where}: not strict JSON: {error}", subject=where) from error
    return value


def _unique_keys(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:40]!r} appears twice in one object")
        found[key] = value
    return found


def _safe_integer(text: str) -> int | float:
    # The length is checked first: converting a long digit string takes quadratic time.
    if len(text) <= _MAX_INTEGER_CHARACTERS:
        value = int(text)
        if abs(value) <= MAX_SAFE_INTEGER:
            return value
        # RFC 8785 writes doubles below 1e21 without an exponent; one that is written so was a double.
        if rfc8785.dumps(float(value)) == text.encode():
            return float(value)
    raise ValueError(f"the integer {text[:_MAX_INTEGER_CHARACTERS]} is beyond 2**53 - 1")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is beyond the range of a double")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _check_tree(value: JsonValue) -> None:
    """Refuse what the parser's hooks cannot see: depth and lone surrogates."""
    level: list[JsonValue] = [value]
    for depth in range(MAX_DEPTH + 1):
        for text in (item for item in level if isinstance(item, str)):
            text.encode("utf-8")
        if depth == MAX_DEPTH and any(isinstance(item, dict | list) for item in level):
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        level = [child for item in level for child in _children(item)]


def _children(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list):
        yield from value
