"""Each kit and the plugin it was written for fit together, without running anything."""

from pathlib import Path

import pytest

from host.kits.kit import read_kit
from host.validation.fit import check_fit
from plugin_spec.manifest import read_manifest

ROOT = Path(__file__).parents[3]
FITTING = {
    "ibsi-digital-phantom": ("ibsi-first-order", {"phantom"}),
    "ms-lesions-crosssectional": ("ms-flair-lesions", {"patient"}),
    "ms-lesions-longitudinal": ("ms-flair-change", {"patient"}),
    "sarcoma-pet-volume": ("pet-tumour-volume", {"patient"}),
}


@pytest.mark.parametrize("kit", FITTING)
def test_a_plugin_fits_its_kit_and_the_kit_says_whose_data_it_holds(kit: str) -> None:
    plugin, evidence = FITTING[kit]
    folder = read_kit(ROOT / "validation_kits" / kit)
    check_fit(read_manifest(ROOT / "plugins" / plugin / "plugin.toml"), folder)
    assert {case.evidence for case in folder.cases} == evidence


@pytest.mark.parametrize(
    "kit", ["ms-lesions-crosssectional", "ms-lesions-longitudinal", "sarcoma-pet-volume"]
)
def test_a_case_series_asks_for_more_patients_wherever_it_asks_for_an_interval(kit: str) -> None:
    folder = read_kit(ROOT / "validation_kits" / kit)
    patients = len({case.subject_id for case in folder.cases})
    asked = [one.min_subjects or 0 for one in folder.protocol.criteria if one.judges_interval]
    assert asked
    assert min(asked) > patients
