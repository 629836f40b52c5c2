"""No two scans of a benchmark are alike, so that nobody can answer from a cache."""

from pathlib import Path

import pytest

from tests.bench import volumes
from tests.bench.benchmark import WrongAnswerError


def test_every_scan_has_its_own_bytes(tmp_path: Path) -> None:
    numbers = [0, 1, 89, 90, 100, 2199, 8100, 12000, 90**3 - 1]
    assert len({volumes.write_scan(tmp_path / f"{one}.nii", one).read_bytes() for one in numbers}) == len(
        numbers
    )


def test_an_answer_of_another_scan_is_refused(tmp_path: Path) -> None:
    volumes.check_measured(volumes.expected_ml(7), 7)
    with pytest.raises(WrongAnswerError, match="scan 8: 8 mL measured, 9 mL are there"):
        volumes.check_measured(volumes.expected_ml(7), 8)
    with pytest.raises(WrongAnswerError, match=r"no volumes\.json"):
        volumes.check_written(tmp_path, 7)
