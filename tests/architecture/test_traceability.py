"""The page for QA lists exactly the tests that there are, no requirement without one, and nothing unknown."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import traceability
from tests.support.traceability import PAGE, ROOT, requirements, showing, unknown_names, without_test

REGENERATE = "make it anew: python -m tests.support.traceability"


def listed() -> list[str]:
    """The page without its results, which change from run to run."""
    lines = PAGE.read_text("utf-8").splitlines()
    return [line.partition(": ")[2] if line.startswith("- ") else line for line in lines]


@pytest.mark.requirement("R27")
def test_every_requirement_has_a_test_or_is_admitted_to_have_none_yet() -> None:
    shown = showing("requirement")
    assert [one for one in requirements() if one not in shown] == list(without_test())


@pytest.mark.requirement("R27")
def test_no_test_names_a_requirement_that_is_not_listed() -> None:
    assert unknown_names(showing("requirement"), "requirement") == []


def test_the_requirements_are_numbered_without_gaps() -> None:
    assert list(requirements()) == [f"R{number}" for number in range(1, len(requirements()) + 1)]
    assert len(requirements()) == 32


@pytest.mark.requirement("R27")
def test_the_page_lists_exactly_the_marked_tests() -> None:
    made = traceability.page({}).splitlines()
    expected = [line.partition(": ")[2] if line.startswith("- ") else line for line in made]
    assert listed() == expected, REGENERATE


def test_every_result_on_the_page_is_a_word_that_a_run_can_write() -> None:
    page = PAGE.read_text("utf-8").splitlines()
    words = {line[2:].partition(": ")[0] for line in page if "::" in line and line.startswith("- ")}
    assert words <= {*traceability.ORDER, traceability.NOT_RUN, "honest twin"}


PLUGIN = """
from pathlib import Path
from tests.support import traceability
from tests.support.traced_run import TracedRun
traceability.RESULTS = Path("build/traceability.json").resolve()
def pytest_configure(config):
    for one in traceability.MARKERS:
        config.addinivalue_line("markers", one)
    config.pluginmanager.register(TracedRun())
"""


def run_of(folder: Path, body: str) -> "subprocess.CompletedProcess[str]":
    (folder / "conftest.py").write_text(PLUGIN, "utf-8")
    (folder / "test_one.py").write_text(f"import pytest\n{body}", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."]
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


def test_a_run_writes_the_worst_result_of_each_marked_test(tmp_path: Path) -> None:
    body = (
        "@pytest.mark.requirement('R1', 'R5')\n"
        "@pytest.mark.parametrize('n', [0, 1])\n"
        "def test_two(n): assert n == 0\n"
        "@pytest.mark.requirement('R5')\n"
        "def test_good(): pass\n"
        "def test_unmarked(): pass\n"
    )
    assert run_of(tmp_path, body).returncode == 1
    written = json.loads((tmp_path / "build" / "traceability.json").read_text("utf-8"))
    assert written == {
        "R1": {"test_one.py::test_two": "failed"},
        "R5": {"test_one.py::test_good": "passed", "test_one.py::test_two": "failed"},
    }
    run_of(tmp_path, "@pytest.mark.requirement('R1')\ndef test_two(): pass\n")
    written = json.loads((tmp_path / "build" / "traceability.json").read_text("utf-8"))
    assert written == {"R1": {"test_one.py::test_two": "passed"}, "R5": {"test_one.py::test_good": "passed"}}


def test_a_run_with_an_unknown_requirement_does_not_start(tmp_path: Path) -> None:
    done = run_of(tmp_path, "@pytest.mark.requirement('R99')\ndef test_one(): pass\n")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "no requirement 'R99' is listed" in done.stderr
    assert not (tmp_path / "build").exists()
