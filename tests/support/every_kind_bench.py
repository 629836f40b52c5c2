"""Cases of the plugin with a port of every kind, on whatever engine."""

import json
import shutil
import tomllib
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from host.engines.interface import Engine
from host.execution import CaseRequest, Execution, execute, prepare
from host.plugins import PluginCatalogue
from host.releases import InstalledRelease
from host.staging import RunFolder
from host.warm.container import WarmContainer
from plugin_spec.manifest import Manifest, read_manifest
from tests.support.dicom_files import write_series
from tests.support.engine_image import runtime_archive
from tests.support.manifests import write_document
from tests.support.nifti_files import ramp, write_nifti
from tests.support.output_ports import document

FOLDER = Path(__file__).parent / "every_kind"
ADAPTER = "tests.support.every_kind.adapter"
# Turned by 90 degrees about the third axis.
TURNED = [[0.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
COMMAND: dict[str, Any] = {
    "argv": [
        "python3",
        "/opt/assay/tool.py",
        "/assay/out",
        ["--dwi", "{inputs.dwi}"],
        "--t1",
        "{inputs.t1}",
        "--later",
        "{inputs.later}",
        *(
            word
            for port in ("drawn", "series", "earlier", "seeds", "placed", "licence")
            for word in (f"--{port}", f"{{inputs.{port}}}")
        ),
    ],
    "outputs": {
        "visits": "visits.nii",
        "denoised": "denoised.nii.gz",
        "mask": "mask.nii",
        "means": "means.csv",
        "call": "call.json",
        "found": "found.json",
        "risk": "risk.json",
        "back": "back.json",
        "page": "page.html",
        "sheet": "sheet.pdf",
    },
    "exit_codes": {"3": {"outcome": "refused", "reason_code": "told-to-refuse", "message": "told to"}},
}


def as_command(manifest: Manifest, **changes: Any) -> Manifest:
    """The manifest, answered by the tool instead of the adapter."""
    data = json.loads(manifest.model_dump_json())
    data["runtime"] |= {"adapter": None, "command": {**COMMAND, **changes}}
    return Manifest.model_validate_json(json.dumps(data))


def tool_folder(folder: Path, inputs: Mapping[str, Any]) -> Path:
    """A plugin's folder as an author of the tool has it: manifest, image, and the files of the embedded tests."""
    folder.mkdir()
    image = runtime_archive(folder / "image.tar", FOLDER)
    declared = tomllib.loads((FOLDER / "plugin.toml").read_text())
    declared["runtime"] = {"mode": "exec", "command": COMMAND}
    declared["image"] = {"source": "archive", "path": "image.tar", "image": image}
    write_document(folder / "plugin.toml", declared)
    for port, named in declared["tests"][0]["inputs"].items():
        given = inputs[port] if isinstance(named, list) else [inputs[port]]
        for name, source in zip(named if isinstance(named, list) else [named], given, strict=True):
            copy = shutil.copytree if source.is_dir() else shutil.copyfile
            copy(source, folder / name)
            if source.suffix == ".nii" and source.with_suffix(".json").exists():
                shutil.copyfile(source.with_suffix(".json"), (folder / name).with_suffix(".json"))
    write_nifti(folder / "other.nii", ramp(), np.diag([2.0, 1.0, 1.0, 1.0]))
    return folder


class EveryKind:
    """The inputs of one case, and runs of it."""

    def __init__(self, folder: Path, engine: Engine, image: str) -> None:
        self.folder = folder
        self.engine = engine
        self.image = image
        self.manifest = read_manifest(FOLDER / "plugin.toml")
        self.runs = folder / "runs"
        self.runs.mkdir(mode=0o700)
        self._numbers = count()
        self.label = uuid4().hex
        drawn = np.zeros((4, 5, 6), np.uint8)
        drawn[1:3, 1:3, 1:3] = 1
        self.inputs: dict[str, Any] = {
            "t1": self.image_file("t1.nii", 0, day="2026-03-01"),
            "later": (
                self.image_file("b.nii", 10, day="2026-03-20"),
                self.image_file("a.nii", 20, day="2026-05-01"),
            ),
            "drawn": write_nifti(folder / "drawn.nii", drawn),
            "series": write_series(folder / "series", 5),
            "earlier": self.document("measurements", rows=[{"lesion_ml": 250.0}]),
            "seeds": self.document(
                "detections", frame="LPS", detections=[{"label": "lesion", "point": [-1.0, -2.0, 3.0]}]
            ),
            "placed": self.document("transform", matrix=TURNED),
            "licence": self.file("Doe.txt", b"licensed to nobody"),
        }

    def image_file(self, name: str, brighter: int, *, day: str) -> Path:
        """A scan and its sidecar."""
        self.file(name.replace(".nii", ".json"), json.dumps({"AcquisitionDate": day}).encode())
        return write_nifti(self.folder / name, ramp() + np.int16(brighter))

    def document(self, kind: str, **fields: Any) -> Path:
        """A document as a file."""
        return self.file(f"{kind}.json", document(kind, **fields))

    def file(self, name: str, content: bytes) -> Path:
        """Any file."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def run(
        self, manifest: Manifest | None = None, *, warm: WarmContainer | None = None, **changes: Any
    ) -> Execution:
        """Run the case, with inputs replaced; ``None`` leaves one out."""
        release = InstalledRelease(
            manifest=manifest or self.manifest,
            manifest_digest=self.image,
            image=self.image,
            image_name="assay/every-kind:1.0.0",
            weights={},
            weight_refs=(),
        )
        given = {name: value for name, value in {**self.inputs, **changes}.items() if value is not None}
        run_id = f"{next(self._numbers):016x}"
        folder = RunFolder.create(self.runs / run_id)
        prepared = prepare(release, CaseRequest("case", given, {}), folder, run_id=run_id)
        self.log = folder.log
        return execute(
            prepared,
            catalogue=PluginCatalogue(),
            engine=self.engine,
            labels={"assay.test.every-kind": self.label},
            cancelled=lambda: False,
            warm=warm,
        )
