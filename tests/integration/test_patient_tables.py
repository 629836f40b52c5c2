"""The two kits made of tables of patients, reduced, on a real engine: the public author's path from check to verify."""

import json
from pathlib import Path

import pytest

from host.home import Home
from host.kits.kit import read_kit
from host.sources.store import SourceStore
from plugin_spec.errors import ExitCode
from tests.support.cli import Cli
from tests.support.scripts import ROOT, load_script
from tests.support.tiny import staffed, submitted

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.slow]

PAIRS = {"fna-malignancy": "fna-wdbc-odd-rows", "npi-prognosis": "npi-gbsg2"}


@pytest.fixture(scope="module")
def sponsor(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """One registry for both, so that layers are built once."""
    return staffed(Cli(tmp_path_factory.mktemp("sponsor") / "home"))


@pytest.mark.parametrize(("plugin", "kit"), PAIRS.items())
def test_the_smoke_subset_of_a_kit_of_patients_ends_as_expected_and_supports_no_claim(
    plugin: str, kit: str, sponsor: Cli
) -> None:
    folder = ROOT / "validation_kits" / kit
    submitted(sponsor, ROOT / "plugins" / plugin, folder)
    answer = sponsor(
        "validate", f"{plugin}@1.0.0", "--kit", folder, "--as", "ada", "--smoke", "--jobs", "2",
        "--engine", "runc", "--json",
    )  # fmt: skip
    assert answer.exit_code == ExitCode.NOT_MET, answer
    done = answer.document
    assert done["verdict"]["verdict"] == "insufficient evidence"
    (ended,) = [
        one for one in done["verdict"]["criteria"] if one["criterion"] == "every_case_ends_as_expected"
    ]
    assert ended["worst_value"] == 1.0
    assert ended["cases"] == len(read_kit(folder).selected(smoke=True))
    sponsor.do("report", "verify", done["validation"])


def test_the_committed_coefficients_are_those_that_the_even_rows_give(tmp_path: Path) -> None:
    (source,) = read_kit(ROOT / "validation_kits" / "fna-wdbc-odd-rows").source_files
    table = tmp_path / "breast_cancer.csv"
    SourceStore(Home(tmp_path / "home", Cli(tmp_path / "home").cache), say=str).copy(source.pinned, table)
    train = load_script("plugins/fna-malignancy/train.py")
    committed = json.loads((ROOT / "plugins" / "fna-malignancy" / "coefficients.json").read_bytes())
    assert train.document(*train.training_rows(table)) == committed
