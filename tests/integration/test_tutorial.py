"""The tutorial of the author's guide, as a reader would type it: one shell, one empty folder, a real engine."""

from pathlib import Path

import pytest

import plugin_spec
from tests.support.tutorial import steps, unlike_the_guide

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.slow]

GUIDE = (Path(plugin_spec.__file__).parent / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_tutorial_answers_as_it_says(tmp_path: Path) -> None:
    assert {"new", "check", "build", "test", "run", "submit"} <= {
        step.command.split()[2] for step in steps(GUIDE) if step.command.startswith("assay plugin")
    }
    assert unlike_the_guide(GUIDE, tmp_path) == []
