"""A port of every kind at once, in process: what an adapter gets, what it may answer with, and what stops a case."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.support.every_kind_bench import ADAPTER, EveryKind
from tests.support.every_kind_checks import assert_every_kind_was_answered
from tests.support.memory_engine import MemoryEngine, running
from tests.support.nifti_files import ramp, write_nifti

IMAGE = "sha256:" + "a" * 64


@pytest.fixture
def every(tmp_path: Path) -> Iterator[EveryKind]:
    yield EveryKind(tmp_path, MemoryEngine(running(ADAPTER), images={IMAGE}), IMAGE)


def test_an_adapter_takes_and_answers_every_kind(every: EveryKind) -> None:
    assert_every_kind_was_answered(every.manifest, every.run())


def test_an_interval_a_grid_and_a_seed_can_each_stop_the_case(every: EveryKind) -> None:
    late = every.image_file("late.nii", 0, day="2027-01-01")
    assert every.run(later=(late,)).message.startswith("later: days since baseline: 306, outside 1 to 100")
    moved = write_nifti(every.folder / "moved.nii", ramp(), np.diag([2.0, 1.0, 1.0, 1.0]))
    assert every.run(later=(moved,)).reason_code == "grid-mismatch"
    seed = {"label": "lesion", "point": [1.0, 2.0, 3.0]}
    ended = every.run(seeds=every.document("detections", frame="LPS", detections=[seed]))
    assert (ended.reason_code, ended.exit) == ("input-mismatch", None)
    assert "inside it if the numbers are RAS" in ended.message


def test_one_follow_up_has_one_row(every: EveryKind) -> None:
    ended = every.run(later=every.inputs["later"][:1])
    assert ended.outcome == "ok"
    assert [row["time_point"] for one in ended.outputs for row in one.rows or ()] == [
        "baseline",
        "followup-1",
    ]
