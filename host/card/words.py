"""Single facts of a manifest in words: units, numbers, ranges, tags."""

import re
from collections.abc import Iterable
from typing import Final

from plugin_spec.codes import UCUM_UNITS, Concept

# Units that read badly as they are coded.
_SPOKEN: Final = {
    "1": "",
    "{arbitrary}": "arbitrary units",
    "{voxel}": "voxels",
    "{lesion}": "lesions",
    "{probability}": "",
    "{SUVR}": "SUVR",
    "{CL}": "Centiloid",
    "[hnsf'U]": "HU",
    "mo": "months",
    "a": "years",
    "d": "days",
    "h": "hours",
    "deg": "degrees",
}
_TAGS: Final = {
    "geometry.spacing_min_mm": "smallest voxel edge",
    "geometry.spacing_max_mm": "largest voxel edge",
    "geometry.extent_min_mm": "shortest side of the image",
    "geometry.extent_max_mm": "longest side of the image",
    "geometry.voxels": "number of voxels",
}
_WORDS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
MODALITIES: Final = {
    "MR": "MR",
    "CT": "CT",
    "PT": "PET",
    "NM": "nuclear medicine",
    "US": "ultrasound",
    "XA": "X-ray angiography",
    "OT": "other",
}


def number(value: float) -> str:
    """A number as people write it: thousands apart, no more digits than it has."""
    return f"{int(value):,}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.10g}"


def quantity(value: float, unit: str | None) -> str:
    """A number with its unit."""
    return f"{number(value)} {spoken(unit)}".strip()


def spoken(unit: str | None) -> str:
    """A UCUM unit as it is said after a number."""
    return _SPOKEN.get(unit or "1", unit or "")


def unit_name(unit: str) -> str:
    """A UCUM unit with its name: ``mL (millilitre)``."""
    return UCUM_UNITS[unit] if unit in _SPOKEN else f"{unit} ({UCUM_UNITS[unit]})"


def span(low: float | None, high: float | None, unit: str | None) -> str:
    """A range in words; empty without bounds."""
    if low is not None and high is not None:
        return f"{number(low)} to {quantity(high, unit)}"
    if low is not None:
        return f"at least {quantity(low, unit)}"
    return f"at most {quantity(high, unit)}" if high is not None else ""


def tag_words(tag: str) -> str:
    """A domain rule's tag in words: a DICOM keyword with its words apart, a geometry as what it measures."""
    if tag in _TAGS:
        return _TAGS[tag]
    words = [word if word.isupper() and len(word) > 1 else word.lower() for word in _WORDS.findall(tag)]
    return f"{' '.join(words)} ({tag})" if len(words) > 1 else tag


def coded(concept: Concept | None) -> str:
    """A coded concept: ``Brain (SCT 12738006)``."""
    return f"{concept.meaning} ({concept.scheme} {concept.value})" if concept is not None else "not coded"


def listed(items: Iterable[str], word: str = "and") -> str:
    """Items in a row: ``a, b and c``."""
    found = list(items)
    return f"{', '.join(found[:-1])} {word} {found[-1]}" if len(found) > 1 else "".join(found)


def sized(size: int) -> str:
    """A size in bytes as people say it."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} bytes"


def lasting(seconds: int) -> str:
    """A time as people say it."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def mebibytes(size: float) -> str:
    """A size in MiB, in GiB where that is rounder."""
    return f"{size / 1024:g} GiB" if size >= 1024 and size % 512 == 0 else f"{size:g} MiB"
