"""Kill -9 while the registry acts, signs, imports, takes in or exports: what it acknowledged stays, and all is whole.

A step is killed at several moments between its start and its end, as the moments of an undisturbed run show them.
"""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugin_spec.errors import AssayError, PolicyError
from registry.audit import verify_log
from tests.conftest import ROOT
from tests.support.registry_builders import World, build_world
from tests.support.registry_steps import STEPS, TRIAL_BUNDLE, opened

pytestmark = [pytest.mark.slow]
# Of the time that the step takes undisturbed.
MOMENTS = (0.0, 0.3, 0.6, 0.9)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A trial that a site has imported and run, and whose return is on its way."""
    world = build_world(tmp_path_factory.mktemp("template")).locked().imported()
    world.run()
    world.returned()
    return world


def prepared(template: World, folder: Path, step: str) -> World:
    """A world in which the step is due."""
    if step != "import":
        world = template.copied(folder)
        for name in ("trial.zip", "return.zip"):
            (folder / name).write_bytes((template.folder / name).read_bytes())
        return world
    world = build_world(folder).locked()
    world.exported(TRIAL_BUNDLE)
    return world


def started(world: World, step: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.registry_steps", str(world.folder), step]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def undisturbed_s(template: World, folder: Path, step: str) -> float:
    process = started(prepared(template, folder, step), step)
    begun = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "done\n"), err
    return time.monotonic() - begun


def log_of(world: World) -> list[str]:
    return [one.digest for home in (world.sponsor, world.site) for one in home.log.records()]


def assert_whole(world: World) -> None:
    for home in (world.sponsor, world.site):
        assert verify_log(home) == ()
    assert not list(world.folder.rglob(".*.partial"))[1:], "one half-written file at most"


def step_again(world: World, step: str) -> None:
    """The step is either still due, or refused because it was done."""
    try:
        STEPS[step](world)
    except PolicyError:
        assert step in {"act", "sign", "take in"}


@pytest.mark.requirement("R3")
@pytest.mark.attack("kill at any moment")
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_was_killed_is_done_or_not_begun_and_what_was_acknowledged_stays(
    template: World, tmp_path: Path, step: str
) -> None:
    (tmp_path / "whole").mkdir()
    needs_s = undisturbed_s(template, tmp_path / "whole", step)
    outcomes = set()
    for number, share in enumerate(MOMENTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        before = log_of(prepared(template, folder, step))
        process = started(opened(folder), step)
        time.sleep(share * needs_s)
        process.kill()
        out, _ = process.communicate()
        world = opened(folder)
        after = log_of(world)
        assert set(before) <= set(after), "an acknowledged record is lost"
        assert_whole(world)
        if out == "done\n" and step != "export":
            assert len(after) > len(before)
        outcomes.add(len(after) - len(before))
        step_again(world, step)
        assert_whole(world)
    assert len(outcomes) <= 2, f"a step was done in part: {outcomes}"


def test_a_step_that_fails_says_so(template: World, tmp_path: Path) -> None:
    world = prepared(template, tmp_path, "take in")
    (tmp_path / "return.zip").write_bytes(b"no bundle")
    with pytest.raises(AssayError):
        STEPS["take in"](world)
