"""From outputs to a row: values, imputations, and kits that do not fit a plugin."""

import json
from pathlib import Path

import numpy as np
import pytest

from host.cases.nifti import read_label_map
from host.errors import KitError, KitFitError, UnknownMetricError
from host.execution import Execution
from host.kits.cases import CaseFile, KitCase
from host.kits.kit import KitFolder, read_kit
from host.kits.request import case_request
from host.outputs import CheckedOutput
from host.validation.fit import check_fit
from host.validation.protocol import Metric, Protocol
from host.validation.sample import UNBOUNDED
from host.validation.scoring import score
from host.validation.verdict import CaseRow
from plugin_spec.manifest import Manifest, read_manifest
from registry.statements import Measured
from tests.support.nifti_files import write_nifti
from tests.support.output_ports import port_document
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
    shear: float = 0.0,
) -> CaseRow:
    """The row of one case with four voxels."""
    case = kit.cases[0].model_copy(update={"expected": expected, "values": {"bright_ml": 2.0}})
    outputs: tuple[CheckedOutput, ...] = ()
    references: dict[str, Path] = {}
    affine = np.eye(4)
    affine[0, 1] = shear
    if expected == "ok":
        data = np.array(reference, np.uint8).reshape(4, 1, 1)
        references["mask"] = write_nifti(
            tmp_path / "reference.nii", data, affine @ np.diag([reference_affine, 1, 1, 1])
        )
    if outcome == "ok":
        data = np.array(predicted or [0, 1, 1, 0], np.uint8).reshape(4, 1, 1)
        path = write_nifti(tmp_path / "mask.nii", data, affine)
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


def test_a_sheared_grid_is_refused_since_distances_along_its_axes_are_wrong(
    tmp_path: Path, manifest: Manifest, kit: KitFolder
) -> None:
    with pytest.raises(KitError, match=r"reference reference\.nii is on a sheared grid"):
        scored(tmp_path, manifest, kit, shear=0.01)
    assert scored(tmp_path, manifest, kit, shear=0.0001).values["dice"] == 1.0


def with_metrics(kit: KitFolder, *metrics: Metric) -> KitFolder:
    protocol: Protocol = kit.protocol.model_copy(update={"metrics": metrics})
    return KitFolder(**{**vars(kit), "protocol": protocol})


def test_the_tiny_kit_fits_the_tiny_plugin(manifest: Manifest, kit: KitFolder) -> None:
    check_fit(manifest, kit)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (DICE.model_copy(update={"label": "dark"}), KitFitError, "has no label mask.dark"),
        (
            DICE.model_copy(update={"port": "volumes"}),
            KitFitError,
            "volumes is of kind measurements; masks are compared in label maps",
        ),
        (DIFFERENCE.model_copy(update={"column": "gm_ml"}), KitFitError, "has no column volumes.gm_ml"),
        (
            DIFFERENCE.model_copy(update={"port": "mask"}),
            KitFitError,
            "mask is of kind label_map; numbers are",
        ),
        (DIFFERENCE.model_copy(update={"port": "other"}), KitFitError, "has no column other.bright_ml"),
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
    with pytest.raises(KitFitError, match="case cube-2: tiny-volumes declares no input 'ct'"):
        check_fit(manifest, KitFolder(**{**vars(kit), "cases": (case,)}))


def changed(manifest: Manifest, **changes: object) -> Manifest:
    """The manifest with fields of its first input and its outputs replaced; the rules hold."""
    document = json.loads(manifest.model_dump_json())
    for one in document["outputs"]:
        one.update(changes.get(one["name"], {}))
    document["inputs"] = changes.get("inputs", document["inputs"])
    for test in document["tests"]:
        test["inputs"] = changes.get("given", test["inputs"])
        test["compare"] = []
    return Manifest.model_validate_json(json.dumps(document))


def test_an_optional_input_need_not_be_in_a_kit(manifest: Manifest, kit: KitFolder) -> None:
    scan = manifest.inputs[0].model_dump(mode="json")
    further = {**scan, "name": "flair", "at_least": 0}
    check_fit(changed(manifest, inputs=[scan, further]), kit)
    with pytest.raises(KitFitError, match="needs the input 'flair'"):
        check_fit(
            changed(manifest, inputs=[scan, {**further, "at_least": 1}], given={"scan": "a", "flair": "b"}),
            kit,
        )


