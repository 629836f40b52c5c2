"""Headers of DICOM instances from outside: the few attributes that are judged, or one line that says what is wrong.

Invariants: pixel data is never read; no single read is larger than `READ_BYTES_MAX`, whatever a length field says; a
deflated data set is refused, since it could inflate without bound; attributes that name a person are never returned.
"""

import logging
import math
import os
import threading
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement

from host.cases.errors import DicomError
from host.cases.sidecar import TagValue

READ_BYTES_MAX: Final = 16 * 1024 * 1024
# A value that is judged is short; a longer one is skipped where it stands.
_VALUE_BYTES_MAX: Final = 64 * 1024
_TEXT_MAX: Final = 4096
_KEYWORDS: Final = (
    "SOPClassUID SOPInstanceUID SeriesInstanceUID Modality InstanceNumber Rows Columns SamplesPerPixel NumberOfFrames "
    "BitsAllocated PixelSpacing ImageOrientationPatient ImagePositionPatient"
)
_DATES: Final = (
    "AcquisitionDateTime AcquisitionDate AcquisitionTime SeriesDate SeriesTime ContentDate ContentTime StudyDate "
    "StudyTime"
)
# DICOM measures times in milliseconds, BIDS in seconds; what the host compares is in BIDS' units.
_BIDS_FACTORS: Final[Mapping[str, float]] = {
    "EchoTime": 0.001,
    "InversionTime": 0.001,
    "RepetitionTime": 0.001,
}
_UNDEFINED_LENGTH: Final = 0xFFFFFFFF
_PATIENT_GROUP: Final = 0x0010
_IMPERSONAL: Final = frozenset({"PatientSex", "PatientAge", "PatientSize", "PatientWeight"})
_HINT: Final = "leave only the instances of the series in the folder, as they were exported"
# warnings.catch_warnings is not safe for threads; parsing holds the interpreter anyway.
_PARSING: Final = threading.Lock()

# What pydicom logs may hold values of the header; without a handler it would go to the terminal.
logging.getLogger("pydicom").addHandler(logging.NullHandler())

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Placement:
    """Where the slice of an instance lies: pixel counts, spacing (mm), row and column cosines, position (LPS mm)."""

    columns: int
    rows: int
    spacing_mm: Numbers
    orientation: Numbers
    position_mm: Numbers


@dataclass(frozen=True)
class Instance:
    """What one instance says of itself.

    Attributes
    ----------
    sop_class, sop_instance, series, modality : str
        Empty where missing, but for the second.
    number : int or None
    value_bytes : int
        Memory its pixels take uncompressed.
    placement : Placement or None
        Of a single-frame instance that says all of it.
    tags : mapping of str to bool, int, float or str
        Single values of the attributes that were asked for, in BIDS' units.
    """

    sop_class: str
    sop_instance: str
    series: str
    modality: str
    number: int | None
    value_bytes: int
    placement: Placement | None
    tags: Mapping[str, TagValue]


