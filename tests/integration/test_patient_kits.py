"""The kits on real patients and the phantom, through the author's and QA's commands, on a real engine.

The MS kits run their smoke subset: the whole kits take minutes, and their results stand in their README.
"""

from pathlib import Path
from typing import Any

import pytest

from plugin_spec.manifest import read_manifest
from tests.support.cli import Cli
from tests.support.tiny import staffed, submitted

pytestmark = [pytest.mark.docker, pytest.mark.patient_data]
ROOT = Path(__file__).parents[2]


def validated(home: Path, plugin: str, kit: str, *options: str) -> Any:
    """The report of a validation of a shipped plugin on a shipped kit."""
    folder = ROOT / "validation_kits" / kit
    cli = submitted(staffed(Cli(home)), ROOT / "plugins" / plugin, folder)
    version = read_manifest(ROOT / "plugins" / plugin / "plugin.toml").version
    done = cli(
        "validate", f"{plugin}@{version}", "--kit", folder, "--as", "ada", "--no-pdf", "--json", *options
    )
    assert done.exit_code in (0, 3), done.err
    validation = done.document["validation"]
    assert cli.read("report", "verify", validation)["checks"]
    return cli.read("report", "show", validation)["report"]


def words(report: Any, *, intervals: bool) -> set[str]:
    """The verdicts on criteria that do, or do not, ask for an interval."""
    asked = {
        one["id"] for one in report["protocol"]["criteria"] if one.get("judged") not in (None, "estimate")
    }
    return {
        one["verdict"] for one in report["verdict"]["criteria"] if (one["criterion"] in asked) == intervals
    }


def test_the_ibsi_phantom_has_the_published_features(data_root: Path, tmp_path: Path) -> None:
    report = validated(tmp_path, "ibsi-first-order", "ibsi-digital-phantom")
    assert (report["verdict"]["verdict"], report["kit"]["evidence"]) == ("met", "phantom")
    assert len(report["verdict"]["criteria"]) == 19


def test_three_patients_with_sarcoma_are_a_case_series(data_root: Path, tmp_path: Path) -> None:
    report = validated(tmp_path, "pet-tumour-volume", "sarcoma-pet-volume", "--jobs", "2")
    assert report["flow"]["subjects"] == 3
    assert report["flow"]["refused_correctly"] == 1
    assert words(report, intervals=True) == {"insufficient evidence"}
    assert "insufficient evidence" not in words(report, intervals=False)


@pytest.mark.parametrize(
    ("plugin", "kit"),
    [("ms-flair-lesions", "ms-lesions-crosssectional"), ("ms-flair-change", "ms-lesions-longitudinal")],
)
def test_patients_with_ms_are_answered_and_no_interval_is_claimed(
    data_root: Path, tmp_path: Path, plugin: str, kit: str
) -> None:
    report = validated(tmp_path, plugin, kit, "--smoke")
    assert report["kit"]["evidence"] == "patient"
    scan_and_copies = 1 + len(report["protocol"]["perturbations"])
    assert (report["flow"]["answered"], report["flow"]["failed"]) == (scan_and_copies, 0)
    assert words(report, intervals=True) == {"insufficient evidence"}
