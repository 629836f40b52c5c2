"""Whether a run ended as its test expects: every kind of comparison, and its fault in one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host.embedded.judging import fault_of_run
from plugin_spec.manifest import Comparison, EmbeddedTest
from tests.support.every_output import every_output
from tests.support.nifti_files import write_nifti
from tests.support.observations import observation

MANIFEST = every_output()
ROWS = [{"gm_ml": 60.0, "wm_ml": 50.0}, {"gm_ml": 70.0, "wm_ml": 40.0}]
REFUSES = EmbeddedTest(name="refuses", inputs={"t1": "a.nii"}, expect="refused", reason_code="empty-image")


def judged(folder: Path, answer: Any, /, **comparison: Any) -> str:
    compare = Comparison(**comparison)
    test = EmbeddedTest(name="answers", inputs={"t1": "a.nii"}, expect="ok", compare=(compare,))
    return fault_of_run(observation(MANIFEST, folder, {compare.port: answer}, test=test), MANIFEST, folder)


@pytest.mark.parametrize("value", [59.0, 60.0, 61.0])
def test_a_number_within_its_margin_holds(value: float, tmp_path: Path) -> None:
    rows = [{"gm_ml": 60.0, "wm_ml": 0.0}]
    by_value = {"port": "measurements", "column": "gm_ml", "value": value}
    assert judged(tmp_path, rows, **by_value, absolute=1.0) == ""
    assert judged(tmp_path, rows, **by_value, relative=0.02) == ""


@pytest.mark.parametrize(
    ("value", "comparison", "fault"),
    [
        (
            ROWS,
            {"port": "measurements", "column": "gm_ml", "value": 62.5, "absolute": 2.0},
            "measurements.gm_ml is 60, expected 62.5 ± 2",
        ),
        (
            ROWS,
            {"port": "measurements", "column": "gm_ml", "row": 1, "value": 60.0, "relative": 0.1},
            "measurements.gm_ml is 70, expected 60 ± 6",
        ),
        (
            ROWS,
            {"port": "measurements", "column": "gm_ml", "row": 2, "value": 60.0, "absolute": 1.0},
            "measurements.gm_ml is missing in row 2",
        ),
        (
            {"value": 0.5, "lower": 0.4, "upper": 0.6},
            {"port": "score", "value": 0.4, "absolute": 0.01},
            "score is 0.5, expected 0.4 ± 0.01",
        ),
        (
            {"label": "lesion"},
            {"port": "classification", "equals": "healthy"},
            "classification is lesion, expected healthy",
        ),
        (
            {"frame": "LPS", "detections": []},
            {"port": "detections", "count": 2},
            "detections holds 0 findings, expected 2",
        ),
        (
            {"frame": "LPS", "detections": []},
            {"port": "detections", "count": 3, "absolute": 2.0},
            "detections holds 0 findings, expected 3 ± 2",
        ),
    ],
)
def test_what_does_not_hold_is_said(
    value: Any, comparison: dict[str, Any], fault: str, tmp_path: Path
) -> None:
    assert judged(tmp_path, value, **comparison) == fault


@pytest.mark.parametrize(
    ("value", "comparison"),
    [
        ({"value": 0.5, "lower": 0.4, "upper": 0.6}, {"port": "score", "value": 0.5, "absolute": 0.0}),
        ({"label": "lesion"}, {"port": "classification", "equals": "lesion"}),
        ({"frame": "LPS", "detections": []}, {"port": "detections", "count": 0}),
        ({"frame": "LPS", "detections": []}, {"port": "detections", "count": 1, "absolute": 1.0}),
    ],
)
def test_what_holds_has_no_fault(value: Any, comparison: dict[str, Any], tmp_path: Path) -> None:
    assert judged(tmp_path, value, **comparison) == ""


def masks(folder: Path, moved: int = 0) -> tuple[Path, Path]:
    """A reference with label 1, and an answer whose label lies ``moved`` voxels further along."""
    data = np.zeros((8, 8, 8), np.uint8)
    data[2:4, 2:4, 2:4] = 1
    write_nifti(folder / "reference.nii.gz", data)
    answer = write_nifti(folder / "answer.nii", np.roll(data, moved, axis=0))
    return answer, folder / "reference.nii.gz"


@pytest.mark.parametrize("label", ["grey", None])
def test_a_label_map_is_held_against_its_reference(label: str | None, tmp_path: Path) -> None:
    comparison = {"port": "label_map", "reference": "reference.nii.gz", "label": label, "dice": 0.9}
    answer, _ = masks(tmp_path)
    assert judged(tmp_path, answer, **comparison) == ""
    answer, _ = masks(tmp_path, moved=1)
    fault = "label_map: Dice of grey is 0.5000, expected at least 0.9"
    assert judged(tmp_path, answer, **comparison) == fault


@pytest.mark.parametrize("port", ["label_map", "volume"])
def test_equal_voxels_in_another_place_do_not_hold(port: str, tmp_path: Path) -> None:
    moved = np.diag([1.0, 1.0, 1.0, 1.0])
    moved[0, 3] = 300.0
    data = np.zeros((8, 8, 8), np.uint8)
    data[2:4, 2:4, 2:4] = 1
    write_nifti(tmp_path / "reference.nii.gz", data, np.eye(4))
    answer = write_nifti(tmp_path / "answer.nii", data, moved)
    margin = {"dice": 0.9} if port == "label_map" else {"absolute": 0.5}
    fault = judged(tmp_path, answer, port=port, reference="reference.nii.gz", **margin)
    assert fault == f"{port}: its voxels lie elsewhere than those of reference.nii.gz"


def test_a_label_that_nobody_has_cannot_be_overlapped_with(tmp_path: Path) -> None:
    answer, _ = masks(tmp_path)
    comparison = {"port": "label_map", "reference": "reference.nii.gz", "label": "white", "dice": 0.9}
    assert judged(tmp_path, answer, **comparison) == "label_map: Dice of white is nan, expected at least 0.9"


def test_a_volume_is_held_against_its_reference(tmp_path: Path) -> None:
    data = np.arange(64, dtype=np.float32).reshape(4, 4, 4)
    write_nifti(tmp_path / "reference.nii.gz", data)
    comparison = {"port": "volume", "reference": "reference.nii.gz", "absolute": 0.25}
    data[0, 0, 0] += 0.25
    assert judged(tmp_path, write_nifti(tmp_path / "near.nii", data), **comparison) == ""
    data[0, 0, 1] += 0.5
    fault = judged(tmp_path, write_nifti(tmp_path / "far.nii", data), **comparison)
    assert fault == "volume differs from reference.nii.gz by up to 0.5 1, in 2 voxels; 0.25 is allowed"
    cut = write_nifti(tmp_path / "cut.nii", data[:2])
    assert "differs from reference.nii.gz by up to inf" in judged(tmp_path, cut, **comparison)


@pytest.mark.parametrize("port", ["label_map", "volume"])
def test_a_reference_that_cannot_be_read_is_named(port: str, tmp_path: Path) -> None:
    answer, reference = masks(tmp_path)
    reference.write_bytes(b"no image")
    margin = {"dice": 0.9} if port == "label_map" else {"absolute": 0.1}
    fault = judged(tmp_path, answer, port=port, reference="reference.nii.gz", **margin)
    assert fault.startswith(f"{port}: the reference cannot be compared with: reference.nii.gz")


def test_an_output_that_is_not_there_is_missing(tmp_path: Path) -> None:
    compare = Comparison(port="score", value=0.5, absolute=0.1)
    test = EmbeddedTest(name="answers", inputs={"t1": "a.nii"}, expect="ok", compare=(compare,))
    assert fault_of_run(observation(MANIFEST, tmp_path, test=test), MANIFEST, tmp_path) == "score is missing"


def test_a_run_must_end_as_expected(tmp_path: Path) -> None:
    late = observation(MANIFEST, tmp_path, outcome="failed", reason="timeout", message="too slow")
    assert fault_of_run(late, MANIFEST, tmp_path) == "expected ok, ended failed: timeout too slow"


def test_a_refusal_holds_only_for_the_expected_reason(tmp_path: Path) -> None:
    def refused(outcome: str, reason: str) -> str:
        seen = observation(MANIFEST, tmp_path, test=REFUSES, outcome=outcome, reason=reason, message="2-D")
        return fault_of_run(seen, MANIFEST, tmp_path)

    assert refused("refused", "empty-image") == ""
    expected = "expected the reason empty-image, was outside-domain: 2-D"
    assert refused("refused", "outside-domain") == expected
    assert refused("ok", "").startswith("expected refused, ended ok")
