"""A row of cases.csv: what each column becomes, and one line for each cell that is wrong."""

from pathlib import Path

import pytest

from host.errors import KitError
from host.kits.case_rows import parse_cases
from host.kits.cases import CaseFile, KitCase, evidence_of

DIGEST = f"sha256:{'0' * 64}"
SOURCES = {"ct": CaseFile(path="source/ct/", sha256=f"sha256:{'1' * 64}")}
PLAIN = {
    "case_id": "one",
    "subject_id": "p1",
    "expected": "ok",
    "evidence": "patient",
    "smoke": "no",
    "in.scan": "cases/one.nii",
    "in.scan.sha256": DIGEST,
}


def parsed(*, first: bool = False, **cells: str) -> KitCase:
    row = {**PLAIN, **{name.replace("__", "."): cell for name, cell in cells.items()}}
    data = f"{','.join(row)}\n{','.join(row.values())}\n".encode()
    (case,) = parse_cases(data, Path("cases.csv"), sources=SOURCES, first=first)
    return case


def test_a_visit_parameters_and_references_of_every_kind_are_read() -> None:
    case = parsed(
        session="baseline",
        param__passes="3",
        class__grade="high",
        time__risk="12.5",
        event__risk="yes",
        baseline__risk="0.4",
        value__gm_ml="600",
        stratum__vendor="A",
    )
    assert (case.session, case.parameters, case.classes) == ("baseline", {"passes": "3"}, {"grade": "high"})
    assert (case.times, case.events, case.baselines) == ({"risk": 12.5}, {"risk": True}, {"risk": 0.4})
    assert (case.values, case.strata) == ({"gm_ml": 600.0}, {"vendor": "A"})


def test_files_are_made_by_the_generator_or_are_sources_or_the_kits_own() -> None:
    case = parsed(in__ct="source:ct", ref__found="local:reference/one.json", ref__found__sha256=DIGEST)
    assert case.inputs["scan"] == (CaseFile(path="cases/one.nii", sha256=DIGEST),)
    assert case.inputs["ct"] == (SOURCES["ct"],)
    assert case.references["found"] == CaseFile(path="local/reference/one.json", sha256=DIGEST)
    assert [file.is_folder for file in case.files()] == [False, True, False]


def test_files_of_one_port_are_in_the_order_of_their_numbers() -> None:
    numbered = {f"in__visits__{n}": f"cases/{n}.nii" for n in (10, 2, 1, 3, 4, 5, 6, 7, 8, 9)}
    case = parsed(**numbered, **{f"{name}__sha256": DIGEST for name in numbered})
    assert [file.path for file in case.inputs["visits"]] == [f"cases/{n}.nii" for n in range(1, 11)]


def test_each_readers_own_reference_is_kept_apart() -> None:
    case = parsed(
        reader__r1__lesions="local:r1/one.nii",
        reader__r1__lesions__sha256=DIGEST,
        reader__r1__count="3",
        reader__r2__class__grade="low",
    )
    assert case.readers["r1"].files == {"lesions": CaseFile(path="local/r1/one.nii", sha256=DIGEST)}
    assert case.readers["r1"].values == {"count": 3.0}
    assert case.readers["r2"].classes == {"grade": "low"}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"bogus__x": "1"}, "bogus.x: is not known"),
        ({"value__Volume": "1"}, "value.Volume: is not known"),
        ({"in__t2__sha256": DIGEST}, "has no column 'in.t2' beside it"),
        ({"in__t2": "", "in__t2__sha256": DIGEST}, "in.t2: there is a digest and no path"),
        ({"in__t2": "a.nii"}, "in.t2: the file has no digest; fill in.t2.sha256"),
        ({"in__t2": "source:pet"}, "kit.toml has no source 'pet'"),
        ({"in__t2": "source:ct", "in__t2__sha256": DIGEST}, "source ct has another digest in kit.toml"),
        ({"in__t2": "http://x/y", "in__t2__sha256": DIGEST}, "write a path, source:NAME or local:PATH"),
        ({"in__t2": "source/x.nii", "in__t2__sha256": DIGEST}, "source/ is where sources"),
        ({"in__t2": "local:a/../../x.nii", "in__t2__sha256": DIGEST}, "must stay inside its folder"),
        ({"in__scan__1": "a", "in__scan__1__sha256": DIGEST}, "number its files 1, 2"),
        ({"in__t2__2": "a", "in__t2__2__sha256": DIGEST}, "number its files 1, 2"),
        ({"event__risk": "1", "time__risk": "1"}, "event.risk: '1' is neither yes nor no"),
        ({"time__risk": "1"}, "time.risk and event.risk stand together"),
        ({"time__risk": "-1", "event__risk": "no"}, "time.risk"),
        ({"time__risk": "nan", "event__risk": "no"}, "time.risk"),
        ({"baseline__risk": "high"}, "baseline.risk: 'high' is no number"),
        ({"reader__r1__count": "three"}, "reader.r1.count: 'three' is no number"),
        ({"smoke": "maybe"}, "smoke: 'maybe' is neither yes nor no"),
        ({"session": "first visit"}, "session"),
    ],
)
def test_a_wrong_cell_is_one_line_with_its_column(cells: dict[str, str], said: str) -> None:
    with pytest.raises(KitError) as caught:
        parsed(**cells)
    assert caught.value.message.startswith("cases.csv:")
    assert said in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    "column", ["session", "param__x", "class__x", "time__x", "in__x__1", "reader__r__x", "baseline__x"]
)
def test_a_kit_of_the_first_contract_may_not_have_later_columns(column: str) -> None:
    with pytest.raises(KitError, match=r"is not of assay\.kit/1") as caught:
        parsed(first=True, **{column: "1"})
    assert "assay.kit/2" in caught.value.hint


def test_a_column_that_stands_twice_is_refused() -> None:
    data = b"case_id,case_id\none,two\n"
    with pytest.raises(KitError, match="case_id: stands twice"):
        parse_cases(data, Path("cases.csv"))


def test_a_kits_evidence_is_that_of_the_cases_whose_answer_is_compared() -> None:
    patient, derived, refused = (
        parsed(),
        parsed(evidence="derived"),
        parsed(evidence="derived", expected="refused"),
    )
    assert evidence_of((patient, derived), first=False) == "derived"
    assert evidence_of((patient, refused), first=False) == "patient"
    assert evidence_of((refused,), first=False) == "derived"
    assert evidence_of((patient, refused), first=True) == "derived"
