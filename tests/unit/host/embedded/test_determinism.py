"""The claim on repeated runs: what holds, what does not, and what is more than was claimed."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from host.embedded.determinism import Finding, measure
from plugin_spec.manifest import EmbeddedTest
from tests.support.every_output import every_output
from tests.support.nifti_files import write_nifti
from tests.support.observations import observation

ROW = {"gm_ml": 60.0, "wm_ml": 50.0}
SCORE = {"value": 0.5, "lower": 0.4, "upper": 0.6}
GREY_TOLERANCE = [{"column": "gm_ml", "absolute": 0.5}]


class Measure(Protocol):
    """Finding over runs of one test with these answers; those from ``warm_from`` on were warm."""

    def __call__(
        self,
        *answers: dict[str, Any],
        claim: str = "bitwise",
        tolerances: list[dict[str, Any]] | None = None,
        warm_from: int = 99,
        salts: tuple[str, ...] = (),
    ) -> Finding: ...


@pytest.fixture
def measured(tmp_path: Path) -> Measure:
    def finding(
        *answers: dict[str, Any],
        claim: str = "bitwise",
        tolerances: list[dict[str, Any]] | None = None,
        warm_from: int = 99,
        salts: tuple[str, ...] = (),
    ) -> Finding:
        manifest = every_output(claim, tolerances)
        runs = [
            observation(
                manifest,
                tmp_path,
                values,
                number=number,
                container="warm" if number >= warm_from else "fresh",
                salt=salts[number - 1] if salts else "",
            )
            for number, values in enumerate(answers, start=1)
        ]
        return measure(manifest, runs)

    return finding


def rows(**changes: float) -> dict[str, Any]:
    return {"measurements": [{**ROW, **changes}]}


@pytest.mark.parametrize("claim", ["bitwise", "bitwise_same_device"])
def test_the_same_bytes_hold_and_other_bytes_do_not(claim: str, measured: Measure) -> None:
    same = measured(rows(), rows(), rows(), claim=claim)
    assert (same.verdict, same.identical, same.compared, same.fault, same.hint) == ("holds", True, 3, "", "")
    other = measured(rows(), rows(), rows(gm_ml=60.25), claim=claim)
    assert other.verdict == "does not hold"
    assert other.fault.startswith(
        "measurements.gm_ml is 60.0 and 60.25 between run 1 (fresh) and run 3 (fresh) of answers; "
        f"the claim {claim} means the same bytes"
    )
    assert "clocks" in other.hint


def test_bytes_that_say_the_same_break_a_bitwise_claim_too(measured: Measure) -> None:
    found = measured(rows(), rows(), salts=("", " "))
    assert found.fault.startswith("measurements differs in its bytes only, all numbers are the same")


def test_a_tolerance_allows_what_it_names_and_nothing_else(measured: Measure) -> None:
    tolerance = {"claim": "tolerance", "tolerances": GREY_TOLERANCE}
    within = measured(rows(), rows(gm_ml=60.5), **tolerance)  # type: ignore[arg-type]  # as declared above
    assert (within.verdict, within.identical) == ("holds", False)
    outside = measured(rows(), rows(gm_ml=60.75), **tolerance)  # type: ignore[arg-type]  # as above
    assert outside.fault.startswith(
        "measurements.gm_ml row 0: 60 and 60.75 (allowed: absolute 0.5) between run 1"
    )
    other_column = measured(rows(), rows(wm_ml=50.01), **tolerance)  # type: ignore[arg-type]  # as above
    assert other_column.fault.startswith("measurements.wm_ml row 0: 50 and 50.01 between run 1")
    other_port = measured({"score": SCORE}, {"score": {**SCORE, "value": 0.51}}, **tolerance)  # type: ignore[arg-type]  # as above
    assert other_port.fault.startswith("score: sha256:")


def test_a_relative_tolerance_is_of_the_larger_magnitude(measured: Measure) -> None:
    tolerances = [{"port": "score", "relative": 0.1}]
    near = measured(
        {"score": SCORE}, {"score": {**SCORE, "value": 0.55}}, claim="tolerance", tolerances=tolerances
    )
    assert near.verdict == "holds"
    far = measured(
        {"score": SCORE}, {"score": {**SCORE, "value": 0.56}}, claim="tolerance", tolerances=tolerances
    )
    assert far.verdict == "does not hold"


def label_map(path: Path, voxels: int) -> dict[str, Path]:
    data = np.zeros((8, 8, 8), np.uint8)
    data.reshape(-1)[:voxels] = 1
    return {"label_map": write_nifti(path, data)}


@pytest.mark.parametrize(("dice", "holds"), [(0.94, True), (0.96, False)])
def test_a_label_map_has_the_lowest_dice_as_its_tolerance(
    dice: float, holds: bool, tmp_path: Path, measured: Measure
) -> None:
    answers = (label_map(tmp_path / "a.nii", 100), label_map(tmp_path / "b.nii", 90))  # Dice 180 / 190
    found = measured(*answers, claim="tolerance", tolerances=[{"port": "label_map", "dice": dice}])
    assert (found.verdict == "holds") == holds
    within = "label_map differs in 10 voxels (lowest Dice 0.947368, grey)"
    outside = "label_map value 1: Dice 0.947368 (allowed: 0.96 and more)"
    assert found.differences[0].text == (within if holds else outside)


@pytest.mark.parametrize(("largest", "holds"), [(0.5, True), (0.4, False)])
def test_a_volume_has_the_largest_difference_as_its_tolerance(
    largest: float, holds: bool, tmp_path: Path, measured: Measure
) -> None:
    data = np.ones((4, 4, 4), np.float32)
    one = {"volume": write_nifti(tmp_path / "a.nii", data)}
    data[0, 0, 0] = 1.5
    two = {"volume": write_nifti(tmp_path / "b.nii", data)}
    tolerances = [{"port": "volume", "absolute": largest}]
    found = measured(one, two, claim="tolerance", tolerances=tolerances)
    assert (found.verdict == "holds") == holds
    within = "volume differs in 1 voxels, by up to 0.5 1"
    outside = "volume: voxels up to 0.5 apart (allowed: absolute 0.4)"
    assert found.differences[0].text == (within if holds else outside)


def test_an_image_whose_voxels_agree_points_at_its_wrapper(tmp_path: Path, measured: Measure) -> None:
    one, two = (label_map(tmp_path / f"{name}.nii", 9) for name in "ab")
    with (tmp_path / "b.nii").open("r+b") as stream:
        stream.seek(148)
        stream.write(b"23:59:59")
    fault = measured(one, two).fault
    assert fault.startswith(
        "label_map differs in its bytes only, all voxels are the same (a time in the header"
    )


def test_stochastic_may_differ_and_its_spread_is_told(measured: Measure) -> None:
    found = measured(rows(), rows(gm_ml=61.0), rows(gm_ml=59.5), claim="stochastic")
    assert (found.verdict, found.fault, found.hint) == ("holds", "", "")
    assert found.spread == ("answers: measurements.gm_ml from 59.5 to 61 in 3 runs",)


@pytest.mark.parametrize(("claim", "tolerances"), [("stochastic", None), ("tolerance", GREY_TOLERANCE)])
def test_a_claim_that_is_weaker_than_what_was_measured_is_told(
    claim: str, tolerances: list[dict[str, Any]] | None, measured: Measure
) -> None:
    assert (
        "weaker than what was measured" in measured(rows(), rows(), claim=claim, tolerances=tolerances).hint
    )
    assert measured(rows(), rows(gm_ml=60.1), claim=claim, tolerances=tolerances).hint == ""


def test_warm_containers_that_answer_otherwise_point_at_kept_state(measured: Measure) -> None:
    warm = measured(rows(), rows(), rows(gm_ml=61.0), warm_from=3)
    assert warm.warm_only
    assert "run 3 (warm)" in warm.fault
    assert 'mode = "exec"' in warm.hint
    both = measured(rows(), rows(gm_ml=60.5), rows(gm_ml=61.0), warm_from=3)
    assert not both.warm_only
    assert measured(rows(), rows(), rows(), warm_from=3).verdict == "holds"


@pytest.mark.parametrize(
    ("port", "one", "two", "text"),
    [
        ("classification", {"label": "lesion"}, {"label": "healthy"}, "classification differs in its bytes"),
        ("measurements", [ROW], [ROW, ROW], "measurements has 1 and 2 rows"),
        (
            "detections",
            {"frame": "LPS", "detections": []},
            {"frame": "LPS", "detections": [{"label": "lesion", "point": [1.0, 2.0, 3.0]}]},
            "detections differs in its bytes",
        ),
    ],
)
def test_every_kind_of_output_is_compared(
    port: str, one: Any, two: Any, text: str, measured: Measure
) -> None:
    assert measured({port: one}, {port: two}).differences[0].text == text


def test_an_optional_output_is_there_in_all_runs_or_in_none(measured: Measure) -> None:
    assert measured({"score": SCORE}, {}).differences[0].text == (
        "score: written by one run and not by the other"
    )


def test_one_run_measures_nothing(measured: Measure) -> None:
    found = measured(rows())
    assert (found.verdict, found.fault, found.hint) == ("not measured", "", "")


def test_tests_are_compared_with_themselves_only(tmp_path: Path) -> None:
    manifest = every_output()
    other = EmbeddedTest(name="other", inputs={"t1": "b.nii"}, expect="ok")
    runs = [
        observation(manifest, tmp_path, rows(), number=1),
        observation(manifest, tmp_path, rows(gm_ml=1.0), number=2, test=other),
        observation(manifest, tmp_path, rows(gm_ml=1.0), number=3, test=other),
        observation(manifest, tmp_path, rows(), number=4),
    ]
    assert measure(manifest, runs).verdict == "holds"