def with_inputs(kit: KitFolder, **inputs: tuple[CaseFile, ...]) -> KitFolder:
    case = kit.cases[0].model_copy(update={"inputs": {**kit.cases[0].inputs, **inputs}})
    return KitFolder(**{**vars(kit), "cases": (case,)})


def test_a_series_is_a_folder_and_an_image_is_a_file(manifest: Manifest, kit: KitFolder) -> None:
    scan = manifest.inputs[0].model_dump(mode="json")
    series = {
        **{key: scan[key] for key in ("name", "summary", "modality")},
        "name": "series",
        "kind": "dicom_series",
        "sop_classes": ["1.2.3"],
        "at_least": 0,
    }
    takes_both = changed(manifest, inputs=[scan, series])
    folder = CaseFile(path="cases/series/", sha256=f"sha256:{'0' * 64}")
    check_fit(takes_both, with_inputs(kit, series=(folder,)))
    with pytest.raises(KitFitError, match="takes a folder, whose path ends in /, for series"):
        check_fit(takes_both, with_inputs(kit, series=kit.cases[0].inputs["scan"]))
    with pytest.raises(KitFitError, match="takes a file for scan"):
        check_fit(takes_both, with_inputs(kit, scan=(folder,)))


def test_a_port_of_several_files_gets_as_many_as_it_takes(manifest: Manifest, kit: KitFolder) -> None:
    scan = manifest.inputs[0].model_dump(mode="json")
    pair = {**scan, "name": "pair", "at_least": 2, "at_most": 2}
    takes_a_pair = changed(manifest, inputs=[scan, pair], given={"scan": "a", "pair": ["b", "c"]})
    (one,) = kit.cases[0].inputs["scan"]
    check_fit(takes_a_pair, with_inputs(kit, pair=(one, one)))
    with pytest.raises(KitFitError, match="the input 'pair' takes 2 files, 1 were given"):
        check_fit(takes_a_pair, with_inputs(kit, pair=(one,)))


def test_a_parameter_of_a_case_is_read_as_the_plugin_declares_it(manifest: Manifest, kit: KitFolder) -> None:
    document = json.loads(manifest.model_dump_json())
    document["parameters"] = [
        {"kind": "int", "name": "passes", "summary": "s", "default": 1, "minimum": 1, "maximum": 4}
    ]
    takes_passes = Manifest.model_validate_json(json.dumps(document))

    def given(cell: str, name: str = "passes") -> KitCase:
        return kit.cases[0].model_copy(update={"parameters": {name: cell}})

    assert case_request(given("3"), takes_passes, Path("data")).parameters == {"passes": 3}
    for cell in ("9", "3.5", "many"):
        with pytest.raises(KitFitError, match=r"case cube-2: param\.passes: "):
            check_fit(takes_passes, KitFolder(**{**vars(kit), "cases": (given(cell),)}))
    with pytest.raises(KitFitError, match="has no such parameter"):
        check_fit(takes_passes, KitFolder(**{**vars(kit), "cases": (given("3", "rounds"),)}))


def test_a_metric_on_an_output_that_may_be_left_out_is_refused(manifest: Manifest, kit: KitFolder) -> None:
    with pytest.raises(KitFitError, match="metric dice: the output mask of tiny-volumes is optional"):
        check_fit(changed(manifest, mask={"at_least": 0}), with_metrics(kit, DICE))


def test_a_score_is_compared_by_its_value(manifest: Manifest, kit: KitFolder) -> None:
    document = json.loads(manifest.model_dump_json())
    document["outputs"].append(port_document("score", name="risk", unit="mL", maximum=100.0))
    scored = Manifest.model_validate_json(json.dumps(document))
    check_fit(scored, with_metrics(kit, DIFFERENCE.model_copy(update={"port": "risk", "column": "value"})))
    with pytest.raises(KitFitError, match=r"has no column risk\.lower"):
        check_fit(
            scored, with_metrics(kit, DIFFERENCE.model_copy(update={"port": "risk", "column": "lower"}))
        )


def test_a_measurand_in_another_unit_is_refused(manifest: Manifest, kit: KitFolder) -> None:
    (measurand,) = kit.kit.measurands
    in_mm3 = kit.kit.model_copy(update={"measurands": (measurand.model_copy(update={"unit": "mm3"}),)})
    with pytest.raises(KitFitError, match="bright_ml is in mm3"):
        check_fit(manifest, KitFolder(**{**vars(kit), "kit": in_mm3}))
