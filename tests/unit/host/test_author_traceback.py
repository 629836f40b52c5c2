"""An author sees the own lines of a traceback, not those of the runtime that called them."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from host.author_traceback import AuthorTraceback, find_traceback
from plugin_spec.case import Request, request_bytes
from plugin_spec.runtime.protocol import Folders

LOG = """\
loading the model
Traceback (most recent call last):
  File "/opt/assay/plugin_spec/runtime/adapter.py", line 120, in answered
    work()
  File "/opt/assay/pluggy/_callers.py", line 103, in _multicall
    res = hook_impl.function(*args)
          ^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/opt/assay/adapter.py", line 41, in measure
    return scale(values)
           ^^^^^^^^^^^^^
  File "/opt/assay/adapter.py", line 52, in scale
    return numpy.linalg.inv(values)
  File "/opt/site/numpy/linalg/_linalg.py", line 561, in inv
    ainv = _umath_linalg.inv(a, signature=signature)
numpy.linalg.LinAlgError: Singular matrix
[assay: end of case abc]
"""


def found(log: str) -> AuthorTraceback:
    traceback = find_traceback(log)
    assert traceback is not None
    return traceback


def test_the_innermost_line_of_the_adapter_comes_first() -> None:
    place = found(LOG).place("adapter.py")
    assert place is not None
    assert (place.file, place.line, place.function) == ("/opt/assay/adapter.py", 52, "scale")


def test_the_runtimes_frames_are_cut_and_the_libraries_stay() -> None:
    lines = found(LOG).lines
    assert not [line for line in lines if "plugin_spec" in line or "pluggy" in line]
    assert lines[:3] == (
        "Traceback (most recent call last):",
        '  File "/opt/assay/adapter.py", line 41, in measure',
        "    return scale(values)",
    )
    assert lines[-1] == found(LOG).error == "numpy.linalg.LinAlgError: Singular matrix"


def test_an_exception_that_led_to_it_is_kept_and_an_older_one_is_not() -> None:
    log = """\
Traceback (most recent call last):
  File "/opt/assay/adapter.py", line 1, in first
    a
NameError: an older one

something else was printed
Traceback (most recent call last):
  File "/opt/assay/adapter.py", line 2, in second
    b
KeyError: 'b'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/opt/assay/plugin_spec/runtime/adapter.py", line 120, in answered
    work()
  File "/opt/assay/adapter.py", line 3, in third
    c
ValueError: b is missing
and more is said on a second line
"""
    traceback = found(log)
    assert traceback.error == "ValueError: b is missing"
    text = "\n".join(traceback.lines)
    assert "KeyError: 'b'\n\nDuring handling" in text
    assert "an older one" not in text
    assert text.endswith("and more is said on a second line")


def test_a_fault_outside_the_adapter_is_placed_outside_of_libraries() -> None:
    log = LOG.replace("/opt/assay/adapter.py", "/opt/tool/main.py")
    place = found(log).place("adapter.py")
    assert place is not None and place.file == "/opt/tool/main.py"
    library = """\
Traceback (most recent call last):
  File "/opt/site/numpy/x.py", line 1, in f
    a
ValueError: x
"""
    assert found(library).place("adapter.py") is None


@pytest.mark.parametrize("log", ["", "Segmentation fault\n", "a Traceback (most recent call last): b\n"])
def test_a_log_without_an_exception_has_none(log: str) -> None:
    assert find_traceback(log) is None


@pytest.mark.parametrize(
    "log", ["Traceback (most recent call last):", "Traceback (most recent call last):\n\n"]
)
def test_a_log_that_was_cut_is_read_as_far_as_it_goes(log: str) -> None:
    assert (found(log).error, found(log).frames) == ("", ())


@pytest.mark.parametrize(
    ("source", "line", "error"),
    [
        ("def run_case(case, state:\n", 1, "SyntaxError: "),
        ("\nimport nothing_by_this_name\n", 2, "ModuleNotFoundError: No module named 'nothing_by_this_name'"),
        (
            "from plugin_spec import algorithm\n\n@algorithm\ndef measure(t1):\n    return 1 / 0\n",
            5,
            "ZeroDivisionError: division by zero",
        ),
        (
            "from plugin_spec import algorithm\n\n@algorithm\ndef measure(t2):\n    return {}\n",
            0,
            "needs 't2'",
        ),
    ],
)
def test_what_the_real_runtime_prints_is_read(source: str, line: int, error: str, tmp_path: Path) -> None:
    """The runtime is a process of its own here, so that its frames are those of a container."""
    folders = Folders(tmp_path)
    for folder in vars(folders).values():
        folder.mkdir(parents=True)
    (tmp_path / "adapter.py").write_text(textwrap.dedent(source))
    request = Request(case_id="a", seed=0, threads=1, inputs={"t1": "t1.nii"}, parameters={}, weights={})
    (folders.inputs / "request.json").write_bytes(request_bytes(request))
    program = (
        "import sys; from pathlib import Path\n"
        "from plugin_spec.runtime.__main__ import run\n"
        "from plugin_spec.runtime.protocol import Folders\n"
        f"sys.path.insert(0, {str(tmp_path)!r}); sys.exit(run('adapter', Folders(Path({str(tmp_path)!r}))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 20, done.stderr
    traceback = found(done.stderr)
    assert error in traceback.error
    place = traceback.place("adapter.py")
    assert (place.line if place else 0) == line
    assert not [frame for frame in traceback.frames if "plugin_spec" in frame.file or "pluggy" in frame.file]
