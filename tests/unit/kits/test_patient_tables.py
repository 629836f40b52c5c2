"""The two kits made of tables of patients: their generators, on small tables of our own, and what the kits declare."""

import csv
import json
from pathlib import Path

import pytest

from host.kits.kit import KitFolder, read_kit
from tests.support.scripts import ROOT, load_script

aspirates = load_script("validation_kits/fna-wdbc-odd-rows/make_kit.py")
recurrences = load_script("validation_kits/npi-gbsg2/make_kit.py")


def made(script: object, folder: Path) -> list[dict[str, str]]:
    """Run a generator on what lies in ``folder``; its table of cases."""
    script.main(folder, folder / "out", folder / "cases.csv")  # type: ignore[attr-defined]  # a script
    with (folder / "cases.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def wisconsin(tmp_path: Path) -> Path:
    """Twelve rows; the area rises with the row, and every third is malignant (0)."""
    rows = []
    for row in range(1, 13):
        cells = [10.0] * 30
        cells[23], cells[24] = 100.0 * row, 0.12
        rows.append(",".join(map(str, cells)) + f",{int(row % 3 != 0)}")
    (tmp_path / "breast_cancer.csv").write_text("\n".join(["12,30,malignant,benign", *rows]) + "\n")
    return tmp_path


def test_the_kit_of_aspirates_holds_the_odd_rows_only(wisconsin: Path) -> None:
    rows = made(aspirates, wisconsin)
    assert [one["case_id"] for one in rows[:6]] == [f"row-{number:03d}" for number in (1, 3, 5, 7, 9, 11)]
    assert [one["class.finding"] for one in rows[:6]] == [
        "benign",
        "malignant",
        "benign",
        "benign",
        "malignant",
        "benign",
    ]
    assert [one["stratum.nuclei"] for one in rows[:6]] == [
        "small",
        "small",
        "middle",
        "middle",
        "large",
        "large",
    ]


def test_each_spoilt_case_has_one_thing_wrong_and_must_be_refused(wisconsin: Path) -> None:
    rows = made(aspirates, wisconsin)[6:]
    assert {(one["expected"], one["evidence"], one["class.finding"]) for one in rows} == {
        ("refused", "derived", "")
    }
    files = {one["case_id"]: json.loads((wisconsin / "out" / one["in.features"]).read_text()) for one in rows}
    assert files["area-in-square-millimetres"]["area_worst"] == 0.0001
    assert "texture_mean" not in files["no-texture"]
    assert files["smoothness-in-percent"]["smoothness_worst"] == 12.0


def test_a_woman_outside_what_was_published_for_the_index_is_to_be_refused(tmp_path: Path) -> None:
    header = "horTh,age,menostat,tsize,tgrade,pnodes,progrec,estrec,time,cens"
    women = [
        "no,70,Post,45,III,4,0,0,100,1",  # 0.9 + 3 + 3 = 6.9
        "yes,71,Post,20,II,1,0,0,200,0",
        "no,40,Pre,46,III,4,0,0,300,1",  # 6.92
        "no,40,Pre,120,I,4,0,0,300,1",  # 2.4 + 3 + 1 = 6.4
    ]
    (tmp_path / "gbsg2.csv").write_text("\n".join([header, *women]) + "\n")
    rows = made(recurrences, tmp_path)
    assert [one["expected"] for one in rows] == ["ok", "refused", "refused", "ok"]
    first = {name: rows[0][name] for name in ("time.npi", "event.npi", "baseline.npi", "stratum.menopause")}
    assert first == {"time.npi": "100", "event.npi": "yes", "baseline.npi": "45", "stratum.menopause": "post"}
    given = json.loads((tmp_path / "out" / rows[0]["in.pathology"]).read_text())
    assert given == {"age_years": 70, "size_mm": 45, "nodes_positive": 4, "grade": 3}


@pytest.mark.parametrize(
    ("name", "patients", "refused"), [("fna-wdbc-odd-rows", 285, 3), ("npi-gbsg2", 686, 41)]
)
def test_the_kits_are_of_patients_and_say_so(name: str, patients: int, refused: int) -> None:
    kit: KitFolder = read_kit(ROOT / "validation_kits" / name)
    assert kit.kit.evidence == "patient"
    of_patients = [case for case in kit.cases if case.evidence == "patient"]
    assert len({case.subject_id for case in of_patients}) == patients
    assert sum(case.expected == "refused" for case in kit.cases) == refused
    assert {case.evidence for case in kit.cases if case.expected == "ok"} == {"patient"}
    assert len(kit.selected(smoke=True)) < len(kit.cases) / 10
