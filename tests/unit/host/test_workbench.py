"""An author's bench: the same container and checks as a recorded run, and no record."""

import errno
import shutil
from pathlib import Path

import pytest

from host.batch_results import CaseDocument
from host.engines.interface import ContainerSpec
from host.errors import BuildMissingError, EngineDiedError, TargetError
from plugin_spec.errors import ExitCode, InputError
from registry.errors import StorageFullError
from tests.support.built import Bench
from tests.support.memory_engine import Ending, ending, raising, tiny_adapter, writing


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_bench_answers_with_numbers_files_and_the_log(bench: Bench, tmp_path: Path) -> None:
    answer = bench.run(out=tmp_path / "out")
    assert answer.fault() is None
    assert [(one.column, one.value) for one in answer.document.measured] == [("bright_ml", 27.0)]
    assert sorted(path.name for path in answer.files) == [
        "log.txt",
        "mask.nii",
        "result.json",
        "volumes.json",
    ]
    assert all(path.is_file() for path in answer.files)
    assert answer.log == "the container was here\n"


def test_the_bench_records_nothing_and_leaves_nothing(bench: Bench) -> None:
    bench.run()
    assert list(bench.home.runs.iterdir()) == []
    assert not bench.home.is_registry


@pytest.mark.parametrize(
    ("behaviour", "exit_code"), [("refuse", ExitCode.CASE_REFUSED), ("raise_error", ExitCode.CASE_FAILED)]
)
def test_an_end_other_than_ok_is_what_the_command_ends_with(
    behaviour: str, exit_code: ExitCode, bench: Bench
) -> None:
    fault = bench.run(behaviour).fault()
    assert fault is not None
    assert fault.exit_code == exit_code


def test_the_log_of_a_case_that_crashed_is_kept_for_the_author(bench: Bench, tmp_path: Path) -> None:
    bench.engine.container = ending(139, printed="Segmentation fault\n")
    answer = bench.run(out=tmp_path / "out")
    assert answer.files == (tmp_path / "out" / "log.txt", tmp_path / "out" / "result.json")
    assert answer.files[0].read_text() == "Segmentation fault\n"


def test_an_output_called_as_the_log_is_not_overwritten_by_it(bench: Bench, tmp_path: Path) -> None:
    def container(spec: ContainerSpec) -> Ending:
        ended = tiny_adapter(spec)
        (spec.outputs / "volumes.json").rename(spec.outputs / "log.txt")
        result = spec.outputs / "result.json"
        result.write_text(result.read_text().replace("volumes.json", "log.txt"))
        return ended

    bench.engine.container = container
    answer = bench.run(out=tmp_path / "out")
    assert sorted(path.name for path in answer.files) == [
        "container-log.txt",
        "log.txt",
        "mask.nii",
        "result.json",
    ]
    assert "bright_ml" in (tmp_path / "out" / "log.txt").read_text()


def test_a_folder_that_exists_is_not_written_into(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="exists already"):
        bench.run(out=tmp_path / "out")
    assert bench.engine.ran == []


def test_a_plugin_that_was_not_built_is_not_run(bench: Bench) -> None:
    (bench.home.builds / "tiny-volumes-1.0.0.json").unlink()
    with pytest.raises(BuildMissingError):
        bench.run()


def test_a_failed_case_is_explained_to_its_author(bench: Bench) -> None:
    printed = (
        'Traceback (most recent call last):\n  File "/opt/assay/plugin_spec/runtime/adapter.py", line 9, in answered\n'
        '    work()\n  File "/opt/assay/adapter.py", line 41, in measure\n    go()\n'
        "ModuleNotFoundError: No module named 'scipy'\n"
    )
    message = "ModuleNotFoundError: No module named 'scipy'"

    def container(spec: ContainerSpec) -> Ending:
        writing(20, outcome="failed", reason_code="plugin-error", message=message)(spec)
        return Ending(20, printed=printed)

    bench.engine.container = container
    answer = bench.run()
    fault = answer.fault()
    assert fault is not None
    assert answer.explanation.lines[0] == f"{bench.plugin / 'adapter.py'}:41, in measure"
    assert not [line for line in answer.explanation.lines if "plugin_spec" in line]
    assert fault.hint.startswith("add scipy to requirements.in")
    assert answer.log == printed


def test_a_run_leaves_its_result_as_a_document(bench: Bench, tmp_path: Path) -> None:
    answer = bench.run(out=tmp_path / "out")
    document = CaseDocument.model_validate_json((tmp_path / "out" / "result.json").read_bytes())
    assert document == answer.document
    assert (document.outcome, document.plugin) == ("ok", "tiny-volumes")


def test_a_folder_that_cannot_be_made_is_found_before_anything_runs(bench: Bench) -> None:
    with pytest.raises(TargetError, match="cannot be written"):
        bench.run(out=Path("/proc/out"))
    assert bench.engine.ran == []


def test_a_disk_that_is_full_is_named_and_no_half_result_is_left(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"ha")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StorageFullError, match="No space left"):
        bench.run(out=tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir() if "out" in one.name] == []


def test_a_case_that_is_not_run_leaves_no_folder(bench: Bench, tmp_path: Path) -> None:
    bench.engine.container = raising(EngineDiedError("gone"))
    with pytest.raises(EngineDiedError):
        bench.run(out=tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir() if "out" in one.name] == []