class _Careful:
    """A file whose every read is bounded."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.name = raw.name
        self.seek, self.tell, self.close = raw.seek, raw.tell, raw.close

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= READ_BYTES_MAX:
            raise _TooLarge
        return self._raw.read(size)


class _TooLarge(Exception):
    """The file asks for more memory than a header may take."""


def read_instance(path: Path, name: str, keywords: Iterable[str]) -> Instance:
    """Read the header of one instance.

    Parameters
    ----------
    path : Path
    name : str
        What errors call the file.
    keywords : iterable of str
        DICOM keywords that somebody wants the values of; others, such as BIDS' own, have none.

    Raises
    ------
    DicomError
        Not a DICOM file, damaged, deflated, or without a SOP instance UID.
    """
    wanted = {*_KEYWORDS.split(), *_DATES.split(), *keywords}
    tags = [tag for tag in map(tag_for_keyword, sorted(wanted)) if tag is not None]
    with path.open("rb") as raw, _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom only warns of is judged below, or not looked at
        try:
            data = pydicom.dcmread(
                _Careful(raw),
                stop_before_pixels=True,
                defer_size=_VALUE_BYTES_MAX,
                specific_tags=tags,
            )
            values = {element: _value(data, element) for element in sorted(wanted)}
            compressed = _compressed(data)
            whole = _is_whole(raw, *data.original_encoding)
        except _TooLarge as error:
            what = f"its header is deflated, or asks for more than {READ_BYTES_MAX} bytes at once"
            raise _fault(name, what, "export the series uncompressed") from error
        except Exception as error:  # pydicom passes on whatever its converters raise, which is an open set
            raise _fault(name, f"not a DICOM file that can be read ({type(error).__name__})") from error
    if not whole:
        raise _fault(name, "it ends before its last pixel", "copy or export the series again")
    if not isinstance(values["SOPInstanceUID"], str):
        raise _fault(name, "it has no SOP instance UID")
    return _instance(values, raw_bytes=path.stat().st_size, compressed=compressed)


def _is_whole(raw: BinaryIO, implicit: bool, little_endian: bool) -> bool:
    """Whether the file is as long as its elements say; compressed pixels do not say how long they are.

    Parameters
    ----------
    raw : file object
        Where parsing has stopped: at the pixel data, or at the end.
    implicit, little_endian : bool
        How elements are encoded.
    """
    position, size = raw.tell(), os.fstat(raw.fileno()).st_size
    if position >= size:
        return position == size
    head = raw.read(8 if implicit else 12)
    order: Literal["little", "big"] = "little" if little_endian else "big"
    length = int.from_bytes(head[-4:], order)
    return length == _UNDEFINED_LENGTH or position + len(head) + length <= size


def _instance(values: Mapping[str, Any], *, raw_bytes: int, compressed: bool) -> Instance:
    number = values["InstanceNumber"]
    return Instance(
        sop_class=_word(values["SOPClassUID"]),
        sop_instance=_word(values["SOPInstanceUID"]),
        series=_word(values["SeriesInstanceUID"]),
        modality=_word(values["Modality"]),
        number=number if isinstance(number, int) else None,
        value_bytes=_pixel_bytes(values) if compressed else raw_bytes,
        placement=_placement(values),
        tags={
            keyword: _in_bids_units(keyword, value)
            for keyword, value in values.items()
            if isinstance(value, TagValue)
        },
    )


def _in_bids_units(keyword: str, value: TagValue) -> TagValue:
    if keyword in _BIDS_FACTORS and not isinstance(value, str):
        return value * _BIDS_FACTORS[keyword]
    return value


def _value(data: Any, keyword: str) -> TagValue | Numbers | None:
    """One attribute: a single value, several numbers, or nothing that could be judged."""
    tag = tag_for_keyword(keyword)
    if tag is None or tag not in data:
        return None
    raw = data.get_item(tag, keep_deferred=True)
    if isinstance(raw, RawDataElement) and raw.value is None and raw.length > _VALUE_BYTES_MAX:
        return None
    element = data[tag]
    if element.VR == "PN" or (element.tag.group == _PATIENT_GROUP and keyword not in _IMPERSONAL):
        return None
    value = element.value
    if isinstance(value, str):
        return str(value) if 0 < len(value) <= _TEXT_MAX and value.isprintable() else None
    if _is_number(value):
        return _number(value)
    if isinstance(value, pydicom.multival.MultiValue) and all(_is_number(one) for one in value):
        numbers = tuple(_number(one) for one in value)
        return None if None in numbers else tuple(float(one) for one in numbers if one is not None)
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> int | float | None:
    if isinstance(value, int):
        return int(value)
    return float(value) if math.isfinite(value) else None


def _word(value: object) -> str:
    return value.strip("\0 ") if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _pixel_bytes(values: Mapping[str, Any]) -> int:
    bits = _count(values["Rows"]) * _count(values["Columns"]) * _count(values["BitsAllocated"])
    return bits * max(_count(values["SamplesPerPixel"]), 1) * max(_count(values["NumberOfFrames"]), 1) // 8


def _placement(values: Mapping[str, Any]) -> Placement | None:
    parts = [values[one] for one in ("PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient")]
    sizes = [len(part) if isinstance(part, tuple) else 0 for part in parts]
    if sizes != [2, 6, 3] or _count(values["NumberOfFrames"]) > 1:
        return None
    if not (_count(values["Rows"]) and _count(values["Columns"])):
        return None
    return Placement(values["Columns"], values["Rows"], *parts)


def _compressed(data: Any) -> bool:
    syntax = data.file_meta.get("TransferSyntaxUID") if hasattr(data, "file_meta") else None
    return syntax is not None and syntax.is_encapsulated


def _fault(name: str, what: str, hint: str = _HINT) -> DicomError:
    return DicomError(f"{name}: {what}", subject=name, hint=hint)
