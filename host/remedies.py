"""What an author does about a case that failed: one line for each common cause. Pure.

A remedy is advice for a person and never part of a record.
"""

import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plugin_spec.manifest import Manifest

# Modules that are installed under another name.
_PACKAGES: Final = {
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}

_SIGNALS: Final = {
    "SIGSEGV": "native code of the algorithm or of a library read or wrote where it must not",
    "SIGABRT": "native code of the algorithm or of a library gave up; the end of the log says why",
    "SIGILL": "a library was compiled for another processor",
    "SIGFPE": "native code divided by zero",
    "SIGBUS": "native code read what is not there; shared memory may be full (resources.shm_mib)",
    "SIGKILL": "memory may have run out (resources.memory_mib)",
}


@dataclass(frozen=True)
class Failure:
    """What is known of a failed case.

    Attributes
    ----------
    reason_code, message : str
        As in its record.
    error : str
        The last line of the author's traceback, or the end of the log.
    folder : Path
        The plugin's folder.
    """

    reason_code: str
    message: str
    error: str
    manifest: Manifest
    folder: Path

    @property
    def words(self) -> str:
        """All that was said."""
        return f"{self.message}\n{self.error}"


def remedy(failure: Failure) -> str:
    """What to do, in one line; empty where only the traceback can tell."""
    for reason, line in _BY_REASON.items():
        if failure.reason_code == reason:
            return line(failure)
    for pattern, advice in _BY_WORDS:
        if found := pattern.search(failure.words):
            return advice(failure, found)
    return ""


def _memory(failure: Failure) -> str:
    limit = failure.manifest.resources.memory_mib
    return (
        f"raise resources.memory_mib (now {limit}) or memory_per_input_mib in plugin.toml and build again, "
        "or hold less in memory at a time"
    )


def _timeout(failure: Failure) -> str:
    need = failure.manifest.resources
    return f"raise resources.case_timeout_s (now {need.case_timeout_s}) in plugin.toml and build again, or do less"


def _output_limit(failure: Failure) -> str:
    return f"raise resources.output_mib (now {failure.manifest.resources.output_mib}) or write less of it"


def _missing_output(failure: Failure) -> str:
    ports = ", ".join(f"{port.name} ({port.kind})" for port in failure.manifest.outputs if port.at_least)
    return f"answer with every declared output: {ports}"


def _undeclared_output(failure: Failure) -> str:
    ports = ", ".join(port.name for port in failure.manifest.outputs)
    return f"leave only the declared outputs ({ports}) in the output folder; put passing files into scratch"


def _grid(failure: Failure) -> str:
    return "write the image with the affine and shape of the input that grid_of names"


def _declared(failure: Failure) -> str:
    return "correct the output, or what plugin.toml declares of it"


def _gpu(failure: Failure) -> str:
    if failure.manifest.resources.gpu is None:
        return "plugin.toml declares no GPU: add [resources.gpu], or have the algorithm choose the processor"
    return "assay gpu list shows what there is; cpu_fallback in [resources.gpu] says whether a run may do without"


def _module(failure: Failure, found: re.Match[str]) -> str:
    module = found["module"].partition(".")[0]
    if (failure.folder / f"{module}.py").is_file() or (failure.folder / module).is_dir():
        return f"only the adapter's own file goes into the image: move what {module} holds into it"
    if failure.manifest.image.source != "packages":
        return f"install {_PACKAGES.get(module, module)} in the image"
    where = (
        "requirements.in"
        if failure.manifest.runtime.requirements
        else "requirements.in, name it in [runtime]"
    )
    return f"add {_PACKAGES.get(module, module)} to {where}, then: {_rebuild(failure)}"


def _rebuild(failure: Failure) -> str:
    return f"assay plugin lock {failure.folder}, and build it again"


def _outside(failure: Failure, found: re.Match[str]) -> str:
    return (
        "only two folders can be written: out (case.output_path) for outputs, scratch for all else; "
        "HOME and TMPDIR are scratch"
    )


def _full(failure: Failure, found: re.Match[str]) -> str:
    return f"scratch is full: raise resources.scratch_mib (now {failure.manifest.resources.scratch_mib})"


def _too_large(failure: Failure, found: re.Match[str]) -> str:
    need = failure.manifest.resources
    return (
        f"a file is too large for its folder: raise resources.scratch_mib (now {need.scratch_mib}), or for an output "
        f"resources.output_mib (now {need.output_mib})"
    )


