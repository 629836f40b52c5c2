"""The commands of the guide for authors of kits, as a reader would type them: one shell, one empty folder."""

from pathlib import Path

from tests.support.tutorial import steps, unlike_the_guide

GUIDE = (Path(__file__).parents[2] / "validation_kits" / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_guide_answers_as_it_says(tmp_path: Path) -> None:
    words = {step.command.split()[2] for step in steps(GUIDE) if step.command.startswith("assay kit")}
    assert {"new", "check", "show", "fetch", "register", "list"} <= words
    assert unlike_the_guide(GUIDE, tmp_path) == []
