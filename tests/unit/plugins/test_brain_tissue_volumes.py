"""The first plugin's declarations and embedded test files; its adapter needs dipy: its container tests it."""

import gzip
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from host.cases.nifti import read_label_map
from host.kits.kit import read_kit
from host.validation.fit import check_fit
from plugin_spec.manifest import read_manifest
from tests.support.phantom import PHANTOM_T1, PHANTOM_VOLUMES_ML, PLUGIN, T2_LIKE

KIT = PLUGIN.parents[1] / "validation_kits" / "brain-tissue-mni152"


def test_the_manifest_and_its_kit_fit_together() -> None:
    manifest = read_manifest(PLUGIN / "plugin.toml")
    kit = read_kit(KIT)
    check_fit(manifest, kit)
    assert {case.evidence for case in kit.cases} == {"derived"}
    assert {case.subject_id for case in kit.cases} == {"MNI152"}
    assert {case.expected for case in kit.selected(smoke=True)} == {"ok", "refused"}


def test_the_embedded_test_expects_the_phantoms_known_volumes() -> None:
    manifest = read_manifest(PLUGIN / "plugin.toml")
    positive = next(test for test in manifest.tests if test.expect == "ok")
    assert {one.column: one.value for one in positive.compare} == PHANTOM_VOLUMES_ML


def test_the_phantoms_intensities_give_back_the_declared_volumes() -> None:
    image = read_label_map(PHANTOM_T1)  # integers, so the label reader reads it
    voxel_ml = float(np.prod(image.grid.spacing_mm)) / 1000
    counted = np.histogram(image.data[image.data > 0], bins=(1, 500, 850, 2000))[0] * voxel_ml
    expected = [PHANTOM_VOLUMES_ML[name] for name in ("csf_ml", "gm_ml", "wm_ml")]
    # 5 sigma between the classes: a handful of the 57 000 voxels may fall on the other side.
    assert counted == pytest.approx(expected, abs=0.3)


def test_the_script_makes_the_committed_files(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("make_phantom", PLUGIN / "tests" / "make_phantom.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main(tmp_path)
    for committed in (PHANTOM_T1, T2_LIKE):
        made = gzip.decompress((tmp_path / committed.name).read_bytes())
        assert made == gzip.decompress(committed.read_bytes())
