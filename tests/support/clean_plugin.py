"""A plugin's folder in which `assay plugin check` finds nothing, to be spoilt by one change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from tests.support.manifests import manifest_document
from tests.support.tiny_kit.make_kit import cube, nifti

ADAPTER = """\
from plugin_spec import algorithm


@algorithm
def measure(t1, **others):
    return {"numbers": {"mean": 1.0}}
"""
SCAN = nifti([100 * inside for inside in cube(2)], 4)
EMPTY = nifti([0 for _ in cube(2)], 4)


def _document() -> dict[str, Any]:
    document = manifest_document()
    document["domain"] = [
        {
            "port": "t1",
            "tag": "geometry.voxels",
            "maximum": 10_000_000.0,
            "unit": "{voxel}",
            "missing": "refuse",
            "outside": "refuse",
            "evidence": "The scans of the test set are no larger.",
        }
    ]
    document["outputs"][0]["columns"][0] |= {
        "concept": {"value": "373098007", "scheme": "SCT", "meaning": "Mean"},
        "repeatability": {"wcv_percent": 2.0, "source": "A test-retest study."},
    }
    for test, name in zip(document["tests"], ("ramp", "empty"), strict=True):
        test["inputs"] = {"t1": f"tests/{name}.nii"}
    return document


@dataclass
class CleanPlugin:
    """What will be written: the manifest as plain data, and the other files by name."""

    document: dict[str, Any] = field(default_factory=_document)
    files: dict[str, bytes] = field(
        default_factory=lambda: {
            "adapter.py": ADAPTER.encode(),
            "tests/ramp.nii": SCAN,
            "tests/empty.nii": EMPTY,
        }
    )

    def write(self, folder: Path) -> Path:
        """Write the folder and return it; a file called ``plugin.toml`` stands for the document."""
        for name, data in {"plugin.toml": tomli_w.dumps(self.document).encode(), **self.files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder


def spoilt(folder: Path, change: Callable[[CleanPlugin], object]) -> Path:
    """Write a clean plugin after one change, and return its folder."""
    plugin = CleanPlugin()
    change(plugin)
    return plugin.write(folder)
