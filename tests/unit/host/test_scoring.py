"""From outputs to a row: values, imputations, and kits that do not fit a plugin."""

from pathlib import Path

import numpy as np
import pytest

from host.cases.nifti import read_label_map
from host.errors import KitError, KitFitError, UnknownMetricError
from host.execution import Execution
from host.kits import KitCase, KitFolder, read_kit
from host.outputs import CheckedOutput
from host.protocol import Metric, Protocol
from host.scoring import UNBOUNDED, check_fit, score
from host.verdict import CaseRow
from plugin_spec.manifest import Manifest, read_manifest
from registry.statements import Measured
from tests.support.nifti_files import write_nifti
from tests.support.tiny import kit_folder, plugin_folder


@pytest.fixture
def kit(tmp_path: Path) -> KitFolder:
    return read_kit(kit_folder(tmp_path / "kit"))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return read_manifest(plugin_folder(tmp_path / "plugin") / "plugin.toml")


def metric(metric_id: str, **fields: object) -> Metric:
    given: dict[str, object] = {
        "unit": "1",
        "definition": "d",
        "failed_case_counts_as": "not met",
        **fields,
    }
    return Metric.model_validate({"id": metric_id, **given})


MASKS = {"kind": "masks", "port": "mask", "label": "bright", "reference_value": 1}
DICE = metric("dice", function="dice", failed_case_counts_as=0.0, **MASKS)
HD95 = metric("hd95", function="hd95_mm", **MASKS)
DIFFERENCE = metric(
    "error", kind="numbers", function="difference", port="volumes", column="bright_ml", unit="mL"
)
ENDED = metric("ended", kind="outcome", failed_case_counts_as=0.0)


def scored(
    tmp_path: Path,
    manifest: Manifest,
    kit: KitFolder,
    *,
    predicted: list[int] | None = None,
    reference: tuple[int, ...] = (0, 1, 1, 0),
    expected: str = "ok",
    outcome: str = "ok",
    reference_affine: float = 1.0,
) -> CaseRow:
    """The row of one case with four voxels."""
    case = kit.cases[0].model_copy(update={"expected": expected, "values": {"bright_ml": 2.0}})
    outputs: tuple[CheckedOutput, ...] = ()
    references: dict[str, Path] = {}
    if expected == "ok":
        affine = np.diag([reference_affine, 1, 1, 1])
        data = np.array(reference, np.uint8).reshape(4, 1, 1)
        references["mask"] = write_nifti(tmp_path / "reference.nii", data, affine)
    if outcome == "ok":
        data = np.array(predicted or [0, 1, 1, 0], np.uint8).reshape(4, 1, 1)
        path = write_nifti(tmp_path / "mask.nii", data)
        outputs = (CheckedOutput("mask", path, "sha256:" + "0" * 64, 1, grid=read_label_map(path).grid),)
    protocol = kit.protocol.model_copy(update={"metrics": (DICE, HD95, DIFFERENCE, ENDED)})
    measured = (Measured(port="volumes", row=0, column="bright_ml", value=3.0, unit="mL"),)
    return score(
        case,
        Execution(outcome, "" if outcome == "ok" else "timeout", "", outputs=outputs),  # type: ignore[arg-type]  # a word of three
        manifest=manifest,
        protocol=protocol,
        measured=measured if outcome == "ok" else (),
        references=references,
    )


def test_an_answered_case_gets_every_value(tmp_path: Path, manifest: Manifest, kit: KitFolder) -> None:
    row = scored(tmp_path, manifest, kit, predicted=[1, 1, 1, 0])
    # Directed distances 0, 0, 1 and 0, 0: their 95th percentiles are 0.9 (linear rule) and 0.
    assert row.values == {"dice": 0.8, "hd95": pytest.approx(0.9), "error": 1.0, "ended": 1.0}
    assert (row.imputed, row.never_met) == ((), ())


@pytest.mark.parametrize("outcome", ["failed", "refused"])
def test_a_case_that_did_not_answer_is_imputed_as_each_metric_declares(
    outcome: str, tmp_path: Path, manifest: Manifest, kit: KitFolder
) -> None:
    row = scored(tmp_path, manifest, kit, outcome=outcome)
    assert row.values == {"dice": 0.0, "hd95": None, "error": None, "ended": 0.0}
    assert (row.imputed, row.never_met) == (("dice",), ("hd95", "error"))


