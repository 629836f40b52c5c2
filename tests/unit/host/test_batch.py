"""A table of cases through the bench: side by side, kept as they come, and taken up again where it stopped."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest

from host.batch import BatchOrder, BatchProgress, run_batch
from host.batch_results import CaseDocument
from host.engines.cgroup import MemoryUse
from host.engines.interface import ContainerSpec
from host.errors import EngineDiedError, MachineTooSmallError, TargetError
from host.machine import Room
from host.scheduling import Share
from host.warm.errors import WarmUndeclaredError
from tests.support.batch_bench import ROOMY, BatchBench
from tests.support.memory_engine import Ending, tiny_adapter
from tests.support.nifti_files import write_nifti
from tests.support.tiny import write_scan
from tests.support.warm_process import ready


@pytest.fixture
def batch(tmp_path: Path) -> BatchBench:
    return BatchBench(tmp_path)


@pytest.mark.parametrize(("jobs", "warm"), [(1, False), (2, False), (1, True), (2, True)])
def test_every_case_has_its_folder_and_its_row_in_the_tables_order(
    jobs: int, warm: bool, batch: BatchBench
) -> None:
    batch.write({"one": "answer", "two": "refuse", "three": "raise_error", "four": "answer"})
    done = batch.run(jobs=jobs, warm=warm)
    assert [(one.case_id, one.outcome, one.reason_code) for one in done.results] == [
        ("one", "ok", ""),
        ("two", "refused", "told-to-refuse"),
        ("three", "failed", "plugin-error"),
        ("four", "ok", ""),
    ]
    assert [row["case_id"] for row in batch.rows()] == ["one", "two", "three", "four"]
    assert batch.rows()[0]["volumes.bright_ml"] == "1.0"
    assert batch.rows()[3]["container"] == ("warm" if warm else "fresh")
    assert sorted(path.name for path in (batch.out / "four").iterdir()) == [
        "log.txt",
        "mask.nii",
        "result.json",
        "volumes.json",
    ]
    assert len(batch.bench.engine.ran) == (jobs if warm else 4)
    assert list(batch.bench.home.runs.iterdir()) == []


def test_warm_and_fresh_batches_have_the_same_digests(batch: BatchBench) -> None:
    warm = batch.run(warm=True, jobs=2).results
    batch.out = batch.folder / "fresh"
    fresh = batch.run().results
    assert [one.outputs for one in warm] == [one.outputs for one in fresh]


def test_a_finished_case_of_the_same_inputs_is_kept_and_said_so(batch: BatchBench) -> None:
    first = batch.run().results
    write_scan(batch.folder / "two.nii", "refuse")
    second = batch.run()
    assert batch.told == [("one", True), ("two", False), ("three", True)]
    assert second.kept == 2
    assert second.results[0] == first[0]
    assert [row["outcome"] for row in batch.rows()] == ["ok", "refused", "ok"]
    assert not (batch.out / "two" / "mask.nii").exists()


def test_a_result_that_was_tampered_with_is_not_kept(batch: BatchBench) -> None:
    batch.run()
    (batch.out / "one" / "mask.nii").write_bytes(b"other")
    (batch.out / "two" / "volumes.json").unlink()
    (batch.out / "three" / "result.json").write_text("{}")
    batch.run()
    assert batch.told == [("one", False), ("two", False), ("three", False)]


def test_a_failed_case_is_run_again(batch: BatchBench) -> None:
    batch.write({"one": "raise_error", "two": "answer"})
    batch.run()
    batch.run()
    assert batch.told == [("one", False), ("two", True)]


def test_an_input_that_is_no_image_fails_its_case_and_no_other(batch: BatchBench) -> None:
    (batch.folder / "two.nii").write_bytes(b"no image")
    assert [one.outcome for one in batch.run().results] == ["ok", "failed", "ok"]


def test_an_input_that_is_no_file_fails_its_case_and_no_other(batch: BatchBench) -> None:
    (batch.folder / "two.nii").unlink()
    (batch.folder / "two.nii").mkdir()
    done = batch.run().results
    assert [(one.outcome, one.reason_code) for one in done] == [
        ("ok", ""),
        ("failed", "input-file"),
        ("ok", ""),
    ]


def test_an_engine_that_dies_stops_the_batch_and_the_finished_part_is_kept(batch: BatchBench) -> None:
    def container(spec: ContainerSpec) -> Ending:
        if "two" in (spec.inputs / "request.json").read_text():
            raise EngineDiedError("gone")
        return tiny_adapter(spec)

    batch.bench.engine.container = container
    with pytest.raises(EngineDiedError):
        batch.run()
    assert [(row["case_id"], row["outcome"], row["reason_code"]) for row in batch.rows()] == [
        ("one", "ok", ""),
        ("two", "not run", "engine-died"),
        ("three", "not run", "engine-died"),
    ]
    batch.bench.engine.container = tiny_adapter
    batch.run()
    assert batch.told == [("one", True), ("two", False), ("three", False)]


def test_ctrl_c_stops_the_batch_and_leaves_no_container_or_folder(
    batch: BatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch.write({"one": "answer", "two": "sleep", "three": "sleep"})

    def interrupt(document: CaseDocument, kept: bool, number: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_batch(
            batch.bench.home,
            batch.bench.engine,
            BatchOrder(batch.bench.plugin, batch.table, batch.out, jobs=2, warm=True),
            BatchProgress(say=lambda line: None, case_done=interrupt),
            room=Room(ROOMY),
            probe=lambda pid: lambda: MemoryUse(24 * 2**20, 0),
        )
    assert [(row["outcome"], row["reason_code"]) for row in batch.rows()] == [
        ("ok", ""),
        ("not run", "cancelled"),
        ("not run", "cancelled"),
    ]
    assert list(batch.bench.home.runs.iterdir()) == []
    assert [one for one in threading.enumerate() if one.name in {"warm-container", "case-worker"}] == []


def test_a_plugin_that_does_not_say_it_can_serve_is_not_run_warm(tmp_path: Path) -> None:
    batch = BatchBench(tmp_path, mode="exec")
    with pytest.raises(WarmUndeclaredError, match="does not declare"):
        batch.run(warm=True)
    assert not batch.out.exists()


def test_what_can_never_fit_is_refused_before_anything_runs(batch: BatchBench) -> None:
    with pytest.raises(MachineTooSmallError, match="needs 64 MiB of memory, of which there are 32"):
        batch.run(there=Share(8.0, 32 * 2**20))
    assert batch.bench.engine.ran == []


def test_a_case_too_large_for_the_machine_fails_and_the_others_run(tmp_path: Path) -> None:
    batch = BatchBench(tmp_path)
    declared = batch.bench.plugin / "plugin.toml"
    declared.write_text(
        declared.read_text().replace("memory_mib = 64", "memory_mib = 64\nmemory_per_input_mib = 100")
    )
    batch.bench.describe_build()
    batch.write({"one": "answer", "two": "answer"})
    write_nifti(batch.folder / "two.nii", np.arange(64**3, dtype=np.int16).reshape(64, 64, 64))
    done = batch.run(there=Share(8.0, 80 * 2**20)).results
    assert [(one.outcome, one.reason_code) for one in done] == [("ok", ""), ("failed", "machine-too-small")]
    assert "of memory, of which there are 80" in done[1].message


def test_a_folder_that_is_somebody_elses_is_not_written_over(batch: BatchBench) -> None:
    (batch.out / "two").mkdir(parents=True)
    (batch.out / "two" / "thesis.txt").write_text("years of work")
    with pytest.raises(TargetError, match="holds no result of a case"):
        batch.run()
    assert (batch.out / "two" / "thesis.txt").is_file()
    assert batch.bench.engine.ran == []


def test_a_crash_in_a_warm_batch_costs_one_case(batch: BatchBench) -> None:
    batch.write({"one": "answer", "two": "no_result", "three": "answer"})
    done = batch.run(warm=True).results
    assert [(one.outcome, one.reason_code) for one in done] == [("ok", ""), ("failed", "crashed"), ("ok", "")]


def test_a_container_that_never_comes_up_fails_each_case(batch: BatchBench) -> None:
    batch.bench.engine.server = ready("sys.exit(3)")
    done = batch.run(warm=True).results
    assert {(one.outcome, one.reason_code) for one in done} == {("failed", "crashed")}


@pytest.mark.parametrize(
    ("field", "told"),
    [("image", "another build"), ("parameters", "other parameters"), ("case_id", "does not name")],
)
def test_results_of_something_else_are_replaced_only_when_told(
    field: str, told: str, batch: BatchBench
) -> None:
    batch.run()
    folder = batch.out / "two"
    document = json.loads((folder / "result.json").read_bytes())
    document[field] = {"image": "sha256:" + "b" * 64, "parameters": {"passes": 3}, "case_id": "four"}[field]
    (folder / "result.json").write_text(json.dumps(document))
    if field == "case_id":
        folder = folder.rename(batch.out / "four")
    before = (folder / "result.json").read_bytes()
    with pytest.raises(TargetError, match=told) as refused:
        batch.run()
    assert "--replace" in refused.value.hint
    assert (folder / "result.json").read_bytes() == before
    assert {row["outcome"] for row in batch.rows()} == {"ok"}
    batch.run(replace=True)
    assert batch.told == [("one", True), ("two", False), ("three", True)]
    assert not (batch.out / "four").exists()


@pytest.mark.parametrize("name", ["results.csv", "results.json"])
def test_tables_that_no_batch_wrote_are_never_overwritten(name: str, batch: BatchBench) -> None:
    batch.out.mkdir()
    (batch.out / name).write_text("years,of,work\n")
    with pytest.raises(TargetError, match=f"{name} was not written by a batch"):
        batch.run(replace=True)
    assert (batch.out / name).read_text() == "years,of,work\n"
