from pathlib import Path

import pytest

from host.engines.cgroup import MemoryUse, memory_folder, read_memory

CONTAINER_ID = "c0ffee" * 10
# Lines of /proc/<pid>/cgroup as the kernel writes them: v1 beside an unused v2, and v2 alone under systemd.
HYBRID = (
    f"11:memory:/docker/{CONTAINER_ID}\n4:cpu,cpuacct:/docker/{CONTAINER_ID}\n0::/docker/{CONTAINER_ID}\n"
)
UNIFIED = f"0::/system.slice/docker-{CONTAINER_ID}.scope\n"


def a_process(folder: Path, lines: str) -> Path:
    (folder / "7").mkdir()
    (folder / "7" / "cgroup").write_text(lines)
    return folder


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(HYBRID, f"memory/docker/{CONTAINER_ID}"), (UNIFIED, f"system.slice/docker-{CONTAINER_ID}.scope")],
)
def test_the_memory_controller_is_found_in_both_versions(tmp_path: Path, lines: str, expected: str) -> None:
    proc = a_process(tmp_path, lines)
    assert memory_folder(CONTAINER_ID, 7, proc=proc, cgroups=Path("/cg")) == Path("/cg", expected)


def test_a_process_that_is_not_the_containers_is_not_measured(tmp_path: Path) -> None:
    proc = a_process(tmp_path, "11:memory:/user.slice\n0::/user.slice\n")
    assert memory_folder(CONTAINER_ID, 7, proc=proc) is None


def test_a_process_that_has_ended_is_not_measured(tmp_path: Path) -> None:
    assert memory_folder(CONTAINER_ID, 0, proc=tmp_path) is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {
                "memory.max_usage_in_bytes": "4096\n",
                "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            },
            MemoryUse(4096, 2),
        ),
        (
            {"memory.peak": "8192\n", "memory.current": "1\n", "memory.events": "oom 3\noom_kill 1\n"},
            MemoryUse(8192, 1),
        ),
        ({"memory.current": "512\n", "memory.events": "low 0\nhigh 0\n"}, MemoryUse(512, 0)),
        ({"memory.peak": "8192\n"}, None),
        ({"memory.current": "max\n", "memory.events": ""}, None),
        ({}, None),
    ],
)
def test_the_peak_is_read_in_each_versions_files(
    tmp_path: Path, files: dict[str, str], expected: MemoryUse | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert read_memory(tmp_path) == expected
