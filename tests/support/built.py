"""The tiny plugin as an author has it after a build: a home, a folder, and an engine that holds the image."""

from pathlib import Path

from host.engines.interface import Engine
from host.home import Home
from host.workbench import BenchAnswer, run_once
from registry.canonical import canonical_json, digest
from tests.support.memory_engine import MemoryEngine
from tests.support.tiny import IMAGE_NAME, plugin_folder, write_scan

IMAGE = "sha256:" + "a" * 64


class Bench:
    """The tiny plugin, built."""

    def __init__(
        self, folder: Path, mode: str = "exec", engine: Engine | None = None, image: str = IMAGE
    ) -> None:
        folder.chmod(0o700)
        self.folder = folder
        self.home = Home(folder / "home", folder / "cache")
        self.home.ensure()
        self.plugin = plugin_folder(folder / "plugin")
        declared = self.plugin / "plugin.toml"
        declared.write_text(declared.read_text().replace('mode = "exec"', f'mode = "{mode}"'))
        self.engine = engine or MemoryEngine(images={IMAGE})
        self.image = image
        self.describe_build()

    def describe_build(self) -> None:
        """Let the folder as it is now count as built."""
        made = {
            "contract": "assay.build/1",
            "plugin": "tiny-volumes",
            "version": "1.0.0",
            "image": self.image,
            "image_name": IMAGE_NAME,
            "manifest": digest((self.plugin / "plugin.toml").read_bytes()),
            "io_schema": IMAGE,
            "sbom": IMAGE,
            "weights": [],
            "layers": [],
            "layer_bytes": 0,
        }
        (self.home.builds / "tiny-volumes-1.0.0.json").write_bytes(canonical_json(made))

    def run(self, behaviour: str = "answer", out: Path | None = None) -> BenchAnswer:
        scan = write_scan(self.folder / "scan.nii", behaviour)
        return run_once(self.home, self.plugin, self.engine, inputs={"scan": scan}, parameters={}, out=out)
