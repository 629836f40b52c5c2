"""What an author is told of a failed case: the own line first, and one line of what to do for common causes."""

from pathlib import Path

import pytest

from host.execution import Execution
from host.explanation import MAX_LINES, Explanation, explain
from plugin_spec.manifest import Manifest
from tests.support.manifests import minimal_manifest

FOLDER = Path("my-plugin")


def failed(message: str, reason: str = "plugin-error", hint: str = "") -> Execution:
    return Execution("failed", reason, message, hint=hint)


def log_of(error: str) -> str:
    return (
        "Traceback (most recent call last):\n"
        '  File "/opt/assay/plugin_spec/runtime/adapter.py", line 120, in answered\n    work()\n'
        f'  File "/opt/assay/adapter.py", line 41, in measure\n    go()\n{error}\n'
    )


def hint_for(error: str, *, folder: Path = FOLDER, declared: Manifest | None = None) -> str:
    return explain(failed(error), log_of(error), declared or minimal_manifest(), folder).hint


def test_the_adapters_line_comes_first_and_the_runtimes_frames_are_gone() -> None:
    told = explain(failed("ValueError: x"), log_of("ValueError: x"), minimal_manifest(), FOLDER)
    assert told.lines == (
        "my-plugin/adapter.py:41, in measure",
        "Traceback (most recent call last):",
        '  File "/opt/assay/adapter.py", line 41, in measure',
        "    go()",
        "ValueError: x",
    )


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        ("ModuleNotFoundError: No module named 'scipy.ndimage'", "add scipy to requirements.in"),
        ("ModuleNotFoundError: No module named 'sklearn'", "add scikit-learn to requirements.in"),
        ("MemoryError", "raise resources.memory_mib (now "),
        (
            "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8.0 GiB for an array",
            "raise resources.memory_mib",
        ),
        ("PermissionError: [Errno 13] Permission denied: '/opt/x'", "only two folders can be written"),
        ("OSError: [Errno 30] Read-only file system: '/x'", "only two folders can be written"),
        ("OSError: [Errno 28] No space left on device", "raise resources.scratch_mib (now "),
        ("OSError: [Errno 27] File too large", "raise resources.scratch_mib (now "),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'bet'",
            "where bet is a program, the image lacks it",
        ),
        ("the container ended with exit code 139 and no", "signal 11, SIGSEGV"),
        ("the container ended with exit code 134 and no", "signal 6, SIGABRT"),
        ("the container ended with exit code 3 and no", "3 is the program's own exit code"),
        ("RuntimeError: can't start new thread", "raise resources.pids (now "),
        ("TypeError: Object of type float32 is not JSON serializable", "float(value)"),
        ("ValueError: Out of range float values are not JSON compliant", "NaN or infinity"),
        ("urllib.error.URLError: <urlopen error x>", "a container has no network"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "a container has no network"),
        ("AssertionError: Torch not compiled with CUDA enabled", "add [resources.gpu]"),
        ("OSError: libcuda.so.1: cannot open shared object file", "add [resources.gpu]"),
        ("SyntaxError: '(' was never closed", "Python 3.11"),
        (
            "plugin_spec.typed.SignatureError: f() answered with None; return a mapping of output ports, or",
            "return a mapping of the output ports (",
        ),
        ("TypeError: run_case answered with NoneType, expected a CaseResult", "or a CaseResult"),
        ("plugin_spec.typed.SignatureError: f() needs 't2', but", "declares the inputs "),
        ("ValueError: the algorithm's own", ""),
    ],
)
def test_a_common_cause_has_one_line_of_what_to_do(error: str, hint: str) -> None:
    told = hint_for(error)
    assert hint in told
    assert "\n" not in told
    assert bool(told) == bool(hint)


def test_a_module_that_lies_beside_the_adapter_is_no_package(tmp_path: Path) -> None:
    (tmp_path / "filters.py").write_text("")
    told = hint_for("ModuleNotFoundError: No module named 'filters'", folder=tmp_path)
    assert told == "only the adapter's own file goes into the image: move what filters holds into it"


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("out-of-memory", "raise resources.memory_mib"),
        ("timeout", "raise resources.case_timeout_s"),
        ("output-limit", "raise resources.output_mib"),
        ("output-missing", "answer with every declared output: "),
        ("output-undeclared", "leave only the declared outputs"),
        ("output-grid", "grid_of"),
        ("gpu-unusable", "add [resources.gpu]"),
        ("crashed", "the hint of the case"),
    ],
)
def test_an_end_that_the_host_saw_has_its_own_advice(reason: str, hint: str) -> None:
    ended = failed("as the record says", reason, hint="the hint of the case")
    told = explain(
        ended,
        "it printed\nMemoryError\n" if reason == "timeout" else "it printed\n",
        minimal_manifest(),
        FOLDER,
    )
    assert hint in told.hint
    assert told.lines[0] == "it printed"


def test_a_long_log_is_shown_from_its_end() -> None:
    log = "".join(f"line {number}\n" for number in range(100))
    told = explain(failed("killed", "crashed"), log, minimal_manifest(), FOLDER)
    assert told.lines[0] == f"[{100 - MAX_LINES} earlier lines are not shown]"
    assert told.lines[-1] == "line 99"


def test_a_log_cannot_steer_the_authors_terminal() -> None:
    told = explain(failed("killed", "crashed"), "\x1b]0;title\x07red\n", minimal_manifest(), FOLDER)
    assert told.lines == ("\\x1b]0;title\\x07red",)


@pytest.mark.parametrize("outcome", ["ok", "refused"])
def test_a_case_that_did_not_fail_needs_no_explanation(outcome: str) -> None:
    ended = Execution(outcome, "", "")  # type: ignore[arg-type]  # a word of three
    assert explain(ended, log_of("ValueError: x"), minimal_manifest(), FOLDER) == Explanation()


def test_a_limit_of_outputs_is_told_without_the_runtimes_frames() -> None:
    ended = failed("the outputs passed the limit", "output-limit")
    told = explain(ended, log_of("OSError: [Errno 27] File too large"), minimal_manifest(), FOLDER)
    assert told.lines[0] == "my-plugin/adapter.py:41, in measure"
    assert not [line for line in told.lines if "plugin_spec" in line]
