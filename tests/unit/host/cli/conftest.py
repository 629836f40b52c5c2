"""A founded registry, made once: opening a key under its pass phrase is slow on purpose."""

from pathlib import Path

import pytest

from tests.support.cli import Cli


@pytest.fixture(scope="session")
def founded_template(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A registry with its root holder."""
    folder = tmp_path_factory.mktemp("founded")
    cli = Cli(folder / "home", folder / "cache", people=("root",))
    cli.do("trust", "init", "--organisation", "Test Trials", "--root-id", "root", "--root-name", "Rosa Root")
    return cli


@pytest.fixture
def founded(founded_template: Cli, tmp_path: Path) -> Cli:
    """A copy of it for one test."""
    return founded_template.copied(tmp_path / "home")


@pytest.fixture
def nowhere(tmp_path: Path) -> Cli:
    """A home in which nothing was set up."""
    return Cli(tmp_path / "home", tmp_path / "cache", people=("root",))
