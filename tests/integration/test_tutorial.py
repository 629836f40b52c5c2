"""The tutorial of the author's guide, as a reader would type it: one shell, one empty folder, a real engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import plugin_spec
from tests.support.tutorial import missing, steps

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.slow]

GUIDE = (Path(plugin_spec.__file__).parent / "README.md").read_text(encoding="utf-8")
END = "---- end of step, exit code "


def test_every_command_of_the_tutorial_answers_as_it_says(tmp_path: Path) -> None:
    tutorial = steps(GUIDE)
    assert {"new", "check", "build", "test", "run", "submit"} <= {
        step.command.split()[2] for step in tutorial if step.command.startswith("assay plugin")
    }
    script = "".join(f'{step.command}\necho; echo "{END}$?"\n' for step in tutorial)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("ASSAY_PASSPHRASE")
    }
    environment |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    answers = done.stdout.split(f"\n{END}")
    assert len(answers) == len(tutorial) + 1, done.stdout
    for number, step in enumerate(tutorial):
        answer = answers[number] if number == 0 else answers[number].partition("\n")[2]
        exit_code = answers[number + 1].partition("\n")[0]
        assert exit_code == "0", f"$ {step.command}\n{answer}"
        assert missing(step, answer) == [], f"$ {step.command}\n{answer}"
