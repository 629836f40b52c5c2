"""Warm containers: one set-up, many cases, and whatever goes wrong is charged to one of them."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from host.engines.cgroup import MemoryUse
from host.engines.interface import Limits
from host.errors import EngineDiedError, RunCancelledError
from host.execution import Execution
from host.gpu.grant import GpuGrant
from host.gpu.preflight import request_of
from host.staging import RunFolder
from host.warm.container import WarmContainer
from host.warm.errors import WarmUnwatchedError
from host.warm.memory import peer_memory
from plugin_spec.errors import EngineError
from tests.support.driver_libraries import require_no_driver
from tests.support.gpus import A100, L4, a_gpu, a_need
from tests.support.memory_engine import Ending, MemoryEngine
from tests.support.warm_bench import WarmBench, after
from tests.support.warm_process import HONEST, ready, talking


def ended(execution: Execution) -> tuple[str, str]:
    return execution.outcome, execution.reason_code


def test_many_cases_are_answered_by_one_container_as_fresh_ones_would(warm: WarmBench) -> None:
    behaviours = ("answer", "refuse", "answer", "raise_error", "wrong_grid", "extra_file", "link", "answer")
    fresh = [warm.run(one, warm=False) for one in behaviours]
    again = [warm.run(one) for one in behaviours]
    assert [ended(one) for one in again] == [ended(one) for one in fresh]
    digests = [[(output.port, output.digest) for output in one.outputs] for one in (*again, *fresh)]
    assert digests[: len(again)] == digests[len(again) :]
    assert sum(spec.control is not None for spec in warm.memory_engine.ran) == 1


def test_each_case_sees_its_own_inputs_only_and_gets_its_own_outputs(warm: WarmBench) -> None:
    volumes = [warm.run(edge=edge).outputs[1].rows for edge in (1, 3, 2)]
    assert volumes == [({"bright_ml": 1.0},), ({"bright_ml": 27.0},), ({"bright_ml": 8.0},)]
    for folder in warm.folders:
        assert sorted(os.listdir(folder.inputs)) == ["scan.nii"]
        assert sorted(os.listdir(folder.outputs)) == ["mask.nii", "volumes.json"]


def test_the_log_of_a_case_is_its_own_part_of_the_stream(warm: WarmBench) -> None:
    warm.run("raise_error")
    warm.run("answer")
    warm.run("raise_error")
    assert warm.log(0).count("RuntimeError: told to fail") == 1
    assert warm.log(1) == ""
    assert warm.log(2).count("RuntimeError: told to fail") == 1
    assert "assay:" not in warm.log(0) + warm.log(2)


def test_a_log_is_cut_per_case_and_the_next_case_has_its_own(
    warm: WarmBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.planning.LOG_BYTES", 1000)
    warm.serve(
        ready(
            "for n in range(9):\n"
            "    order = take(); print('x' * 3000 if n == 0 else 'short'); refuse()\n"
            "    end = f\"[assay: end of case {order['order']}]\\n\"\n"
            "    print(end + end, end='', flush=True)\n"
            "    done(order)\n"
        )
    )
    first, second = warm.run(), warm.run()
    assert first.exit is not None and first.exit.log_truncated
    assert warm.log(0).endswith("[assay: log cut after 1000 bytes; 2001 more were dropped]\n")
    assert second.exit is not None and not second.exit.log_truncated
    assert warm.log(1) == "short\n"


def test_a_crash_is_charged_to_its_case_and_the_next_gets_a_new_container(warm: WarmBench) -> None:
    ends = [ended(warm.run(one)) for one in ("answer", "no_result", "answer")]
    assert ends == [("ok", ""), ("failed", "crashed"), ("ok", "")]
    assert warm.started == 2


def test_a_result_that_was_forged_before_a_crash_counts_for_nothing(warm: WarmBench) -> None:
    assert ended(warm.run("forge_result")) == ("failed", "crashed")


def test_a_case_that_takes_too_long_is_stopped_and_charged_alone(warm: WarmBench) -> None:
    warm.run()
    warm.limit(case_timeout_s=1)
    warm.close()
    late = warm.run("sleep")
    assert ended(late) == ("failed", "timeout")
    assert "resources.case_timeout_s" in late.message
    assert late.exit is not None and 0.9 < late.exit.duration_s < 9
    assert ended(warm.run()) == ("ok", "")


def test_a_set_up_that_takes_too_long_names_its_own_limit(warm: WarmBench) -> None:
    warm.limit(start_timeout_s=1)
    warm.serve(talking("take(); time.sleep(60)"))
    late = warm.run()
    assert ended(late) == ("failed", "timeout")
    assert "during setup" in late.message and "resources.start_timeout_s" in late.message
    warm.serve(HONEST)
    warm.limit(start_timeout_s=60)
    assert ended(warm.run()) == ("ok", "")


def test_a_container_that_never_connects_is_stopped(warm: WarmBench) -> None:
    warm.limit(start_timeout_s=1)
    warm.serve("time.sleep(60)")
    late = warm.run()
    assert ended(late) == ("failed", "timeout")
    assert "before it reached the host" in late.message


def test_a_set_up_that_raises_fails_the_case_with_the_authors_own_error(warm: WarmBench) -> None:
    warm.serve(
        "from plugin_spec.runtime.serve import serve\n"
        "sys.exit(serve('no_such_adapter', folders, Path('host.sock'), processes))\n"
    )
    failed = warm.run()
    assert ended(failed) == ("failed", "plugin-error")
    assert failed.message == "ModuleNotFoundError: No module named 'no_such_adapter'"
    assert "Traceback" in warm.log()


def a_grant(uuid: str) -> GpuGrant:
    require_no_driver()  # the container of these tests is a process of this machine
    return GpuGrant((a_gpu(uuid),), request_of((a_gpu(uuid),), a_need()))


def test_a_warm_container_looks_at_its_gpu_once_and_every_case_is_compared(
    warm: WarmBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", A100)
    first, second = warm.run(gpu=a_grant(A100)), warm.run(gpu=a_grant(A100))
    for one in (first, second):
        assert one.result is not None
        assert one.result.gpu is not None
        assert (ended(one), [seen.uuid for seen in one.result.gpu]) == (("ok", ""), [A100])
    assert warm.started == 1


def test_a_case_with_another_gpu_gets_another_container(
    warm: WarmBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", A100)
    assert ended(warm.run(gpu=a_grant(A100))) == ("ok", "")
    moved = warm.run(gpu=a_grant(L4))
    assert ended(moved) == ("failed", "gpu-not-as-leased"), "the stand-in shows the first device to everybody"
    assert "the case was given another GPU" in moved.warnings[0]
    assert warm.started == 2


def test_a_warm_container_that_does_not_see_its_gpu_fails_as_a_fresh_one_would(
    warm: WarmBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", "void")
    assert ended(warm.run(gpu=a_grant(A100))) == ("failed", "gpu-unusable")


def test_a_process_that_outlives_its_case_has_the_container_replaced(warm: WarmBench) -> None:
    warm.serve(
        ready(
            "import subprocess\n"
            "order = take(); subprocess.Popen(['sleep', '60']); refuse(); done(order, left=1)\n"
            "while True: refuse() if take() else None; time.sleep(60)\n"
        )
    )
    first = warm.run()
    assert ended(first) == ("refused", "told-to")
    assert "1 process(es) outlived the case" in first.warnings[-1]
    warm.serve(HONEST)
    second = warm.run()
    assert ended(second) == ("ok", "")
    assert "was replaced" in second.warnings[-1]
    assert warm.started == 2


def test_the_runtime_itself_counts_the_processes_that_a_case_leaves(warm: WarmBench, tmp_path: Path) -> None:
    (tmp_path / "leaving.py").write_text(
        "import subprocess\n"
        "from plugin_spec import Refuse, hookimpl\n"
        "@hookimpl\n"
        "def setup(context): return subprocess.Popen(['sleep', '60'])\n"
        "@hookimpl\n"
        "def run_case(case, state):\n"
        "    if case.id == 'leaves': subprocess.Popen(['sleep', '60'])\n"
        "    raise Refuse('told-to', '')\n"
    )
    warm.serve(
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from plugin_spec.runtime.serve import serve\n"
        "sys.exit(serve('leaving', folders, Path('host.sock'), processes))\n"
    )
    assert [len(warm.run(case=one).warnings) for one in ("stays", "leaves", "stays")] == [0, 1, 1]
    assert warm.started == 2


def test_scratch_is_empty_again_when_the_next_case_comes(warm: WarmBench, tmp_path: Path) -> None:
    (tmp_path / "littering.py").write_text(
        "import os\n"
        "from plugin_spec import Refuse, hookimpl\n"
        "@hookimpl\n"
        "def run_case(case, state):\n"
        "    found = sorted(os.listdir(case.scratch_folder))\n"
        "    deep = case.scratch_folder / 'a' / 'b'; deep.mkdir(parents=True)\n"
        "    (deep / 'file').write_text('x'); (case.scratch_folder / 'link').symlink_to('/'); deep.chmod(0)\n"
        "    raise Refuse('found', ' '.join(found))\n"
    )
    warm.serve(
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from plugin_spec.runtime.serve import serve\n"
        "sys.exit(serve('littering', folders, Path('host.sock'), processes))\n"
    )
    assert [warm.run().message for _ in range(3)] == [""] * 3
    assert warm.started == 1


def test_a_case_that_needs_more_memory_than_the_container_gets_a_larger_one(warm: WarmBench) -> None:
    warm.run()
    warm.limit(memory_mib=128)
    bigger = warm.run()
    warm.limit(memory_mib=64)
    smaller = warm.run()
    limits = [one.exit.memory_limit_bytes // 2**20 for one in (bigger, smaller) if one.exit]
    assert (limits, warm.started) == ([128, 128], 2)
    assert "may use more memory" in bigger.warnings[-1]


def test_a_kill_for_memory_is_seen_though_the_container_answers(warm: WarmBench) -> None:
    assert ended(warm.run()) == ("ok", "")
    warm.memory = MemoryUse(60 * 2**20, 1)
    hog = warm.run()
    assert ended(hog) == ("failed", "out-of-memory")
    assert hog.exit is not None and hog.exit.memory_peak_bytes == hog.exit.memory_limit_bytes
    warm.memory = MemoryUse(30 * 2**20, 0)
    assert ended(warm.run()) == ("ok", "")
    assert warm.started == 2


def test_a_container_killed_for_memory_is_charged_to_the_case_under_way(warm: WarmBench) -> None:
    warm.memory_engine.served = lambda code: Ending(137, oom_killed=True)
    assert ended(warm.run("no_result")) == ("failed", "out-of-memory")


def test_the_peak_is_the_containers_highest_use_so_far(warm: WarmBench) -> None:
    warm.memory = MemoryUse(50 * 2**20, 0)
    seen = warm.run().exit
    assert seen is not None and seen.memory_peak_bytes == 50 * 2**20


def test_a_container_is_watched_by_its_control_group_and_not_by_a_process_that_may_end() -> None:
    child = subprocess.Popen(["sleep", "60"])
    use = peer_memory(child.pid)
    before = use()
    child.kill()
    child.wait()
    assert (use() is None) == (before is None)
    assert peer_memory(child.pid)() is None
    assert peer_memory(0)() is None


def test_a_container_whose_memory_cannot_be_watched_is_not_used(
    warm: WarmBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("host.warm.session._END_GRACE_S", 0.2)
    warm.memory = None
    with pytest.raises(WarmUnwatchedError):
        warm.run()


def test_outputs_past_their_limit_fail_the_case_alone(warm: WarmBench) -> None:
    warm.serve(
        ready(
            "order = take(); (folders.outputs / 'big').write_bytes(bytes(17 * 2**20)); refuse(); done(order)\n"
            "take()\n"
        )
    )
    assert ended(warm.run()) == ("failed", "output-limit")
    warm.serve(HONEST)
    assert ended(warm.run()) == ("ok", "")


def test_cancellation_ends_the_container_and_leaves_nothing(warm: WarmBench) -> None:
    with pytest.raises(RunCancelledError):
        warm.run("sleep", cancelled=after(0.8))
    assert [path.name for path in warm.runs.iterdir()] == [warm.folders[0].path.name]
    assert not [thread for thread in threading.enumerate() if thread.name == "warm-container"]


def test_cancellation_during_the_set_up_ends_the_container_too(warm: WarmBench) -> None:
    warm.serve("time.sleep(60)")
    with pytest.raises(RunCancelledError):
        warm.run(cancelled=after(0.3))
    assert not [thread for thread in threading.enumerate() if thread.name == "warm-container"]


def test_an_engine_that_dies_is_not_the_cases_fault(warm: WarmBench, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(self: MemoryEngine, *arguments: object, **options: object) -> None:
        raise EngineDiedError("gone")

    monkeypatch.setattr(MemoryEngine, "run", die)
    with pytest.raises(EngineError, match="gone"):
        warm.run()


def test_closing_removes_process_and_folder(warm: WarmBench) -> None:
    warm.run()
    warm.close()
    assert [path.name for path in warm.runs.iterdir()] == [warm.folders[0].path.name]


def test_closing_gives_the_room_back_though_the_folder_cannot_be_removed(
    warm: WarmBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []

    @contextmanager
    def room(limits: Limits, cancelled: Callable[[], bool]) -> Iterator[None]:
        held.append("room")
        yield
        held.remove("room")

    warm.container = WarmContainer(warm.engine, warm.runs, room=room, probe=lambda pid: lambda: warm.memory)
    warm.run()
    assert held == ["room"]

    def stuck(folder: RunFolder) -> None:
        raise OSError("stuck")

    with monkeypatch.context() as patched:
        patched.setattr(RunFolder, "remove", stuck)
        with pytest.raises(OSError, match="stuck"):
            warm.close()
    assert held == []
    assert not warm.container.alive


def test_a_container_is_told_where_its_socket_is_and_nothing_else_is_new(warm: WarmBench) -> None:
    warm.run(warm=False)
    warm.run()
    fresh, served = warm.memory_engine.ran
    assert served.environment == {**fresh.environment, "ASSAY_SERVE": "/assay/control/host.sock"}
    assert (served.argv, served.image_id, served.gpu) == (fresh.argv, fresh.image_id, fresh.gpu)
    assert served.limits.memory_bytes == fresh.limits.memory_bytes
