"""A real DICOM series as one source: found by digest, placed as a folder, told by its UIDs."""

import shutil
from pathlib import Path

import pytest

from host.home import Home
from host.kits.data import ensure_data
from host.kits.identifiers import dicom_uids
from host.kits.kit import read_kit
from host.kits.leak import find_leaks
from host.kits.sources import files_digest
from plugin_spec.manifest import TrainingDataset, read_manifest
from registry.canonical import digest
from tests.support.clean_kit import LISTING, write_clean_kit
from tests.support.memory_engine import MemoryEngine
from tests.support.tiny import plugin_folder

pytestmark = pytest.mark.patient_data


@pytest.fixture
def series(data_root: Path) -> Path:
    """The MR series of soft-tissue sarcoma patient STS_008 (Vallieres 2015, CC-BY-3.0)."""
    return data_root / "ibsi_sts" / "dicom" / "STS_008" / "MR_T1" / "image"


def test_a_series_below_the_data_folder_becomes_a_case_and_a_leak_is_told_by_its_uid(
    series: Path, data_root: Path, tmp_path: Path
) -> None:
    files = {path.name: path.read_bytes() for path in sorted(series.iterdir())}
    kit = write_clean_kit(tmp_path / "kit")
    rows = [f"{name},{len(data)},{digest(data)}" for name, data in files.items()]
    (kit / LISTING).write_text("\n".join(["file,bytes,sha256", *rows]) + "\n")
    declared = (kit / "kit.toml").read_text()
    head, _, _ = declared.partition('uri = "local:series/"')
    whole = files_digest({name: digest(data) for name, data in files.items()})
    (kit / "kit.toml").write_text(
        f'{head}uri = "url:https://example.org/STS_008/"\nfile = "series/"\nlisting = "{LISTING}"\n'
        f'sha256 = "{whole}"\nbytes = {sum(map(len, files.values()))}\n'
    )
    shutil.rmtree(kit / "series")
    home = Home(tmp_path / "home", tmp_path / "cache", data_root)
    home.ensure()
    folder = read_kit(kit)
    data = ensure_data(home, folder, MemoryEngine(), say=lambda line: None)
    assert len(list((data / "source" / "series").iterdir())) == len(files)
    uids = dicom_uids(folder, data)["one"]
    assert len(uids) == len(files) + 2  # every instance, the series, the study
    manifest = read_manifest(plugin_folder(tmp_path / "plugin") / "plugin.toml")
    training = TrainingDataset(name="Sarcomas", source="a hospital", identifiers=(min(uids),))
    about = manifest.attribution.model_copy(update={"training_datasets": (training,)})
    learnt = manifest.model_copy(update={"attribution": about})
    found = find_leaks(folder, learnt, dicom_uids(folder, data)).found
    assert {one.case for one in found} == {"one", "two"}
    assert {one.what for one in found} == {f"DICOM UID {min(uids)}"}
