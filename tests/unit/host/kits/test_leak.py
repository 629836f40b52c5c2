"""A plugin is not judged by what it learnt from: files, images, data sets and subjects are each told."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from host.errors import KitError, KitLeakError
from host.kits.cases import CaseFile
from host.kits.identifiers import dicom_uids
from host.kits.kit import KitFolder, read_kit
from host.kits.leak import EVERY_CASE, find_leaks, require_no_leak
from host.reports.sections import LeakSection
from plugin_spec.manifest import Manifest, TrainingDataset, read_manifest
from tests.support.dicom_files import SERIES, write_series
from tests.support.tiny import kit_folder, plugin_folder

STUDY = "1.2.826.0.1.3680043.8.498.2"


@pytest.fixture
def kit(tmp_path: Path) -> KitFolder:
    folder = read_kit(kit_folder(tmp_path / "kit"))
    dataset = folder.kit.dataset.model_copy(
        update={
            "title": "Open MS data (longitudinal)",
            "doi": "10.1000/open-ms",
            "other_names": ("Lesjak 2016",),
        }
    )
    return replace(folder, kit=folder.kit.model_copy(update={"dataset": dataset}))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return read_manifest(plugin_folder(tmp_path / "plugin") / "plugin.toml")


def trained(manifest: Manifest, **fields: Any) -> Manifest:
    """The manifest with one declared training data set."""
    training = TrainingDataset.model_validate(
        {"name": "Some other set", "source": "https://example.org", **fields}
    )
    about = manifest.attribution.model_copy(update={"training_datasets": (training,)})
    return manifest.model_copy(update={"attribution": about})


def said(manifest: Manifest, training_data: str) -> Manifest:
    about = manifest.attribution.model_copy(update={"training_data": training_data})
    return manifest.model_copy(update={"attribution": about})


def overlaps(section: LeakSection) -> list[tuple[str, str]]:
    return [(one.case, one.what) for one in section.found]


def test_a_plugin_that_learnt_from_nothing_is_clear_and_one_that_does_not_say_cannot_be_told(
    kit: KitFolder, manifest: Manifest
) -> None:
    for words, declared in (
        ("None: thresholds are fixed.", True),
        ("Not known.", False),
        ("Private scans.", False),
        ("Nonesuch hospital", False),
    ):
        section = find_leaks(kit, said(manifest, words), {})
        assert (section.declared, section.training_data, section.found) == (declared, (words,), ())


def test_another_data_set_is_clear_and_the_report_says_what_was_compared(
    kit: KitFolder, manifest: Manifest
) -> None:
    section = find_leaks(kit, trained(manifest, digests=(f"sha256:{'7' * 64}",)), {"cube-2": frozenset("ab")})
    assert (section.declared, section.found) == (True, ())
    assert "1 declared digests with 6 of the kit's" in section.compared[0]
    assert "0 declared identifiers with 2 DICOM UIDs" in section.compared[0]
    require_no_leak(kit, manifest, section)


def test_a_case_file_and_a_source_are_told_by_their_digests_and_no_other_digest_is(
    kit: KitFolder, manifest: Manifest
) -> None:
    (image,) = kit.cases[1].inputs["scan"]
    source = kit.source_files[0].pinned.sha256
    section = find_leaks(kit, trained(manifest, digests=(image.sha256, source)), {})
    assert {case for case, _ in overlaps(section)} == {"cube-3", EVERY_CASE}
    twin = image.sha256[:-1] + ("0" if image.sha256[-1] != "0" else "1")
    assert find_leaks(kit, trained(manifest, digests=(twin,)), {}).found == ()


def test_an_image_is_told_by_any_of_its_uids(kit: KitFolder, manifest: Manifest) -> None:
    uids = {"cube-2": frozenset({"1.2.3", "1.2.4"}), "cube-3": frozenset({"1.2.5"})}
    section = find_leaks(kit, trained(manifest, identifiers=("1.2.5", "1.2.30")), uids)
    assert overlaps(section) == [("cube-3", "DICOM UID 1.2.5")]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Open MS Data"},
        {"name": "open-ms-data"},
        {"name": "Lesjak 2016"},
        {"doi": "10.1000/OPEN-MS"},
        {"source": "downloaded from https://doi.org/10.1000/open-ms."},
        {"source": "doi:10.1000/open-ms"},
    ],
)
def test_the_same_data_set_is_told_by_name_or_doi_and_refused(
    kit: KitFolder, manifest: Manifest, fields: dict[str, str]
) -> None:
    section = find_leaks(kit, trained(manifest, **fields), {})
    assert overlaps(section) == [(EVERY_CASE, "the data set 'Open MS data (longitudinal)'")]
    with pytest.raises(KitLeakError, match="learnt from .* and tiny-cubes holds the same") as refused:
        require_no_leak(kit, manifest, section)
    assert "subject_ids" in refused.value.hint


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "MS"},
        {"name": "Open MS data of another year"},
        {"doi": "10.1000/open-ms-2"},
        {"source": "doi:10.1000/open-ms-2"},
    ],
)
def test_a_name_that_only_resembles_it_is_another_data_set(
    kit: KitFolder, manifest: Manifest, fields: dict[str, str]
) -> None:
    assert find_leaks(kit, trained(manifest, **fields), {}).found == ()


def test_a_name_that_is_part_of_the_title_is_told_rather_than_let_through(
    kit: KitFolder, manifest: Manifest
) -> None:
    assert find_leaks(kit, trained(manifest, name="Longitudinal"), {}).found


def test_other_subjects_of_the_same_data_set_are_clear_and_the_same_ones_are_not(
    kit: KitFolder, manifest: Manifest
) -> None:
    same = {"doi": "10.1000/open-ms"}
    assert find_leaks(kit, trained(manifest, **same, subject_ids=("p01", "p02")), {}).found == ()
    section = find_leaks(kit, trained(manifest, **same, subject_ids=("p01", "cube")), {})
    assert {what for _, what in overlaps(section)} == {"subject cube"}


def test_subjects_of_the_same_name_in_another_data_set_are_other_people(
    kit: KitFolder, manifest: Manifest
) -> None:
    assert find_leaks(kit, trained(manifest, subject_ids=("cube",)), {}).found == ()


def test_the_uids_of_study_series_and_instances_are_read(kit: KitFolder, tmp_path: Path) -> None:
    write_series(tmp_path / "series", count=2)
    with_series = kit.cases[0].model_copy(
        update={"inputs": {"ct": (CaseFile(path="series/", sha256=f"sha256:{'0' * 64}"),)}}
    )
    found = dicom_uids(replace(kit, cases=(with_series, kit.cases[1])), tmp_path)
    assert found == {
        "cube-2": {SERIES, STUDY, f"{SERIES}.1", f"{SERIES}.2"},
        "cube-3": frozenset(),
    }


def test_a_file_of_a_series_that_is_none_is_one_line(kit: KitFolder, tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "1.dcm").write_bytes(b"no DICOM")
    broken = kit.cases[0].model_copy(
        update={"inputs": {"ct": (CaseFile(path="series/", sha256=f"sha256:{'0' * 64}"),)}}
    )
    with pytest.raises(KitError, match=re.escape("case cube-2: ")):
        dicom_uids(replace(kit, cases=(broken,)), tmp_path)
