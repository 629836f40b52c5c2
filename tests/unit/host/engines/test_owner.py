import os
import subprocess
import sys

from host.engines.owner import PREFIX, owner_alive, owner_labels


def changed(**labels: str) -> dict[str, str]:
    return owner_labels() | {f"{PREFIX}{name}": value for name, value in labels.items()}


def test_this_process_is_alive() -> None:
    assert owner_alive(owner_labels())


def test_a_process_that_has_ended_is_dead() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not owner_alive(changed(pid=str(gone.pid)))


def test_a_process_that_has_ended_is_dead_before_its_parent_asks_about_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
        assert not owner_alive(changed(pid=str(gone.pid)))


def test_a_later_process_with_the_same_pid_is_not_taken_for_the_owner() -> None:
    assert not owner_alive(changed(start_ticks="1"))


def test_an_owner_from_before_a_restart_is_dead() -> None:
    assert not owner_alive(changed(boot="another"))


def test_owners_that_cannot_be_seen_count_as_alive() -> None:
    assert owner_alive(changed(node="another-machine", pid="1"))
    assert owner_alive(changed(pid_namespace="pid:[1]", pid="1"))
    assert owner_alive({})


def test_a_label_that_is_no_pid_names_no_process() -> None:
    assert not owner_alive(changed(pid="../self"))
