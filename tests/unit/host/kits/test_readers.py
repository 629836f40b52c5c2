"""Readers' agreement: published figures as they are, and computed from what each of them found."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from host.errors import KitError
from host.kits.cases import CaseFile, ReaderReference
from host.kits.declaration import Agreement, Reader, ReferenceStandard
from host.kits.kit import KitFolder, read_kit
from host.kits.reader_agreement import computed_agreement
from host.kits.readers import reader_section
from host.reports.sections import AgreementRow
from tests.support.clean_kit import write_clean_kit
from tests.support.nifti_files import write_nifti

# Shrout and Fleiss 1979, table 2: six subjects, four judges; ICC(2,1) = .2898 (as printed .29).
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


@pytest.fixture
def kit(tmp_path: Path) -> KitFolder:
    return read_kit(write_clean_kit(tmp_path / "kit"))


def with_readers(kit: KitFolder, found: list[dict[str, ReaderReference]]) -> KitFolder:
    """As many subjects as readings, one case each."""
    cases = [
        kit.cases[0].model_copy(update={"case_id": f"c{n}", "subject_id": f"p{n}", "readers": of})
        for n, of in enumerate(found)
    ]
    return replace(kit, cases=tuple(cases))


def rows(kit: KitFolder, data: Path | None = None) -> tuple[AgreementRow, ...]:
    return computed_agreement(kit.protocol, kit.cases, data)


def test_numbers_of_four_judges_have_the_published_intraclass_correlation(kit: KitFolder) -> None:
    found = [
        {f"r{n}": ReaderReference(values={"count": float(v)}) for n, v in enumerate(of)} for of in JUDGES
    ]
    (row,) = rows(with_readers(kit, found))
    assert (row.measure, row.between) == ("ICC(2,1) of count", "r0 and r1 and r2 and r3")
    assert row.estimate.value == pytest.approx(0.2898, abs=5e-5)
    assert row.estimate.n == 6


def test_a_second_case_of_a_subject_is_no_further_agreement(kit: KitFolder) -> None:
    found = [
        {f"r{n}": ReaderReference(values={"count": float(v)}) for n, v in enumerate(of)} for of in JUDGES
    ]
    once = with_readers(kit, found)
    again = tuple(case.model_copy(update={"case_id": f"{case.case_id}-2"}) for case in once.cases)
    assert rows(replace(once, cases=(*once.cases, *again))) == rows(once)


def test_classes_of_two_readers_have_cohens_kappa(kit: KitFolder) -> None:
    protocol = kit.protocol.model_copy(
        update={
            "metrics": (
                kit.protocol.metrics[0].model_copy(
                    update={"kind": "classes", "port": "call", "classes": ("no", "yes"), "function": None}
                ),
            )
        }
    )
    # Cohen's kappa of the 2 x 2 table [[20, 5], [10, 15]]: observed .7, expected .5, so .4.
    table = [("no", "no")] * 20 + [("no", "yes")] * 5 + [("yes", "no")] * 10 + [("yes", "yes")] * 15
    found = [
        {
            reader: ReaderReference(classes={"call": word})
            for reader, word in zip(("r1", "r2"), two, strict=True)
        }
        for two in table
    ]
    (row,) = rows(replace(with_readers(kit, found), protocol=protocol))
    assert (row.measure, row.between) == ("Cohen's kappa of call, unweighted", "r1 and r2")
    assert row.estimate.value == pytest.approx(0.4)


def masks(folder: Path, first: list[int], second: list[int]) -> dict[str, ReaderReference]:
    found = {}
    for reader, voxels in (("r1", first), ("r2", second)):
        path = write_nifti(
            folder / f"{reader}-{len(list(folder.iterdir()))}.nii",
            np.array(voxels, np.uint8).reshape(4, 1, 1),
        )
        found[reader] = ReaderReference(files={"mask": CaseFile(path=path.name, sha256=f"sha256:{'0' * 64}")})
    return found


def test_masks_of_two_readers_are_compared_by_the_protocols_own_metrics(
    kit: KitFolder, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    found = [
        masks(data, [1, 1, 0, 0], [1, 0, 0, 0]),
        masks(data, [0, 1, 1, 0], [0, 1, 1, 0]),
        masks(data, [0] * 4, [0] * 4),
    ]
    (row,) = rows(with_readers(kit, found), data)
    assert (row.measure, row.between) == ("mean of dice_bright", "r1 and r2")
    assert row.estimate.value == pytest.approx((2 / 3 + 1) / 2)  # two empty masks are not evaluable
    assert row.estimate.n == 2
    assert rows(with_readers(kit, found)) == ()  # nothing is said of files that are not here


def test_masks_on_different_grids_are_one_line(kit: KitFolder, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    found = masks(data, [1, 1, 0, 0], [1, 0, 0, 0])
    write_nifti(data / found["r2"].files["mask"].path, np.ones((3, 1, 1), np.uint8))
    with pytest.raises(KitError, match="are on different grids"):
        rows(with_readers(kit, [found]), data)


def test_published_agreement_and_readers_are_told_as_they_are(kit: KitFolder) -> None:
    standard = ReferenceStandard(
        kind="consensus",
        description="d",
        readers=1,
        reader=(Reader(id="r1", role="drew", experience="10 years", blinded_to="the other visit"),),
        adjudication="A third reader decided.",
        agreement=(
            Agreement(
                statistic="Dice",
                between="two of three readers",
                value=0.78,
                subjects=30,
                source="Lesjak 2018",
            ),
        ),
    )
    kit = replace(kit, kit=kit.kit.model_copy(update={"reference_standard": standard}))
    section = reader_section(kit, None)
    assert section is not None
    assert (section.readers[0].qualification, section.readers[0].blinded_to) == (
        "drew; 10 years",
        "the other visit",
    )
    assert section.adjudication == "A third reader decided."
    (row,) = section.agreement
    assert (row.estimate.value, row.estimate.n, row.estimate.reason) == (
        0.78,
        30,
        "no interval was published",
    )


def test_a_kit_that_nobody_read_has_no_section(kit: KitFolder) -> None:
    assert reader_section(kit, None) is None


@pytest.mark.parametrize(
    "fields", [{"low": 0.7}, {"low": 0.8, "high": 0.9}, {"value": math.nan}, {"subjects": 0}]
)
def test_a_published_figure_that_contradicts_itself_is_refused(fields: dict[str, float]) -> None:
    plain = {"statistic": "Dice", "between": "two", "value": 0.78, "subjects": 30, "source": "s"}
    with pytest.raises(ValueError, match=r"low|high|value|subjects"):
        Agreement.model_validate({**plain, **fields})
