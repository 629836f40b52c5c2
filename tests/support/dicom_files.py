"""Small DICOM instances, good and strange: a series of axial slices, two pixels wide."""

from pathlib import Path
from typing import Any

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
SERIES = "1.2.826.0.1.3680043.8.498.1"
FIELDS: dict[str, Any] = {
    "SOPClassUID": MR_IMAGE,
    "SeriesInstanceUID": SERIES,
    "StudyInstanceUID": "1.2.826.0.1.3680043.8.498.2",
    "Modality": "MR",
    "PatientName": "Doe^John",
    "PatientID": "12345",
    "PatientBirthDate": "19700101",
    "PatientSex": "F",
    "Manufacturer": "SIEMENS",
    "MagneticFieldStrength": 3.0,
    "EchoTime": 2.98,
    "AcquisitionDate": "20260301",
    "AcquisitionTime": "101500.25",
    "Rows": 2,
    "Columns": 3,
    "SamplesPerPixel": 1,
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 0,
    "PhotometricInterpretation": "MONOCHROME2",
    "PixelSpacing": [1.5, 1.25],
    "ImageOrientationPatient": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
}


def write_instance(
    path: Path, number: int = 1, *, syntax: str = ExplicitVRLittleEndian, **fields: Any
) -> Path:
    """Write slice ``number`` of the series, 2 mm apart, with fields replaced; ``None`` leaves a field out."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    data = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    place = [-10.0, -20.0, 30.0 + 2.0 * number]
    own = {"SOPInstanceUID": f"{SERIES}.{number}", "InstanceNumber": number, "ImagePositionPatient": place}
    for keyword, value in {**FIELDS, **own, **fields}.items():
        if value is not None:
            setattr(data, keyword, value)
    data.PixelData = b"\0" * 12
    meta.MediaStorageSOPClassUID = data.get("SOPClassUID", MR_IMAGE)
    meta.MediaStorageSOPInstanceUID = data.get("SOPInstanceUID", f"{SERIES}.{number}")
    data.save_as(path, enforce_file_format=True)
    return path


def write_series(folder: Path, count: int = 4, **fields: Any) -> Path:
    """A folder with a whole series; its file names give the order away to nobody."""
    folder.mkdir()
    for number in range(1, count + 1):
        write_instance(folder / f"DOE_JOHN_{(number * 7) % 11:02d}.dcm", number, **fields)
    return folder
