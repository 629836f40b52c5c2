"""The contract suite in a pytest of its own, as an author runs it: a real build, real containers, real failures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.rule_examples import EXAMPLES
from tests.support.tiny import plugin_folder

pytestmark = pytest.mark.docker


def run_suite(plugin: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest in the plugin's parent folder, which is nobody's repository."""
    home = Cli(plugin.parent / "home")
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--assay-plugin",
            plugin.name,
            "-p",
            "no:cacheprovider",
            "-v",
            *arguments,
        ],
        cwd=plugin.parent,
        env={**os.environ, **home.environment, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_an_author_runs_the_suite_and_reads_where_the_adapter_failed(tmp_path: Path) -> None:
    plugin = plugin_folder(tmp_path / "plugin")
    done = run_suite(plugin, "--assay-repeats", "2")
    assert done.returncode == pytest.ExitCode.OK, done.stdout
    assert f"{len(EXAMPLES) + 4} passed" in done.stdout
    assert "plugin/plugin.toml::repeats PASSED" in done.stdout

    adapter = plugin / "adapter.py"
    adapter.write_text(
        adapter.read_text().replace("def run_case(case, state):", "def run_case(case, state):\n    1 / 0")
    )
    done = run_suite(plugin, "-k", "cube-is-measured")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    line = adapter.read_text().splitlines().index("    1 / 0") + 1
    assert f"{plugin.name}/adapter.py:{line}, in run_case" in done.stdout
    assert "ZeroDivisionError: division by zero" in done.stdout
    assert "contract_suite.py" not in done.stdout
