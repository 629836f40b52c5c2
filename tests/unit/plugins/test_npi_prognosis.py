"""The Nottingham index: its formula, the risks published for it, its refusals, and that it fits its kit."""

import json
from pathlib import Path

import pytest

from host.kits.kit import read_kit
from host.kits.leak import find_leaks
from host.validation.fit import check_fit
from plugin_spec.hookspecs import Refuse, UnreadableInput
from plugin_spec.manifest import read_manifest
from tests.support.scripts import ROOT, load_script

PLUGIN = ROOT / "plugins" / "npi-prognosis"
KIT = ROOT / "validation_kits" / "npi-gbsg2"
adapter = load_script("plugins/npi-prognosis/adapter.py")
WOMAN = {"age_years": 55, "size_mm": 20, "nodes_positive": 2, "grade": 2}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "pathology.json"
    path.write_text(json.dumps({**WOMAN, **changes}))
    return path


@pytest.mark.parametrize(("nodes", "stage"), [(0, 1), (1, 2), (3, 2), (4, 3), (40, 3)])
def test_the_node_stage_counts_none_one_to_three_and_more(nodes: int, stage: int) -> None:
    assert adapter.node_stage(nodes) == stage


@pytest.mark.parametrize(
    ("size_mm", "nodes", "grade", "index"),
    [(20, 2, 2, 4.4), (10, 0, 1, 2.2), (45, 9, 3, 6.9), (7, 1, 3, 5.14)],
)
def test_the_index_is_a_fifth_of_the_size_in_centimetres_plus_stage_plus_grade(
    size_mm: float, nodes: float, grade: float, index: float
) -> None:
    assert adapter.index(size_mm, nodes, grade) == index


@pytest.mark.parametrize(
    ("index", "risk"),
    [(2.0, 0.07), (2.4, 0.07), (2.42, 0.15), (3.4, 0.15), (5.4, 0.30), (5.42, 0.50), (6.9, 0.50)],
)
def test_each_group_ends_where_it_is_published_to(index: float, risk: float) -> None:
    assert adapter.death_within_5_years(index) == risk


def test_the_ten_year_risk_is_the_published_parabola() -> None:
    """At 2: 100 - 12.0316 + 24.6 - 16.16 = 96.41 % survive, about the 96 % of the excellent group (Blamey 2007)."""
    assert adapter.death_within_10_years(2.0) == pytest.approx(0.035916, abs=5e-7)
    assert adapter.death_within_10_years(6.9) == pytest.approx(0.744961, abs=5e-7)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"grade": None}, "missing-value"),
        ({"grade": True}, "missing-value"),
        ({"grade": 4}, "implausible-value"),
        ({"grade": 1.5}, "implausible-value"),
        ({"size_mm": 0}, "implausible-value"),
        ({"size_mm": float("nan")}, "implausible-value"),
        ({"nodes_positive": -1}, "implausible-value"),
    ],
)
def test_a_number_that_is_missing_or_cannot_be_meant_is_refused(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    with pytest.raises(Refuse, match=next(iter(changes))) as refused:
        adapter.read_pathology(written(tmp_path, **changes))
    assert refused.value.reason_code == reason


def test_what_is_no_object_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "pathology.json"
    for text in ("[]", "{"):
        path.write_text(text)
        with pytest.raises(UnreadableInput):
            adapter.read_pathology(path)


def test_women_nothing_was_published_for_are_refused() -> None:
    adapter.check_domain(70, 6.9)
    for age, index, reason in ((71, 4.0, "age"), (70, 6.92, "index-range")):
        with pytest.raises(Refuse) as refused:
            adapter.check_domain(age, index)
        assert refused.value.reason_code == reason


def test_manifest_and_kit_fit_together_and_the_plugin_learnt_from_nothing_of_it() -> None:
    manifest, kit = read_manifest(PLUGIN / "plugin.toml"), read_kit(KIT)
    check_fit(manifest, kit)
    section = find_leaks(kit, manifest, {})
    assert section.declared
    assert section.found == ()
