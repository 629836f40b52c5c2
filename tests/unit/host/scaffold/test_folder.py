"""A new plugin: complete, honest about what only its author knows, and never written over another."""

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel
import numpy as np
import pytest

from host.check.plugin import check_plugin
from host.errors import OptionError, TargetError
from host.images.base_lock import read_base_lock
from host.images.debian_lock import read_debian_lock
from host.images.requirements import read_requirements
from host.scaffold.folder import write_plugin
from host.scaffold.phantom import BALLS, bright_voxels
from plugin_spec import Case, CaseResult, Context, Refuse
from plugin_spec.image import PackagesImage
from plugin_spec.model import FILL_IN
from plugin_spec.typed import typed_adapter
from tests.support.cli import Cli

CAPABILITIES = ("detection", "segmentation", "classification", "quantification", "prediction")
SCAFFOLDS = [*((one, False) for one in CAPABILITIES), ("quantification", True)]
LEVEL = {"level": 0.5}


def written(folder: Path, capability: str, tool: bool = False) -> Path:
    write_plugin(folder, "my-plugin", capability, tool=tool)
    return folder / "my-plugin"


def answer(plugin: Path, image: str, out: Path) -> CaseResult:
    """Answer of a new plugin's adapter, which is code of our own and so may run here."""
    spec = importlib.util.spec_from_file_location("adapter", plugin / "adapter.py")
    assert spec is not None and spec.loader is not None
    module = ModuleType("adapter")
    spec.loader.exec_module(module)
    adapter = typed_adapter(module)
    assert adapter is not None
    adapter.setup(Context(weights={}, seed=0, threads=1))
    out.mkdir()
    return adapter.run_case(Case("phantom", {"image": plugin / "tests" / image}, LEVEL, out, out), None)


@pytest.mark.parametrize(("capability", "tool"), SCAFFOLDS)
def test_a_new_plugin_fits_the_contract(capability: str, tool: bool, tmp_path: Path) -> None:
    manifest = check_plugin(written(tmp_path, capability, tool))
    assert (manifest.id, manifest.capabilities) == ("my-plugin", (capability,))
    assert (manifest.runtime.command is not None) == tool


@pytest.mark.parametrize(("capability", "tool"), SCAFFOLDS)
def test_what_only_a_human_knows_is_marked(capability: str, tool: bool, tmp_path: Path) -> None:
    declared = tomllib.loads((written(tmp_path, capability, tool) / "plugin.toml").read_text())
    attribution = declared["attribution"]
    marked = [attribution[name] for name in ("intended_use", "not_for", "training_data")]
    marked += [*attribution["known_failure_modes"], *attribution["authors"], declared["summary"]]
    marked += [declared["indications"][0]["disease"], declared["domain"][0]["evidence"]]
    marked += [attribution["citations"][0]["text"]]
    assert [text for text in marked if not text.startswith(FILL_IN)] == []


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_new_adapter_refuses_its_negative_test(capability: str, tmp_path: Path) -> None:
    with pytest.raises(Refuse, match="voxels below 0") as refusal:
        answer(written(tmp_path, capability), "negative.nii.gz", tmp_path / "out")
    assert refusal.value.reason_code == "negative-values"


def test_the_segmentation_marks_the_phantoms_bright_voxels(tmp_path: Path) -> None:
    plugin = written(tmp_path, "segmentation")
    mask = nibabel.load(answer(plugin, "phantom.nii.gz", tmp_path / "out").outputs["mask"])
    reference = nibabel.load(plugin / "tests" / "mask.nii.gz")
    assert np.array_equal(mask.get_fdata(), reference.get_fdata())
    assert np.count_nonzero(reference.get_fdata()) == bright_voxels()
    assert np.array_equal(mask.affine, reference.affine)


def test_the_detection_finds_the_centre_of_each_ball_in_patient_coordinates(tmp_path: Path) -> None:
    plugin = written(tmp_path, "detection")
    spots: Any = answer(plugin, "phantom.nii.gz", tmp_path / "out").outputs["spots"]
    affine = nibabel.load(plugin / "tests" / "phantom.nii.gz").affine
    centres = [nibabel.affines.apply_affine(affine, centre) * (-1, -1, 1) for centre, _ in BALLS]
    assert np.allclose(sorted(one["point"] for one in spots), sorted(list(one) for one in centres))


