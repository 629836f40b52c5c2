"""The plugin that is timed, and scans no two of which are alike: what it costs is what surrounds it."""

import json
import shutil
from pathlib import Path

from tests.bench.benchmark import WrongAnswerError
from tests.support import tiny
from tests.support.tiny_kit.make_kit import SHAPE, nifti

PLUGIN = "bench-volumes"
IMAGE = f"assay/{PLUGIN}:1.0.0"
SERVING = f"assay/{PLUGIN}:1.0.1"
# The tiny plugin counts voxels of 100 and more, each one millilitre.
BRIGHT, GROUND, DARK_VALUES = 200, 5, 90
# What a peer calls: the same adapter, without Assay around it.
COMMAND = ("python3", "/opt/assay/adapter.py")
MAIN = """

if __name__ == "__main__":
    import sys
    from pathlib import Path

    from plugin_spec import Case

    here = Path.cwd()
    scan = Path(sys.argv[1])
    answer = run_case(Case("bench", {"scan": scan}, {}, output_folder=here, scratch_folder=here), None)
    (here / "volumes.json").write_text(json.dumps({"rows": answer.outputs["volumes"]}))
"""


def plugin_folder(folder: Path, *, serve: bool = False) -> Path:
    """The tiny plugin under a name of its own, callable without a host as well; version 1.0.1 may serve many cases."""
    made = tiny.plugin_folder(folder)
    manifest = (made / "plugin.toml").read_text().replace('id = "tiny-volumes"', f'id = "{PLUGIN}"')
    if serve:
        manifest = manifest.replace('mode = "exec"', 'mode = "serve"')
        manifest = manifest.replace('version = "1.0.0"', 'version = "1.0.1"', 1)
    (made / "plugin.toml").write_text(manifest)
    with (made / "adapter.py").open("a") as stream:
        stream.write(MAIN)
    return made


def write_scan(path: Path, number: int) -> Path:
    """The scan of a number below 90 to the third power, which its dark voxels spell; no other scan is like it."""
    voxels = [GROUND] * (SHAPE[0] * SHAPE[1] * SHAPE[2])
    voxels[0] = 0  # the plugin's behaviour: answer
    voxels[1:4] = [number // DARK_VALUES**place % DARK_VALUES for place in range(3)]
    count = expected_ml(number)
    voxels[-count:] = [BRIGHT] * count
    path.write_bytes(nifti(voxels, 4))  # type: ignore[no-untyped-call]  # a script for any Python
    return path


def expected_ml(number: int) -> int:
    """What the plugin measures on the scan of a number."""
    return 1 + number % 100


def check_measured(measured_ml: float, number: int) -> None:
    """Refuse an answer that is not this scan's."""
    if measured_ml != expected_ml(number):
        raise WrongAnswerError(
            f"scan {number}: {measured_ml} mL measured, {expected_ml(number)} mL are there"
        )


def check_written(folder: Path, number: int) -> None:
    """Refuse a folder whose ``volumes.json`` is missing or not this scan's; then empty it."""
    path = folder / "volumes.json"
    if not path.is_file():
        raise WrongAnswerError(f"scan {number}: no {path.name} was written")
    check_measured(json.loads(path.read_text())["rows"][0]["bright_ml"], number)
    shutil.rmtree(folder)
