"""An engine test that skips makes CI fail: the suite's own rule, shown on a machine without an engine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS_ENGINE = "import pytest\n\n@pytest.mark.docker\ndef test_engine() -> None:\n    assert True is True\n"
HIDES_ITSELF = "import pytest\n\npytest.skip('not today', allow_module_level=True)\n"
NEEDS_NOTHING = "import pytest\n\ndef test_scan() -> None:\n    pytest.skip('no scans here')\n"


def run_without_engine(folder: Path, source: str, *, required: str) -> subprocess.CompletedProcess[str]:
    """Run one test module under this suite's conftest, with a socket nobody listens on."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_one.py").write_text(source)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            str(ROOT / "pyproject.toml"),
            "--rootdir",
            str(folder),
            str(folder),
        ],
        cwd=folder,
        env={
            **os.environ,
            "DOCKER_HOST": f"unix://{folder}/absent.sock",
            "ASSAY_REQUIRE_ENGINE": required,
            "PYTEST_ADDOPTS": "-p no:cacheprovider",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_the_requirement_an_engine_test_skips_and_says_why(tmp_path: Path) -> None:
    done = run_without_engine(tmp_path, NEEDS_ENGINE, required="0")
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "no Docker engine answers" in done.stdout
    assert "1 skipped" in done.stdout


def test_with_the_requirement_a_missing_engine_fails(tmp_path: Path) -> None:
    done = run_without_engine(tmp_path, NEEDS_ENGINE, required="1")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "ASSAY_REQUIRE_ENGINE=1 allows no skip: Skipped: no Docker engine answers" in done.stdout


def test_with_the_requirement_a_module_cannot_skip_itself(tmp_path: Path) -> None:
    done = run_without_engine(tmp_path, HIDES_ITSELF, required="1")
    assert done.returncode != pytest.ExitCode.OK, done.stdout
    assert "allows no skip: Skipped: not today" in done.stdout


def test_tests_without_an_engine_may_still_skip(tmp_path: Path) -> None:
    done = run_without_engine(tmp_path, NEEDS_NOTHING, required="1")
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert "1 skipped" in done.stdout