def test_the_numbers_are_those_of_the_phantom(tmp_path: Path) -> None:
    plugin = written(tmp_path, "quantification")
    row: Any = answer(plugin, "phantom.nii.gz", tmp_path / "out").outputs["numbers"]
    assert row == {"bright_ml": pytest.approx(bright_voxels() * 0.064), "bright_mean": 1000.0}


@pytest.mark.parametrize(("capability", "port", "field"), [("prediction", "risk", "value")])
def test_the_risk_lies_in_its_interval(capability: str, port: str, field: str, tmp_path: Path) -> None:
    plugin = written(tmp_path, capability)
    risk: Any = answer(plugin, "phantom.nii.gz", tmp_path / "out").outputs[port]
    (compare,) = tomllib.loads((plugin / "plugin.toml").read_text())["tests"][0]["compare"]
    assert risk["lower"] < risk[field] < risk["upper"]
    assert risk[field] == pytest.approx(compare["value"], abs=compare["absolute"])


def test_the_phantom_is_bright_enough_to_be_classified(tmp_path: Path) -> None:
    plugin = written(tmp_path, "classification")
    finding: Any = answer(plugin, "phantom.nii.gz", tmp_path / "out").outputs["finding"]
    assert finding["label"] == "bright_part"
    assert sum(finding["probabilities"].values()) == pytest.approx(1)


def test_requirements_and_debian_packages_are_locked(tmp_path: Path) -> None:
    plugin = written(tmp_path, "segmentation")
    assert {one.name for one in read_requirements(plugin / "requirements.txt")} >= {"nibabel", "numpy"}
    tool = write_plugin(tmp_path, "tool", "quantification", tool=True)
    assert "debian.lock.json" in tool
    image = check_plugin(tmp_path / "tool").image
    assert isinstance(image, PackagesImage)
    lock = read_debian_lock(tmp_path / "tool/debian.lock.json", names=image.debian, base=read_base_lock())
    assert set(lock.asked) == set(image.debian)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    plugin = written(tmp_path, "segmentation")
    before = {path: path.read_bytes() for path in plugin.rglob("*") if path.is_file()}
    with pytest.raises(TargetError, match="exists already"):
        write_plugin(tmp_path, "my-plugin", "detection", tool=False)
    assert {path: path.read_bytes() for path in plugin.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["my-plugin"]


@pytest.mark.parametrize(
    "name", ["My-Plugin", "brain_lesions", "-x", "ä", "a" * 64, "a b", "../up", "a/b", ""]
)
def test_a_name_that_is_no_identifier_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be a plugin's identifier"):
        write_plugin(tmp_path, name, "detection", tool=False)
    assert list(tmp_path.iterdir()) == []


def test_a_tool_measures(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--tool writes an example that measures"):
        write_plugin(tmp_path, "tool", "detection", tool=True)


@pytest.fixture
def nowhere(tmp_path: Path) -> Cli:
    """A home in which nothing was set up."""
    return Cli(tmp_path / "home", tmp_path / "cache")


def test_the_command_names_what_it_wrote_and_what_comes_next(nowhere: Cli, tmp_path: Path) -> None:
    made = nowhere("plugin", "new", "my-plugin", "--capability", "segmentation", "--into", tmp_path)
    assert made.exit_code == 0, made.err
    assert "adapter.py" in made.out
    assert made.err.splitlines()[-1] == f"next: assay plugin check {tmp_path / 'my-plugin'}"
    again = nowhere("plugin", "new", "my-plugin", "--capability", "detection", "--into", tmp_path).refused()
    assert (again.code, again.hint) == ("bad-target", "name a new one")
    (tmp_path / "in").mkdir()
    wrong = nowhere(
        "plugin", "new", "../up", "--capability", "detection", "--into", tmp_path / "in"
    ).refused()
    assert wrong.code == "bad-option"