def _bare_name(failure: Failure, found: re.Match[str]) -> str:
    return (
        f"where {found['name']} is a program, the image lacks it: add its Debian package to [image], then: "
        f"{_rebuild(failure)}; where it is a file, give its whole path"
    )


def _exit_code(failure: Failure, found: re.Match[str]) -> str:
    code = int(found["code"])
    try:
        name = signal.Signals(code - 128).name
    except ValueError:
        return f"{code} is the program's own exit code: its documentation and the end of the log say what it means"
    return f"exit code {code} is signal {code - 128}, {name}: {_SIGNALS.get(name, 'something killed the program')}"


def _threads(failure: Failure, found: re.Match[str]) -> str:
    need = failure.manifest.resources
    return f"start fewer threads and processes, or raise resources.pids (now {need.pids})"


def _json(failure: Failure, found: re.Match[str]) -> str:
    return "answer with numbers of Python's own: float(value), int(value), array.tolist()"


def _finite(failure: Failure, found: re.Match[str]) -> str:
    return "an output holds NaN or infinity: refuse the case, or leave out an optional output"


def _network(failure: Failure, found: re.Match[str]) -> str:
    return (
        "a container has no network: declare what is downloaded as [[weights]], it is then at weights[NAME]"
    )


def _answer(failure: Failure, found: re.Match[str]) -> str:
    ports = ", ".join(port.name for port in failure.manifest.outputs)
    return f"return a mapping of the output ports ({ports}), or a CaseResult"


def _names(failure: Failure, found: re.Match[str]) -> str:
    inputs = ", ".join(port.name for port in failure.manifest.inputs)
    parameters = ", ".join(one.name for one in failure.manifest.parameters) or "none"
    return f"plugin.toml declares the inputs {inputs}; parameters: {parameters}"


def _no_program(failure: Failure, found: re.Match[str]) -> str:
    return "the image lacks the program: add its Debian package to [image], then: " + _rebuild(failure)


def _syntax(failure: Failure, found: re.Match[str]) -> str:
    return "correct the adapter; images from packages hold Python 3.11"


_BY_REASON: Final[dict[str, Callable[[Failure], str]]] = {
    "out-of-memory": _memory,
    "timeout": _timeout,
    "output-limit": _output_limit,
    "output-missing": _missing_output,
    "output-undeclared": _undeclared_output,
    "output-not-a-file": _undeclared_output,
    "output-grid": _grid,
    "output-labels": _declared,
    "output-range": _declared,
    "gpu-unusable": _gpu,
}
_BY_WORDS: Final[tuple[tuple[re.Pattern[str], Callable[[Failure, re.Match[str]], str]], ...]] = tuple(
    (re.compile(pattern, re.MULTILINE), advice)
    for pattern, advice in (
        (r"ModuleNotFoundError: No module named '(?P<module>[\w.]+)'", _module),
        (
            r"^(numpy\.\S*)?(_Array)?MemoryError\b|Unable to allocate [\d.]+ [KMGT]iB",
            lambda failure, found: _memory(failure),
        ),
        (r"answered with .*(mapping of output ports|expected a CaseResult)", _answer),
        (r"SignatureError: ", _names),
        (r"PermissionError: |Read-only file system|\[Errno 30\]", _outside),
        (r"No space left on device|\[Errno 28\]", _full),
        (r"File too large|\[Errno 27\]", _too_large),
        (r"FileNotFoundError: \[Errno 2\] No such file or directory: '(?P<name>[\w+-]+)'", _bare_name),
        (r"can't start new thread|\[Errno 11\]|Resource temporarily unavailable", _threads),
        (r"not JSON serializable", _json),
        (r"Out of range float values are not JSON compliant", _finite),
        (
            r"Temporary failure in name resolution|Name or service not known|Network is unreachable|"
            r"gaierror|URLError|ConnectionError|NewConnectionError|ConnectError|Could not resolve host",
            _network,
        ),
        (
            r"Torch not compiled with CUDA|No CUDA GPUs are available|Found no NVIDIA driver|CUDA driver|"
            r"libcuda\.so|no CUDA-capable device|CUDA_ERROR_NO_DEVICE",
            lambda failure, found: _gpu(failure),
        ),
        (r"^(SyntaxError|IndentationError|TabError): ", _syntax),
        (r"executable file not found|exec: .*no such file|: not found$|exit code 127\b", _no_program),
        (r"exit code (?P<code>\d+)\b", _exit_code),
    )
)
