"""Control groups of both versions, as folders of a test; the kernel's own are used by the engine suites."""

import os
from pathlib import Path

import pytest

from host.engines.runc_cgroup import ControlGroup, Delegation, is_unified, swap_is_limited, unenforced_limits


@pytest.fixture
def v1(tmp_path: Path) -> Path:
    for name in ("cpu", "memory", "pids", "systemd", "unified"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").touch()
    # A hybrid machine mounts version 2 beside the controllers of version 1.
    (tmp_path / "unified" / "cgroup.controllers").touch()
    return tmp_path


@pytest.fixture
def v2(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids rdma\n")
    return tmp_path


def test_a_hybrid_machine_is_version_1(v1: Path) -> None:
    assert not is_unified(v1)


def test_one_hierarchy_with_controllers_is_version_2(v2: Path) -> None:
    assert is_unified(v2)


def test_the_memory_controller_has_a_folder_of_its_own_in_version_1_only(v1: Path) -> None:
    assert ControlGroup("/assay/x", cgroups=v1).memory_folder == v1 / "memory/assay/x"


def test_version_2_has_one_folder_per_container(v2: Path) -> None:
    group = ControlGroup("/assay/x", cgroups=v2)
    assert group.memory_folder == v2 / "assay/x"
    (v2 / "assay/x").mkdir(parents=True)
    (v2 / "assay/x/cgroup.procs").write_text("7\n9\n")
    assert group.pids() == [7, 9]


def test_a_group_that_is_gone_has_no_processes(v1: Path, v2: Path) -> None:
    assert ControlGroup("/assay/x", cgroups=v1).pids() == []


def test_all_folders_of_a_group_are_removed_and_nothing_else(v1: Path) -> None:
    for name in ("memory", "pids", "systemd"):
        (v1 / name / "assay/x").mkdir(parents=True)
        (v1 / name / "assay/y").mkdir()
    group = ControlGroup("/assay/x", cgroups=v1)
    group.remove()
    group.remove()
    assert sorted(path.name for path in v1.glob("*/assay/*")) == ["y", "y", "y"]


def test_a_missing_controller_is_named(v1: Path) -> None:
    assert unenforced_limits(v1) == []
    (v1 / "pids" / "cgroup.procs").unlink()
    assert unenforced_limits(v1) == ["pids"]


def test_a_controller_that_version_2_does_not_offer_is_named(v2: Path) -> None:
    assert unenforced_limits(v2) == []
    (v2 / "cgroup.controllers").write_text("cpu pids\n")
    assert unenforced_limits(v2) == ["memory"]


def test_swap_is_bounded_where_the_kernel_counts_it(v1: Path) -> None:
    assert not swap_is_limited(v1)
    (v1 / "memory" / "memory.memsw.limit_in_bytes").touch()
    assert swap_is_limited(v1)


# ---- what a user was given


def give(cgroups: Path, *names: str) -> None:
    for name in names:
        folder = cgroups / name / f"assay-{os.getuid()}"
        folder.mkdir()
        (folder / "cgroup.procs").touch()


def test_a_user_must_have_been_given_a_group_in_every_hierarchy(v1: Path) -> None:
    user = Delegation(os.getuid(), cgroups=v1)
    give(v1, "cpu", "memory", "pids", "systemd")
    assert user.parent() is None
    give(v1, "unified")
    assert user.parent() == f"/assay-{os.getuid()}"
    assert user.unenforced_limits() == []


def test_a_group_of_somebody_else_is_none_of_the_users(v1: Path) -> None:
    give(v1, "cpu", "memory", "pids", "systemd", "unified")
    assert Delegation(os.getuid() + 1, cgroups=v1).parent() is None


@pytest.fixture
def scope(v2: Path, tmp_path: Path) -> Path:
    """A scope that systemd gave to this user, with this process in it."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/user.slice/run-1.scope\n")
    made = v2 / "user.slice/run-1.scope"
    made.mkdir(parents=True)
    (made / "cgroup.subtree_control").touch()
    (made / "cgroup.controllers").write_text("cpu memory pids\n")
    return made


def test_a_scope_of_the_users_own_holds_the_containers_groups(scope: Path, tmp_path: Path) -> None:
    user = Delegation(os.getuid(), proc=tmp_path, cgroups=tmp_path)
    assert user.parent() == "/user.slice/run-1.scope/assay"
    assert user.unenforced_limits() == []
    assert Delegation(os.getuid() + 1, proc=tmp_path, cgroups=tmp_path).parent() is None


def test_the_host_moves_into_a_leaf_before_it_divides_its_scope(scope: Path, tmp_path: Path) -> None:
    Delegation(os.getuid(), proc=tmp_path, cgroups=tmp_path).settle()
    assert (scope / "assay-host" / "cgroup.procs").read_text() == str(os.getpid())
    assert (scope / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    (tmp_path / "self" / "cgroup").write_text("0::/user.slice/run-1.scope/assay-host\n")
    assert (
        Delegation(os.getuid(), proc=tmp_path, cgroups=tmp_path).parent() == "/user.slice/run-1.scope/assay"
    )


def test_a_scope_without_a_controller_says_which(scope: Path, tmp_path: Path) -> None:
    (scope / "cgroup.controllers").write_text("memory pids\n")
    assert Delegation(os.getuid(), proc=tmp_path, cgroups=tmp_path).unenforced_limits() == ["cpu"]


def test_a_process_in_the_root_group_was_given_nothing(v2: Path, tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/\n")
    assert Delegation(os.getuid(), proc=tmp_path, cgroups=tmp_path).parent() is None
