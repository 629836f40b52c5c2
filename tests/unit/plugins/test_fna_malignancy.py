"""The classifier of aspirates: its formula, its refusals, the fit that made its coefficients, and its kit."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host.errors import KitLeakError
from host.kits.kit import read_kit
from host.kits.leak import find_leaks, require_no_leak
from host.validation.fit import check_fit
from plugin_spec.hookspecs import Refuse, UnreadableInput
from plugin_spec.manifest import Manifest, read_manifest
from tests.support.scripts import ROOT, load_script

PLUGIN = ROOT / "plugins" / "fna-malignancy"
KIT = ROOT / "validation_kits" / "fna-wdbc-odd-rows"
adapter = load_script("plugins/fna-malignancy/adapter.py")
train = load_script("plugins/fna-malignancy/train.py")
MODEL: dict[str, Any] = json.loads((PLUGIN / "coefficients.json").read_text())


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read_manifest(PLUGIN / "plugin.toml")


def written(folder: Path, text: str) -> Path:
    path = folder / "features.json"
    path.write_text(text)
    return path


def test_the_probability_is_that_of_a_logistic_regression() -> None:
    model = {"intercept": -1.0, "patients": 1000, "features": {"x": {"per_unit": 2.0}}}
    assert adapter.probability({"x": 0.5}, model) == pytest.approx(0.5)
    assert adapter.probability({"x": 1.0}, model) == pytest.approx(1 / (1 + math.exp(-1)))


def test_no_probability_goes_beyond_what_the_number_of_training_patients_allows() -> None:
    model = {"intercept": 0.0, "patients": 284, "features": {"x": {"per_unit": 1.0}}}
    assert adapter.probability({"x": 900.0}, model) == pytest.approx(285 / 286)
    assert adapter.probability({"x": -900.0}, model) == pytest.approx(1 / 286)


@pytest.mark.parametrize("text", ["{}", '{"area_worst": true}', '{"area_worst": "5"}', '{"area_worst": NaN}'])
def test_a_feature_that_is_missing_or_no_number_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refuse, match="area_worst") as refused:
        adapter.read_features(written(tmp_path, text), {"area_worst": {}})
    assert refused.value.reason_code == "missing-feature"


@pytest.mark.parametrize("text", ["no JSON", "[1, 2]"])
def test_what_is_no_object_of_numbers_cannot_be_read(tmp_path: Path, text: str) -> None:
    with pytest.raises(UnreadableInput):
        adapter.read_features(written(tmp_path, text), {"area_worst": {}})


def test_a_value_far_from_every_training_patient_is_refused_and_one_a_little_outside_is_told() -> None:
    model = {"features": {"x": {"lowest": 10.0, "highest": 20.0}}}
    assert adapter.check_domain({"x": 10.0}, model)
    assert not adapter.check_domain({"x": 9.0}, model)
    for value in (4.9, 40.1):
        with pytest.raises(Refuse, match="outside|seen") as refused:
            adapter.check_domain({"x": value}, model)
        assert refused.value.reason_code == "outside-domain"


def test_the_fit_of_one_yes_or_no_feature_is_the_log_odds_ratio_of_its_table() -> None:
    """30 of 40 malignant with the feature, 10 of 50 without: log odds -log 4 without, log 12 more with."""
    feature = np.repeat([1.0, 1.0, 0.0, 0.0], [30, 10, 10, 40])[:, None]
    malignant = np.repeat([True, False, True, False], [30, 10, 10, 40])
    assert train.fit(feature, malignant) == pytest.approx([-math.log(4), math.log(12)])


def test_classes_that_a_feature_separates_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match=r"settle|Singular"), np.errstate(all="ignore"):
        train.fit(np.arange(10.0)[:, None], np.arange(10) >= 5)


def test_only_even_rows_are_learnt_from(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [",".join(str(row * 100 + column) for column in range(30)) + f",{row % 2}" for row in range(1, 7)]
    table.write_text("\n".join(["6,30,malignant,benign", *rows]) + "\n")
    features, malignant = train.training_rows(table)
    assert features[:, 0].tolist() == [201.0, 401.0, 601.0]
    assert malignant.tolist() == [True, True, True]


def test_the_manifest_declares_the_rows_it_learnt_from(manifest: Manifest) -> None:
    (training,) = manifest.attribution.training_datasets
    assert training.subject_ids == tuple(f"row-{number:03d}" for number in range(2, 570, 2))
    assert training.subjects == len(training.subject_ids) == MODEL["patients"]


def test_manifest_and_kit_fit_together_and_the_kit_holds_none_of_the_training_patients(
    manifest: Manifest,
) -> None:
    kit = read_kit(KIT)
    check_fit(manifest, kit)
    section = find_leaks(kit, manifest, {})
    assert section.declared
    assert section.found == ()
    require_no_leak(kit, manifest, section)


def test_a_kit_of_a_training_patient_is_refused(manifest: Manifest) -> None:
    kit = read_kit(KIT)
    cases = [
        case.model_copy(update={"subject_id": "row-004"}) if case.case_id == "row-003" else case
        for case in kit.cases
    ]
    spoilt = replace(kit, cases=tuple(cases))
    section = find_leaks(spoilt, manifest, {})
    assert [(one.case, one.what) for one in section.found] == [("row-003", "subject row-004")]
    with pytest.raises(KitLeakError, match="row-004"):
        require_no_leak(spoilt, manifest, section)
