"""Worlds of increasing depth; the deep ones are built once and copied."""

from pathlib import Path

import pytest

from tests.support.registry_builders import World, build_world


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A sponsor with its staff and an enrolled site."""
    return build_world(tmp_path)


@pytest.fixture(scope="session")
def approved_template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("approved")).approved()


@pytest.fixture(scope="session")
def imported_template(tmp_path_factory: pytest.TempPathFactory) -> World:
    return build_world(tmp_path_factory.mktemp("imported")).locked().imported()


@pytest.fixture
def approved(approved_template: World, tmp_path: Path) -> World:
    """An approved release."""
    return approved_template.copied(tmp_path)


@pytest.fixture
def imported(imported_template: World, tmp_path: Path) -> World:
    """A trial lock in force that the site has imported."""
    return imported_template.copied(tmp_path)