def test_an_expected_refusal_has_only_its_outcome(tmp_path: Path, manifest: Manifest, kit: KitFolder) -> None:
    row = scored(tmp_path, manifest, kit, expected="refused", outcome="refused")
    assert row.values == {"dice": None, "hd95": None, "error": None, "ended": 1.0}
    assert (row.imputed, row.never_met) == ((), ())


def test_an_answer_where_a_refusal_was_expected_is_wrong_and_has_no_reference(
    tmp_path: Path, manifest: Manifest, kit: KitFolder
) -> None:
    row = scored(tmp_path, manifest, kit, expected="refused")
    assert row.values == {"dice": None, "hd95": None, "error": None, "ended": 0.0}


def test_two_empty_masks_are_not_evaluable(tmp_path: Path, manifest: Manifest, kit: KitFolder) -> None:
    row = scored(tmp_path, manifest, kit, predicted=[0, 0, 0, 0], reference=(0, 0, 0, 0))
    assert (row.values["dice"], row.values["hd95"]) == (None, None)
    assert row.never_met == ()


def test_a_distance_to_an_empty_mask_is_beyond_any_bound_and_still_json(
    tmp_path: Path, manifest: Manifest, kit: KitFolder
) -> None:
    row = scored(tmp_path, manifest, kit, predicted=[0, 0, 0, 0])
    assert (row.values["dice"], row.values["hd95"]) == (0.0, UNBOUNDED)
    assert CaseRow.model_validate_json(row.model_dump_json()) == row


def test_a_reference_on_another_grid_is_the_kits_fault(
    tmp_path: Path, manifest: Manifest, kit: KitFolder
) -> None:
    with pytest.raises(KitError, match=r"reference reference\.nii is on another grid"):
        scored(tmp_path, manifest, kit, reference_affine=1.5)


def with_metrics(kit: KitFolder, *metrics: Metric) -> KitFolder:
    protocol: Protocol = kit.protocol.model_copy(update={"metrics": metrics})
    return KitFolder(**{**vars(kit), "protocol": protocol})


def test_the_tiny_kit_fits_the_tiny_plugin(manifest: Manifest, kit: KitFolder) -> None:
    check_fit(manifest, kit)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (DICE.model_copy(update={"label": "dark"}), KitFitError, "has no label mask.dark"),
        (DICE.model_copy(update={"port": "volumes"}), KitFitError, "has no label volumes.bright"),
        (DIFFERENCE.model_copy(update={"column": "gm_ml"}), KitFitError, "has no column volumes.gm_ml"),
        (DICE.model_copy(update={"function": "dicing"}), UnknownMetricError, "no metric 'dicing'"),
        (DICE.model_copy(update={"function": "difference"}), KitFitError, "difference"),
        (DIFFERENCE.model_copy(update={"function": "dice"}), KitFitError, "dice"),
        (DIFFERENCE.model_copy(update={"unit": "mm3"}), KitFitError, "bright_ml is in mL, not mm3"),
        (DICE.model_copy(update={"unit": "%"}), KitFitError, "dice is in 1, not %"),
        (DICE.model_copy(update={"failed_case_counts_as": 0.5}), KitFitError, "counts as 0.5"),
    ],
)
def test_a_metric_that_asks_for_what_the_plugin_does_not_have_is_refused(
    wrong: Metric, error: type[Exception], said: str, manifest: Manifest, kit: KitFolder
) -> None:
    with pytest.raises(error, match=said):
        check_fit(manifest, with_metrics(kit, wrong))


def test_a_kit_with_other_inputs_is_refused(manifest: Manifest, kit: KitFolder) -> None:
    case: KitCase = kit.cases[0].model_copy(update={"inputs": {"ct": kit.cases[0].inputs["scan"]}})
    with pytest.raises(KitFitError, match=r"gives \['ct'\]"):
        check_fit(manifest, KitFolder(**{**vars(kit), "cases": (case,)}))


def test_a_measurand_in_another_unit_is_refused(manifest: Manifest, kit: KitFolder) -> None:
    (measurand,) = kit.kit.measurands
    in_mm3 = kit.kit.model_copy(update={"measurands": (measurand.model_copy(update={"unit": "mm3"}),)})
    with pytest.raises(KitFitError, match="bright_ml is in mm3"):
        check_fit(manifest, KitFolder(**{**vars(kit), "kit": in_mm3}))
