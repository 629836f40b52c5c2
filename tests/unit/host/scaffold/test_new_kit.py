"""What ``assay kit new`` writes: a kit without a fault, which fits a new plugin and waits for a human."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from host.errors import KitError, OptionError, TargetError
from host.home import Home
from host.kits.check.folder import check_for_registration, inspect_kit
from host.kits.kit import read_kit
from host.scaffold.folder import write_kit, write_plugin
from host.validation.fit import check_fit
from plugin_spec.manifest import read_manifest
from tests.support.cli import Cli

CAPABILITIES = ("detection", "segmentation", "classification", "quantification", "prediction")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", tmp_path / "cache")


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_new_kit_has_no_fault_but_what_a_human_must_type(
    capability: str, tmp_path: Path, home: Home
) -> None:
    files = write_kit(tmp_path, "new-kit", capability)
    assert all((tmp_path / "new-kit" / file).is_file() for file in files)
    checked = inspect_kit(tmp_path / "new-kit", home)
    assert checked.errors == ()
    assert {one.fault.rule for one in checked.faults} == {"K711"}
    assert len(checked.waiting) > 10
    assert {one.file for one in checked.waiting} == {"kit.toml", "protocol.toml", "README.md", "LICENSE"}
    with pytest.raises(KitError, match="a human must still type this"):
        check_for_registration(tmp_path / "new-kit", home)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_new_plugin_of_the_same_capability_can_be_judged_on_it(capability: str, tmp_path: Path) -> None:
    write_kit(tmp_path, "new-kit", capability)
    write_plugin(tmp_path, "new-plugin", capability, tool=False)
    kit = read_kit(tmp_path / "new-kit")
    check_fit(read_manifest(tmp_path / "new-plugin" / "plugin.toml"), kit)
    assert {case.evidence for case in kit.cases} == {"phantom"}
    assert [case.expected for case in kit.cases].count("refused") == 1
    assert 0 < len(kit.selected(smoke=True)) < len(kit.cases)


def test_the_references_are_what_was_drawn(tmp_path: Path) -> None:
    write_kit(tmp_path, "masks", "segmentation")
    write_kit(tmp_path, "volumes", "quantification")
    volumes = {case.case_id: case.values for case in read_kit(tmp_path / "volumes").cases}
    for path in sorted((tmp_path / "masks" / "reference").iterdir()):
        mask = np.asarray(nibabel.load(path).dataobj)  # type: ignore[attr-defined]  # nibabel's stubs
        image = np.asarray(nibabel.load(tmp_path / "masks" / "images" / path.name).dataobj)  # type: ignore[attr-defined]
        assert np.array_equal(mask == 1, image == 1000)
        drawn_ml = mask.sum() * 4.0**3 / 1000
        assert volumes[path.name.removesuffix(".nii.gz")]["bright_ml"] == pytest.approx(drawn_ml, abs=0.001)


def test_a_kit_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    write_kit(tmp_path, "new-kit", "detection")
    with pytest.raises(TargetError, match="exists already"):
        write_kit(tmp_path, "new-kit", "detection")
    with pytest.raises(OptionError, match="cannot be a kit's identifier"):
        write_kit(tmp_path, "New Kit", "detection")
    assert [path.name for path in tmp_path.iterdir()] == ["new-kit"]


def test_the_command_tells_the_files_and_what_comes_next(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home", tmp_path / "cache")
    told = cli("kit", "new", "new-kit", "--capability", "detection", "--into", tmp_path)
    assert told.exit_code == 0
    assert "cases.csv" in told.out
    assert f"next: assay kit check {tmp_path / 'new-kit'}" in told.err
    told = cli("kit", "check", tmp_path / "new-kit")
    assert "Before it is registered a human must still type" in told.out
    assert "kit register" not in told.err
