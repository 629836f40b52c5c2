"""The hooks an adapter implements, and the plain types they exchange.

The same hookspec holds on both sides of the container wall: inside, the runtime registers the adapter's
module; outside, the host registers one proxy per release, which carries each call into a container.
Runs on Python 3.8 and later: academic tools are old.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, List, Mapping, Tuple, Union

import pluggy

PROJECT = "assay"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Scalar = Union[bool, int, float, str]


class Refuse(Exception):
    """Raised by ``run_case``: this input is outside what the algorithm can answer for.

    Parameters
    ----------
    reason_code : str
        A short stable word, for example ``empty-image``.
    message : str
        One line for the operator: what was found, and what was expected.
    """

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.message = message


class UnreadableInput(Exception):
    """Raised by ``run_case``: an input cannot be read at all. The message names the port and the fault."""


class GpuUnusable(Exception):
    """Raised by ``setup`` or ``run_case``: the leased GPU cannot be used. The message says what it answered."""


@dataclass(frozen=True)
class Context:
    """What stays the same for all cases of one container.

    Attributes
    ----------
    weights : mapping of str to Path
        The digest-checked files the manifest declares, read-only.
    seed, threads : int
        Use these for every random generator and thread pool.
    gpu : tuple of str
        UUIDs of the devices this container may use; empty without a GPU.
    """

    weights: Mapping[str, Path]
    seed: int
    threads: int
    gpu: Tuple[str, ...] = ()


@dataclass(frozen=True)
class QualityCheck:
    """A quality figure the algorithm reports about its own result."""

    id: str
    verdict: str
    value: Union[float, str]


@dataclass(frozen=True)
class Case:
    """One case: the files and parameter values of one run.

    Attributes
    ----------
    id : str
        The case identifier; never a person's name.
    inputs : mapping of str to Path or list of Path
        Port name to input file (for a DICOM series its folder), read-only. A port that takes several files has a
        list; an optional port without a file is absent.
    parameters : mapping of str to scalar
        Every declared parameter, defaults filled in by the host.
    output_folder, scratch_folder : Path
        The only writable places. Scratch is wiped between cases.
    """

    id: str
    inputs: Mapping[str, Any]
    parameters: Mapping[str, Scalar]
    output_folder: Path
    scratch_folder: Path

    def output_path(self, name: str) -> Path:
        """Where to write an output file called ``name``."""
        return self.output_folder / name


@dataclass(frozen=True)
class CaseResult:
    """What ``run_case`` answers.

    Attributes
    ----------
    outputs : mapping of str to Path or value
        Port name to the written file, or the value itself: for ``measurements`` a row or a list of rows, for
        ``classification`` the class or ``{"label": …, "probabilities": {…}}``, for ``score`` the number or
        ``{"value": …, "lower": …, "upper": …}``, for ``detections`` a list of ``{"label": …, "point": […]}`` or
        ``{"label": …, "box": [[…], […]]}`` with ``score`` and ``track_id`` as declared, for ``transform`` the
        4 x 4 matrix. An optional output that does not exist is left out.
    qc : list of QualityCheck
    warnings : list of str
        One line each; shown to the operator and kept in the record.
    """

    outputs: Mapping[str, Any]
    qc: List[QualityCheck] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)


class PluginHooks:
    """What every plugin implements."""

    @hookspec(firstresult=True)
    def setup(self, context: Context) -> Any:
        """Fires once per container, before the first case: load the model, pick the device.

        Whatever it returns is handed to each ``run_case`` as ``state``. Optional.

        Example
        -------
        >>> @hookimpl
        ... def setup(context):
        ...     return load_model(context.weights["model"])
        """
        raise NotImplementedError("a hookspec is called through a plugin manager")

    @hookspec(firstresult=True)
    def run_case(self, case: Case, state: Any) -> CaseResult:
        """Fires once per case: read the inputs, write the outputs, answer with a ``CaseResult``.

        Raise ``Refuse`` for an input the algorithm must not answer for; any other exception is a failure.

        Example
        -------
        >>> @hookimpl
        ... def run_case(case, state):
        ...     volume_ml = measure(case.inputs["t1"], state)
        ...     return CaseResult(outputs={"volumes": [{"brain_ml": volume_ml}]})
        """
        raise NotImplementedError("a hookspec is called through a plugin manager")

    @hookspec(firstresult=True)
    def describe_environment(self) -> Mapping[str, str]:
        """Fires after a case: tool versions measured at run time, kept in every run record. Optional.

        Example
        -------
        >>> @hookimpl
        ... def describe_environment():
        ...     return {"numpy": numpy.__version__}
        """
        raise NotImplementedError("a hookspec is called through a plugin manager")
