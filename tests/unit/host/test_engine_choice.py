"""What is done where no engine can be used: said, with every reason, and never another engine than the named one."""

import socket
from pathlib import Path

import pytest

from host.engine_choice import choose
from host.engines.docker_address import require_listener
from host.errors import NoEngineError

NOWHERE = "unix:///nonexistent/docker.sock"


@pytest.fixture(autouse=True)
def _no_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", NOWHERE)


def test_a_named_engine_is_never_replaced() -> None:
    with pytest.raises(NoEngineError) as refused:
        choose("docker")
    assert refused.value.message == f"no Docker daemon answers at {NOWHERE}"


def test_an_unknown_engine_is_refused_by_name() -> None:
    with pytest.raises(NoEngineError, match="no engine 'podman' is registered"):
        choose("podman")


def test_the_locks_list_is_respected_and_every_reason_is_given() -> None:
    with pytest.raises(NoEngineError) as refused:
        choose("auto", allowed=("docker",))
    assert refused.value.message == (
        f"no container engine can be used: no Docker daemon answers at {NOWHERE}; "
        "the lock does not allow runc; the lock does not allow runc-rootless"
    )
    assert "docker: start it" in refused.value.hint


def test_a_lock_that_allows_only_engines_of_others_needs_one_to_be_named() -> None:
    with pytest.raises(NoEngineError) as refused:
        choose("auto", allowed=("slurm",))
    assert "--engine NAME" in refused.value.hint


def test_a_socket_that_nobody_listens_at_is_told_from_one_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(tmp_path / "docker.sock"))
        with pytest.raises(NoEngineError):
            require_listener()
        daemon.listen()
        require_listener()


def test_an_address_that_is_no_unix_socket_is_left_to_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2376")
    require_listener()
