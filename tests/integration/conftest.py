"""The tiny world is built once per session and copied: a test may harm its copy."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import engine_fault
from tests.support.tiny import TinyWorld, tiny_world


@pytest.fixture(scope="session")
def tiny_template(tmp_path_factory: pytest.TempPathFactory) -> TinyWorld:
    """A sponsor and a site that nobody has harmed; read it, copy it, never change it."""
    if fault := engine_fault():
        pytest.skip(fault)
    return tiny_world(tmp_path_factory.mktemp("tiny-world"))


@pytest.fixture
def tiny(tiny_template: TinyWorld, tmp_path: Path) -> TinyWorld:
    """A sponsor and a site to harm."""
    # Other tests build plugins of the same name, and an engine's names belong to the whole machine.
    for made in (tiny_template.sponsor.home / "builds").glob("*.json"):
        build = json.loads(made.read_bytes())
        tiny_template.site.do("engine", "tag", build["image"], build["image_name"], "--engine", "docker")
    sponsor = tiny_template.sponsor.copied(tmp_path / "sponsor")
    site = tiny_template.site.copied(tmp_path / "site")
    return replace(tiny_template, folder=tmp_path, sponsor=sponsor, site=site)
