"""The generator of the first kit, on a small synthetic anatomy (the real template is not needed)."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import nibabel as nib
import numpy as np
import pytest

SCRIPT = Path(__file__).parents[3] / "validation_kits" / "brain-tissue-mni152" / "make_kit.py"


@pytest.fixture(scope="module")
def make_kit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("brain_tissue_make_kit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory, make_kit: ModuleType) -> Path:
    """An ellipsoid of grey around white, stored as the template is: 1 mm, uint8, 0 to 255."""
    folder = tmp_path_factory.mktemp("sources")
    x, y, z = np.meshgrid(*(np.linspace(-1.1, 1.1, size) for size in (38, 44, 36)), indexing="ij")
    radius = x**2 + y**2 + z**2
    inside, white = radius <= 1, radius <= 0.5
    maps = {"t1": inside * 150 + white * 60, "gm": (inside & ~white) * 255, "wm": white * 255}
    for name, data in maps.items():
        image = nib.Nifti1Image(data.astype(np.uint8), np.eye(4))  # type: ignore[no-untyped-call]  # nibabel
        nib.save(image, folder / make_kit.SOURCE.format(name))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_kit: ModuleType, sources: Path) -> Path:
    out = tmp_path_factory.mktemp("made")
    assert make_kit.main([str(sources), str(out), str(out / "cases.csv")]) == 0
    return out


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.nii")
    }


def test_two_runs_give_the_same_bytes(
    tmp_path: Path, make_kit: ModuleType, sources: Path, made: Path
) -> None:
    assert make_kit.main([str(sources), str(tmp_path)]) == 0
    assert digests(tmp_path) == digests(made)
    assert len(digests(made)) == 22


def test_the_table_names_the_digest_of_every_file(make_kit: ModuleType, made: Path) -> None:
    from host.kits.case_rows import parse_cases

    cases = parse_cases((made / "cases.csv").read_bytes(), made / "cases.csv")
    files = [file for case in cases for file in case.files()]
    assert {file.path: file.sha256 for file in files} == {
        path: f"sha256:{digest}" for path, digest in digests(made).items()
    }
    assert [case.case_id for case in cases] == [recipe.case_id for recipe in make_kit.RECIPES]


def test_scaling_changes_the_reference_volume_by_the_cube_of_the_scale(made: Path) -> None:
    from host.kits.case_rows import parse_cases

    brain = {
        case.case_id: case.values["brain_ml"]
        for case in parse_cases((made / "cases.csv").read_bytes(), made / "cases.csv")
        if case.values
    }
    assert brain["scaled-0.97"] / brain["clean-2mm"] == pytest.approx(0.912673, abs=1e-3)


def test_averaging_keeps_the_mean_and_the_affine_keeps_the_place(make_kit: ModuleType) -> None:
    data = np.arange(6.0)[:, None, None] * np.ones((6, 6, 6))
    averaged = make_kit.averaged(data, np.array([1.5, 2.0, 3.0]))
    assert averaged.shape == (4, 3, 2)
    assert averaged[:, 0, 0] == pytest.approx([1 / 3, 5 / 3, 10 / 3, 14 / 3])
    anatomy = make_kit.Anatomy(data, data, data, np.eye(4))
    coarse = make_kit.resampled(anatomy, make_kit.Recipe("x", "voxel", "2", spacing_mm=(2.0, 2.0, 2.0)))
    assert coarse.affine @ [0, 0, 0, 1] == pytest.approx([0.5, 0.5, 0.5, 1])


def test_the_bias_field_spans_the_declared_range(make_kit: ModuleType) -> None:
    field = make_kit.bias_field(np.ones((20, 20, 20), dtype=bool), 40.0)
    assert (field.min(), field.max()) == pytest.approx((0.8, 1.2))


def test_rician_noise_of_no_signal_has_the_rayleigh_mean(make_kit: ModuleType) -> None:
    noise = make_kit.rician(np.zeros((60, 60, 60)), 1.0, seed=1)
    assert noise.mean() == pytest.approx(np.sqrt(np.pi / 2), rel=0.01)  # Gudbjartsson & Patz 1995, eq. 6


def test_wrong_arguments_are_answered_with_the_usage(
    make_kit: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_kit.main([]) == 64
    assert "usage" in capsys.readouterr().err
