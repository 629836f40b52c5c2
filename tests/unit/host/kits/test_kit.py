"""Kits are read as a whole: one wrong cell, file or name is one line that says where."""

import csv
import shutil
from pathlib import Path

import pytest

from host.errors import KitError
from host.kits.kit import read_kit
from plugin_spec.errors import InputError

KIT = Path(__file__).parents[4] / "validation_kits" / "brain-tissue-mni152"


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    copy = tmp_path / "kit"
    shutil.copytree(KIT, copy)
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def edit_case(kit: Path, number: int, **changes: str) -> None:
    path = kit / "cases.csv"
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    rows[number].update({key.replace("__", "."): value for key, value in changes.items()})
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_the_shipped_kit_fits_together() -> None:
    folder = read_kit(KIT)
    assert len(folder.cases) == 12
    assert {case.expected for case in folder.cases} == {"ok", "refused"}
    assert {case.subject_id for case in folder.cases} == {"MNI152"}


def test_the_smoke_subset_is_small_and_holds_a_refusal() -> None:
    smoke = read_kit(KIT).selected(smoke=True)
    assert len(smoke) <= 6
    assert "refused" in {case.expected for case in smoke}


@pytest.mark.parametrize(
    "name", ["kit.toml", "protocol.toml", "cases.csv", "make_kit.py", "requirements.txt"]
)
def test_any_changed_file_changes_the_kits_digest(kit: Path, name: str) -> None:
    before = read_kit(kit).kit_digest
    with (kit / name).open("a", encoding="utf-8") as stream:
        stream.write("# changed\n" if name != "cases.csv" else "")
    if name == "cases.csv":
        edit_case(kit, 0, stratum__level="other")
    assert read_kit(kit).kit_digest != before


def test_a_readme_is_no_part_of_the_evidence(kit: Path) -> None:
    before = read_kit(kit).kit_digest
    (kit / "README.md").write_text("other words")
    assert read_kit(kit).kit_digest == before


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"expected": "maybe"}, "expected"),
        ({"smoke": "perhaps"}, "smoke"),
        ({"value__gm_ml": "many"}, "value.gm_ml: 'many' is no number"),
        ({"value__gm_ml": "nan"}, "value.gm_ml: Input should be a finite number"),
        ({"in__t1": "../outside.nii"}, "path"),
        ({"in__t1__sha256": "sha256:0"}, "sha256"),
        ({"ref__tissue": "", "ref__tissue__sha256": ""}, "ref.tissue"),
        ({"stratum__perturbation": ""}, "stratum.perturbation"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(kit: Path, changes: dict[str, str], named: str) -> None:
    edit_case(kit, 0, **changes)
    with pytest.raises(KitError) as caught:
        read_kit(kit)
    assert "cases.csv" in caught.value.message
    assert named in caught.value.message


def test_a_repeated_case_is_refused(kit: Path) -> None:
    edit_case(kit, 1, case_id="clean-2mm")
    with pytest.raises(KitError, match="case_id repeated: clean-2mm"):
        read_kit(kit)


def test_a_row_of_another_width_is_refused(kit: Path) -> None:
    with (kit / "cases.csv").open("a", encoding="utf-8") as stream:
        stream.write("one,two\n")
    with pytest.raises(KitError, match="another number of cells"):
        read_kit(kit)


def test_a_protocol_of_another_kit_is_refused(kit: Path) -> None:
    edit(kit / "protocol.toml", 'version = "1.0.0"', 'version = "2.0.0"')
    with pytest.raises(KitError, match=r"is for brain-tissue-mni152 2\.0\.0"):
        read_kit(kit)


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("protocol.toml", 'metric = "dice_grey"', 'metric = "dice_gray"', "no metric 'dice_gray'"),
        ("protocol.toml", 'label = "grey_matter"', "", "a masks metric takes exactly"),
        ("protocol.toml", 'comparator = ">="', 'comparator = "=="', "comparator"),
        ("protocol.toml", 'unit = "%"', 'unit = "percent"', "not a known UCUM unit"),
        ("kit.toml", 'evidence = "derived"', 'evidence = "pacient"', "evidence"),
        (
            "kit.toml",
            'contract = "assay.kit/1"',
            'contract = "assay.kit/1"\nbogus = 1',
            "bogus: unknown field",
        ),
    ],
)
def test_a_wrong_field_is_named(kit: Path, file: str, old: str, new: str, named: str) -> None:
    edit(kit / file, old, new)
    with pytest.raises(InputError) as caught:
        read_kit(kit)
    assert file in caught.value.message
    assert named in caught.value.message


def test_a_missing_file_is_named(kit: Path) -> None:
    (kit / "make_kit.py").unlink()
    with pytest.raises(KitError, match=r"make_kit\.py: No such file"):
        read_kit(kit)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (
            'deidentification = "No',
            'citation = "Fonov 2011"\ndeidentification = "No',
            "dataset.citation is not of assay.kit/1",
        ),
        (
            'file = "mni_icbm152_t1',
            'licence = "MIT"\nfile = "mni_icbm152_t1',
            "sources.0.licence is not of assay.kit/1",
        ),
        (
            '[generator]\nscript = "make_kit.py"\nrequirements = "requirements.txt"',
            "",
            "generator is missing; only assay.kit/2 goes without",
        ),
        ('name = "gm"', 'name = "t1"', "sources: each name and each file may stand once"),
    ],
)
def test_a_kit_of_the_first_contract_stays_one(kit: Path, old: str, new: str, named: str) -> None:
    edit(kit / "kit.toml", old, new)
    with pytest.raises(KitError) as caught:
        read_kit(kit)
    assert named in caught.value.message


def test_the_second_contract_wants_licences_that_are_spdx(kit: Path) -> None:
    edit(kit / "kit.toml", "assay.kit/1", "assay.kit/2")
    with pytest.raises(KitError, match=r"dataset\.licence: write an SPDX expression"):
        read_kit(kit)
