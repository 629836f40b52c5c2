"""Two runs of one case: what their plugin claims about repeats decides what counts as the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host.agreement import Answered, differences, is_comparable
from plugin_spec.manifest import Manifest
from registry.canonical import digest
from tests.support.manifests import manifest_document, minimal_manifest
from tests.support.nifti_files import write_nifti

CONCEPT = {"value": "12738006", "scheme": "SCT", "meaning": "Brain"}
OUTPUTS = [
    *manifest_document()["outputs"],
    {"kind": "label_map", "name": "mask", "summary": "A mask.", "grid_of": "t1"}
    | {"labels": [{"value": 1, "name": "brain", "concept": CONCEPT}]},
    {"kind": "volume", "name": "map", "summary": "A map.", "modality": "MR", "unit": "{arbitrary}"},
    {
        "kind": "score",
        "name": "risk",
        "summary": "A risk.",
        "unit": "1",
        "minimum": 0.0,
        "maximum": 1.0,
        "interval": "none",
    },
]


def claiming(claim: str, *tolerances: dict[str, Any]) -> Manifest:
    determinism = {"claim": claim, "tolerances": list(tolerances)}
    return minimal_manifest(outputs=OUTPUTS, determinism=determinism)


class Left:
    """Files of one run, each changed at will."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.numbers([{"mean": 10.0}])
        self.mask(np.ones((4, 4, 4), np.uint8))
        self.map(np.full((4, 4, 4), 100.0, np.float32))
        self.risk(0.5)

    def numbers(self, rows: list[dict[str, Any]]) -> None:
        self._document("numbers", {"contract": "assay.measurements/1", "rows": rows})

    def risk(self, value: float) -> None:
        self._document("risk", {"contract": "assay.score/1", "value": value})

    def mask(self, data: Any) -> None:
        write_nifti(self.folder / "mask.nii", data)

    def map(self, data: Any) -> None:
        write_nifti(self.folder / "map.nii", data)

    def answered(self, outcome: str = "ok", reason: str = "") -> Answered:
        files = {path.stem: path for path in sorted(self.folder.iterdir())}
        return Answered(outcome, reason, {n: (digest(p.read_bytes()), p) for n, p in files.items()})

    def _document(self, port: str, document: dict[str, Any]) -> None:
        (self.folder / f"{port}.json").write_text(json.dumps(document))


@pytest.fixture
def one(tmp_path: Path) -> Left:
    return Left(tmp_path / "one")


@pytest.fixture
def other(tmp_path: Path) -> Left:
    return Left(tmp_path / "other")


@pytest.mark.parametrize("claim", ["bitwise", "bitwise_same_device", "stochastic"])
def test_the_same_files_agree_whatever_the_claim(claim: str, one: Left, other: Left) -> None:
    assert differences(claiming(claim), one.answered(), other.answered()) == ()


def test_another_end_or_reason_is_a_difference_whatever_the_claim(one: Left, other: Left) -> None:
    found = differences(claiming("stochastic"), one.answered(), other.answered("refused", "too-dark"))
    assert found == ("ended ok and refused too-dark",)
    found = differences(claiming("stochastic"), one.answered("refused", "a"), other.answered("refused", "b"))
    assert found == ("ended refused a and refused b",)


def test_a_bitwise_claim_allows_no_other_byte(one: Left, other: Left) -> None:
    other.numbers([{"mean": 10.0 + 1e-12}])
    (found,) = differences(claiming("bitwise"), one.answered(), other.answered())
    assert found.startswith("numbers: sha256:")


def test_an_output_that_one_run_lacks_is_a_difference(one: Left, other: Left) -> None:
    (other.folder / "map.nii").unlink()
    found = differences(claiming("bitwise"), one.answered(), other.answered())
    assert found == ("map: written by one run and not by the other",)


@pytest.mark.parametrize(
    ("tolerance", "value", "found"),
    [
        ({"absolute": 0.5}, 10.5, ()),
        ({"absolute": 0.5}, 10.6, ("numbers.mean row 0: 10.0 and 10.6 (allowed: absolute 0.5)",)),
        ({"relative": 0.1}, 11.0, ()),
        ({"relative": 0.1}, 12.0, ("numbers.mean row 0: 10.0 and 12.0 (allowed: relative 0.1)",)),
    ],
)
def test_a_column_may_differ_within_its_tolerance(
    tolerance: dict[str, float], value: float, found: tuple[str, ...], one: Left, other: Left
) -> None:
    other.numbers([{"mean": value}])
    manifest = claiming("tolerance", {"column": "mean", **tolerance})
    assert differences(manifest, one.answered(), other.answered()) == found
    assert bool(differences(manifest, other.answered(), one.answered())) is bool(found)


