"""The DICOM UIDs of a kit's case files: of studies, series and instances."""

from pathlib import Path
from typing import Final

from host.errors import KitError
from host.kits.cases import KitCase
from host.kits.kit import KitFolder
from plugin_spec.errors import InputError

_STUDY: Final = "StudyInstanceUID"


def dicom_uids(folder: KitFolder, data: Path) -> dict[str, frozenset[str]]:
    """The UIDs in the DICOM series of every case; a case without a series has none.

    Parameters
    ----------
    folder : KitFolder
    data : Path
        The kit's data folder, checked.

    Raises
    ------
    KitError
        A file of a series is no DICOM file.
    """
    return {case.case_id: frozenset(_uids_of(case, data)) for case in folder.cases}


def _uids_of(case: KitCase, data: Path) -> set[str]:
    from host.cases.dicom import read_instance  # pydicom is slow to import, and few kits have series

    found: set[str] = set()
    for series in (file for files in case.inputs.values() for file in files if file.is_folder):
        for path in sorted((data / series.path).rglob("*")):
            if not path.is_file():
                continue
            try:
                instance = read_instance(path, f"{series.path}{path.name}", (_STUDY,))
            except InputError as error:
                raise KitError(f"case {case.case_id}: {error.message}", subject=case.case_id) from error
            found |= {instance.sop_instance, instance.series, str(instance.tags.get(_STUDY, ""))} - {""}
    return found
