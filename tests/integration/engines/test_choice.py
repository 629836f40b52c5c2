"""Which engine a command uses, and that both engines hold the same image under the same name."""

from pathlib import Path

import pytest

from host.engine_choice import choose
from host.engines.interface import Engine
from host.errors import ImageMissingError
from tests.support.cli import Cli
from tests.support.engine_bench import ENGINES
from tests.support.engine_image import docker_archive, tar_of

pytestmark = pytest.mark.docker
NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.fixture
def nowhere(tmp_path: Path) -> Cli:
    """A home in which nothing was set up, beside the engines' usual images."""
    return Cli(tmp_path / "home")


def test_docker_is_used_where_its_daemon_answers() -> None:
    chosen = choose("auto")
    assert (chosen.engine.name, chosen.reason) == ("docker", "its daemon answers")
    chosen.engine.close()


def test_runc_is_used_where_no_daemon_answers_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)
    chosen = choose("auto")
    assert chosen.engine.name == "runc"
    assert chosen.reason == f"no Docker daemon answers at {NOWHERE}; it needs no daemon"


def test_a_lock_can_choose_runc_beside_a_daemon_that_answers() -> None:
    chosen = choose("auto", allowed=("runc",))
    assert (chosen.engine.name, chosen.reason) == (
        "runc",
        "the lock does not allow docker; it needs no daemon",
    )


def test_an_archive_has_one_image_id_in_every_engine(tmp_path: Path) -> None:
    archive = tmp_path / "tiny.tar"
    image_id = docker_archive(archive, [tar_of([("name", str(tmp_path).encode())])], Cmd=["/name"])
    made = [connect() for connect in ENGINES.values()]
    try:
        assert [engine.load(archive) for engine in made] == [image_id] * len(made)
        assert all(image_id in engine.held() for engine in made)
    finally:
        for engine in made:
            _forget(engine, image_id)
            engine.close()


def _forget(engine: Engine, image_id: str) -> None:
    if engine.holds(image_id):
        engine.remove(image_id)


def test_the_doctor_shows_both_engines_and_is_content_with_one(nowhere: Cli) -> None:
    both = {one["check"]: one for one in nowhere.read("doctor")}
    assert (both["engine docker"]["verdict"], both["engine runc"]["verdict"]) == ("ok", "ok")
    answer = nowhere("doctor", "--json", DOCKER_HOST=NOWHERE)
    assert answer.exit_code == 0
    one = {row["check"]: row for row in answer.document}
    assert (one["engine docker"]["verdict"], one["engine runc"]["verdict"]) == ("note", "ok")
    assert nowhere("doctor", "--engine", "docker", DOCKER_HOST=NOWHERE).exit_code == 8


def test_images_are_listed_and_named_from_the_command_line(nowhere: Cli, tmp_path: Path) -> None:
    archive = tmp_path / "tiny.tar"
    image_id = docker_archive(archive, [tar_of([("name", str(tmp_path).encode())])])
    name = f"assay-test-{image_id[7:19]}:1"
    engine = choose("runc").engine
    engine.load(archive)
    try:
        nowhere.do("engine", "tag", image_id, name, "--engine", "runc")
        listed = {one["image"]: one["names"] for one in nowhere.read("engine", "images", "--engine", "runc")}
        assert listed[image_id] == [name]
        answer = nowhere("engine", "images", DOCKER_HOST=NOWHERE)
        assert answer.err.startswith(f"engine: runc (no Docker daemon answers at {NOWHERE}")
    finally:
        nowhere.do("engine", "remove", image_id, "--engine", "runc")
    assert not engine.holds(image_id)
    with pytest.raises(ImageMissingError):
        engine.tag(image_id, name)
    assert nowhere("engine", "tag", image_id, name, "--engine", "runc").refused().code == "image-missing"