def test_rows_in_a_csv_file_are_compared_like_others(one: Left, other: Left) -> None:
    for left, value in ((one, "10.0"), (other, "10.5")):
        (left.folder / "numbers.json").unlink()
        (left.folder / "numbers.csv").write_text(f"mean\n{value}\n")
    allowing = claiming("tolerance", {"column": "mean", "absolute": 0.5})
    assert differences(allowing, one.answered(), other.answered()) == ()
    strict = claiming("tolerance", {"column": "mean", "absolute": 0.4})
    found = ("numbers.mean row 0: 10.0 and 10.5 (allowed: absolute 0.4)",)
    assert differences(strict, one.answered(), other.answered()) == found


def test_another_number_of_rows_is_a_difference(one: Left, other: Left) -> None:
    other.numbers([{"mean": 10.0}] * 2)
    manifest = claiming("tolerance", {"column": "mean", "absolute": 99.0})
    assert differences(manifest, one.answered(), other.answered()) == ("numbers: 1 and 2 rows",)


def test_a_number_that_became_a_word_is_a_difference(one: Left, other: Left) -> None:
    other.numbers([{"mean": "10.0"}])
    manifest = claiming("tolerance", {"column": "mean", "absolute": 99.0})
    assert len(differences(manifest, one.answered(), other.answered())) == 1


@pytest.mark.parametrize(("moved", "agrees"), [(1, True), (8, False)])
def test_a_label_map_may_differ_down_to_its_dice(moved: int, agrees: bool, one: Left, other: Left) -> None:
    data = np.ones((4, 4, 4), np.uint8)
    data.flat[:moved] = 0
    other.mask(data)
    manifest = claiming("tolerance", {"port": "mask", "dice": 0.98})
    assert (differences(manifest, one.answered(), other.answered()) == ()) is agrees


def test_a_label_that_only_one_run_has_is_a_difference(one: Left, other: Left) -> None:
    data = np.ones((4, 4, 4), np.uint8)
    data[0, 0, 0] = 2
    other.mask(data)
    (found,) = differences(
        claiming("tolerance", {"port": "mask", "dice": 0.5}), one.answered(), other.answered()
    )
    assert found == "mask value 2: Dice 0 (allowed: 0.5 and more)"


@pytest.mark.parametrize(
    ("tolerance", "value", "agrees"),
    [
        ({"absolute": 2.0}, 102.0, True),
        ({"absolute": 2.0}, 103.0, False),
        ({"relative": 0.1}, 109.0, True),
        ({"relative": 0.1}, 120.0, False),
    ],
)
def test_a_volume_may_differ_within_its_tolerance(
    tolerance: dict[str, float], value: float, agrees: bool, one: Left, other: Left
) -> None:
    data = np.full((4, 4, 4), 100.0, np.float32)
    data[1, 2, 3] = value
    other.map(data)
    manifest = claiming("tolerance", {"port": "map", **tolerance})
    assert (differences(manifest, one.answered(), other.answered()) == ()) is agrees


@pytest.mark.parametrize(("value", "agrees"), [(0.51, True), (0.6, False)])
def test_a_score_may_differ_within_its_tolerance(value: float, agrees: bool, one: Left, other: Left) -> None:
    other.risk(value)
    manifest = claiming("tolerance", {"port": "risk", "absolute": 0.05})
    assert (differences(manifest, one.answered(), other.answered()) == ()) is agrees


def test_an_output_without_a_tolerance_must_be_the_same_where_a_tolerance_is_the_claim(
    one: Left, other: Left
) -> None:
    other.risk(0.51)
    (found,) = differences(
        claiming("tolerance", {"column": "mean", "absolute": 1.0}), one.answered(), other.answered()
    )
    assert found.startswith("risk: sha256:")


def test_a_stochastic_plugin_is_held_to_its_tolerances_only(one: Left, other: Left) -> None:
    other.risk(0.9)
    other.numbers([{"mean": 12.0}])
    manifest = claiming("stochastic", {"column": "mean", "absolute": 1.0})
    assert differences(manifest, one.answered(), other.answered()) == (
        "numbers.mean row 0: 10.0 and 12.0 (allowed: absolute 1)",
    )
    assert differences(claiming("stochastic"), one.answered(), other.answered()) == ()
    assert not is_comparable(claiming("stochastic"))
    assert is_comparable(manifest)


@pytest.mark.parametrize("claim", ["tolerance", "stochastic"])
@pytest.mark.parametrize(
    ("port", "tolerance"),
    [("mask", {"port": "mask", "dice": 0.9}), ("map", {"port": "map", "absolute": 1.0})],
)
def test_the_same_voxels_in_another_place_are_a_difference(
    claim: str, port: str, tolerance: dict[str, Any], one: Left, other: Left
) -> None:
    manifest = claiming(claim, tolerance)
    data = np.ones((4, 4, 4), np.uint8) if port == "mask" else np.full((4, 4, 4), 100.0, np.float32)
    for moved_mm, found in ((0.001, ()), (30.0, (f"{port}: its voxels lie elsewhere",))):
        affine = np.eye(4)
        affine[0, 3] = moved_mm
        write_nifti(other.folder / f"{port}.nii", data, affine)
        assert differences(manifest, one.answered(), other.answered()) == found
