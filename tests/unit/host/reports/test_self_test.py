"""The self-test as a section of a report."""

import math
from pathlib import Path

import numpy
import pytest
import scipy

from host.home import Home
from host.reports.sections import SelfTestSection
from host.reports.self_test import section_of, self_test_section
from host.statistics.oracle import Oracle, printed
from host.statistics.self_test import run_self_test


def home(folder: Path, data: Path | None = None) -> Home:
    return Home(folder / "home", folder / "cache", data)


def test_the_section_holds_every_number_and_what_was_not_run(tmp_path: Path) -> None:
    section = self_test_section(home(tmp_path))
    assert section.passed
    assert len(section.oracles) == 56
    assert [(one.id, one.numbers) for one in section.not_run] == [
        ("mcr-creatinine", 4),
        ("ibsi-digital-phantom", 5),
    ]
    assert section.versions["numpy"] == numpy.__version__
    assert section.versions["scipy"] == scipy.__version__
    assert SelfTestSection.model_validate_json(section.model_dump_json()) == section


@pytest.mark.patient_data
def test_the_phantom_is_found_by_its_digest_whatever_it_is_called(tmp_path: Path, data_root: Path) -> None:
    for name, source in (("a.bin", "phantom.nii.gz"), ("b.bin", "mask.nii.gz")):
        (tmp_path / name).write_bytes((data_root / "ibsi_digital_phantom" / source).read_bytes())
    section = self_test_section(home(tmp_path, tmp_path))
    assert len(section.oracles) == 61
    assert section.passed


def test_a_file_of_the_phantoms_length_that_is_another_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "phantom.nii.gz").write_bytes(bytes(126))
    section = self_test_section(home(tmp_path, tmp_path))
    assert "ibsi-digital-phantom" in {one.id for one in section.not_run}


def test_one_wrong_number_fails_the_section_and_nan_is_not_written() -> None:
    figures = printed(("right", "1"), ("wrong", "2"), ("none", "3"))
    section = section_of(run_self_test(oracles=[Oracle("o", "s", figures, lambda _: [1.0, 3.0, math.nan])]))
    assert not section.passed
    assert [(one.passed, one.found) for one in section.oracles] == [(True, 1.0), (False, 3.0), (False, None)]
    assert "NaN" not in section.model_dump_json()


def test_what_broke_is_told_beside_the_quantity() -> None:
    def broken(_: object) -> list[float]:
        raise ZeroDivisionError("division by zero")

    section = section_of(run_self_test(oracles=[Oracle("o", "s", printed(("bias", "1")), broken)]))
    assert section.oracles[0].quantity == "bias (ZeroDivisionError: division by zero)"
