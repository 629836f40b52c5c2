"""DICOM headers: what is judged is read, nothing that names a person is, and no file takes memory it has not."""

import struct
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
)

from host.cases.dicom import READ_BYTES_MAX, read_instance
from host.cases.errors import DicomError
from tests.support.dicom_files import MR_IMAGE, SERIES, write_instance


def read(path: Path, *keywords: str) -> Any:
    return read_instance(path, "file 1 of 1", keywords)


def test_an_instance_is_read_without_its_pixels(tmp_path: Path) -> None:
    one = read(write_instance(tmp_path / "a.dcm", 7))
    assert (one.sop_class, one.sop_instance, one.series) == (MR_IMAGE, f"{SERIES}.7", SERIES)
    assert (one.modality, one.number) == ("MR", 7)
    assert one.placement.spacing_mm == (1.5, 1.25)
    assert one.placement.position_mm == (-10.0, -20.0, 44.0)


def test_asked_for_values_come_in_the_units_of_bids(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm", ImageType=["ORIGINAL", "PRIMARY"], FlipAngle=9)
    tags = read(
        path,
        "EchoTime",
        "MagneticFieldStrength",
        "Manufacturer",
        "ImageType",
        "FlipAngle",
        "EffectiveEchoTime",
    ).tags
    assert tags["EchoTime"] == pytest.approx(0.00298)
    assert (tags["MagneticFieldStrength"], tags["Manufacturer"], tags["FlipAngle"]) == (3.0, "SIEMENS", 9.0)
    assert "ImageType" not in tags  # several values
    assert "EffectiveEchoTime" not in tags  # BIDS knows it, DICOM does not


def test_what_names_a_person_is_not_read_even_when_a_rule_asks(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm", OperatorsName="Roe^Jane", PatientAddress="12 Main Street")
    asked = ("PatientName", "PatientID", "PatientBirthDate", "OperatorsName", "PatientAddress", "PatientSex")
    assert set(asked) & set(read(path, *asked).tags) == {"PatientSex"}


@pytest.mark.parametrize("value", ["nan", "inf", "3T", ""])
def test_a_number_that_is_none_counts_as_missing_or_fails_by_name(tmp_path: Path, value: str) -> None:
    path = write_instance(tmp_path / "a.dcm")
    content = path.read_bytes().replace(b"3.0 ", value.encode().ljust(4)[:4])
    path.write_bytes(content)
    try:
        tags = read(path, "MagneticFieldStrength").tags
    except DicomError as error:
        assert error.message.startswith("file 1 of 1: ")
    else:
        assert not isinstance(tags.get("MagneticFieldStrength"), float)


def broken(path: Path, how: str) -> Path:
    content = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "text": b"this is a note\n" * 20,
            "without preamble": content[132:],
            "cut in the header": content[:300],
            "zeros": b"\0" * 1000,
            "preamble only": content[:132],
        }[how]
    )
    return path


@pytest.mark.parametrize(
    "how", ["empty", "text", "without preamble", "cut in the header", "zeros", "preamble only"]
)
def test_what_is_no_instance_is_one_line_without_a_path(tmp_path: Path, how: str) -> None:
    path = broken(write_instance(tmp_path / "Doe.dcm"), how)
    with pytest.raises(DicomError) as caught:
        read(path)
    assert caught.value.message.startswith("file 1 of 1: ")
    assert "Doe" not in caught.value.message
    assert "\n" not in caught.value.message


def test_a_deflated_header_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm", syntax=DeflatedExplicitVRLittleEndian)
    with pytest.raises(DicomError, match="deflated") as caught:
        read(path)
    assert "uncompressed" in caught.value.hint


def test_a_length_that_is_a_lie_takes_no_memory(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm", ImageComments="x" * 100)
    content = path.read_bytes()
    at = content.index(b"\x20\x00\x00\x40LT")  # (0020,4000) Image Comments
    lying = (
        content[:at] + b"\x20\x00\x00\x40UT\0\0" + struct.pack("<I", READ_BYTES_MAX * 100) + content[at + 8 :]
    )
    path.write_bytes(lying)
    with pytest.raises(DicomError, match="ends before its last pixel"):
        read(path, "ImageComments")
    meta = content.replace(b"\x02\x00\x02\x00UI", b"\x02\x00\x02\x00UT", 1)
    at = meta.index(b"\x02\x00\x02\x00UT") + 6
    path.write_bytes(meta[:at] + b"\0\0" + struct.pack("<I", READ_BYTES_MAX + 1) + meta[at + 2 :])
    with pytest.raises(DicomError, match="at once"):
        read(path)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("lost", [0, 1, 12])
def test_a_file_that_lost_its_last_pixels_is_told(tmp_path: Path, syntax: str, lost: int) -> None:
    path = write_instance(tmp_path / "a.dcm", syntax=syntax)
    path.write_bytes(path.read_bytes()[: path.stat().st_size - lost])
    if not lost:
        assert read(path).modality == "MR"
        return
    with pytest.raises(DicomError, match="ends before its last pixel") as caught:
        read(path)
    assert caught.value.hint == "copy or export the series again"


def test_a_value_with_control_characters_counts_as_missing(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"SIEMENS ", b"S\x1b[31m  "))
    assert "Manufacturer" not in read(path, "Manufacturer").tags


def test_a_long_value_is_skipped_where_it_stands(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm", TextValue="x" * 100_000)
    assert "TextValue" not in read(path, "TextValue").tags


def test_deep_nesting_is_an_answer_not_a_crash(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm")
    deep = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    content = path.read_bytes()
    at = content.index(b"\x08\x00\x60\x00CS")  # (0008,0060) Modality
    path.write_bytes(content[:at] + deep * 5000 + content[at:])
    with pytest.raises(DicomError):
        read(path)


def test_pixels_of_a_compressed_instance_count_as_they_are_uncompressed(tmp_path: Path) -> None:
    plain = write_instance(tmp_path / "a.dcm", Rows=1000, Columns=1000)
    assert read(plain).value_bytes == plain.stat().st_size
    packed = pydicom.dcmread(plain)
    packed.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    packed.PixelData = pydicom.encaps.encapsulate([b"\0" * 12])
    packed["PixelData"].is_undefined_length = True
    packed.save_as(tmp_path / "b.dcm")
    assert read(tmp_path / "b.dcm").value_bytes == 2_000_000


def test_an_instance_without_an_identity_is_refused(tmp_path: Path) -> None:
    path = write_instance(tmp_path / "a.dcm")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"\x08\x00\x18\x00UI", b"\x08\x00\x19\x00UI"))
    with pytest.raises(DicomError, match="no SOP instance UID"):
        read(path)
