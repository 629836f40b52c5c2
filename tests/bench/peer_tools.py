"""The peers, installed at pinned versions beside Assay's own environment, and the same tool described to each."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.benchmark import CannotRunError
from tests.bench.volumes import COMMAND

BOUTIQUES, CWLTOOL = "boutiques==0.5.33", "cwltool==3.3.20260925135507"
INSTALL_TIMEOUT_S = 600


def executable(venv: Path, requirement: str, program: str) -> Path:
    """Where a peer's program is, installed on the first call.

    Raises
    ------
    CannotRunError
        It cannot be installed here.
    """
    found = venv / "bin" / program
    if found.is_file():
        return found
    uv = Path(sys.executable).with_name("uv")
    steps: list[list[object]] = [
        [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, venv],
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            venv / "bin" / "python",
            requirement,
        ],
    ]
    for step in steps:
        try:
            subprocess.run(
                [str(word) for word in step],
                check=True,
                capture_output=True,
                text=True,
                timeout=INSTALL_TIMEOUT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            raise CannotRunError(
                f"{requirement} cannot be installed: {said[-1] if said else error}"
            ) from error
    return found


def environment(venv: Path) -> dict[str, str]:
    """What a peer's process gets to see."""
    return {**os.environ, "PATH": f"{venv / 'bin'}:{os.environ['PATH']}"}


def boutiques_descriptor(path: Path, image: str) -> Path:
    """The tool as Boutiques describes it."""
    document = {
        "name": "bench volumes",
        "description": "Marks the bright voxels of a small scan.",
        "tool-version": "1.0.0",
        "schema-version": "0.5",
        "command-line": f"{' '.join(COMMAND)} [SCAN]",
        "container-image": {"type": "docker", "image": image},
        "inputs": [{"id": "scan", "name": "scan", "type": "File", "value-key": "[SCAN]"}],
        "output-files": [{"id": "volumes", "name": "volumes", "path-template": "volumes.json"}],
    }
    path.write_text(json.dumps(document))
    return path


def cwl_tool(path: Path, image: str) -> Path:
    """The tool as the Common Workflow Language describes it."""
    document = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "baseCommand": list(COMMAND),
        "requirements": {"DockerRequirement": {"dockerImageId": image, "dockerPull": image}},
        "inputs": {"scan": {"type": "File", "inputBinding": {"position": 1}}},
        "outputs": {"volumes": {"type": "File", "outputBinding": {"glob": "volumes.json"}}},
    }
    path.write_text(json.dumps(document))
    return path
