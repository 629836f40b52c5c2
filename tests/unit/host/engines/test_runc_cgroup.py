"""Control groups of both versions, as folders of a test; the kernel's own are used by the engine suites."""

from pathlib import Path

import pytest

from host.engines.runc_cgroup import ControlGroup, is_unified, swap_is_limited, unenforced_limits


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
