"""The hooks by which the host itself is extended: engines and metrics register through the same door.

The built-ins use it too. A hook yields typed registrations; nothing is constructed until it is asked for.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pluggy

ParameterValue = float | int | str
HOST_PROJECT = "assay.host"
host_hookspec = pluggy.HookspecMarker(HOST_PROJECT)
host_hookimpl = pluggy.HookimplMarker(HOST_PROJECT)


@dataclass(frozen=True)
class EngineRegistration:
    """A container engine: its name, and how to connect to it (an error says why it cannot be)."""

    name: str
    connect: Callable[[], Any]


@dataclass(frozen=True, kw_only=True)
class MetricParameter:
    """Something a protocol may, or must, say about how a metric is computed.

    Attributes
    ----------
    name : str
        As protocols name it; a length ends in its unit (``tolerance_mm``).
    summary : str
        What it decides, in one sentence.
    choices : tuple
        Every value there is, for a choice; empty for a number.
    minimum, maximum : float
        Bounds of a number, both allowed.
    default : float, int or str, optional
        Without one, a protocol must give the value.
    """

    name: str
    summary: str
    choices: tuple[ParameterValue, ...] = ()
    minimum: float = 0.0
    maximum: float = math.inf
    default: ParameterValue | None = None


@dataclass(frozen=True, kw_only=True)
class Observed:
    """What a metric of lesions or findings says of a case.

    Attributes
    ----------
    value : float
        The case's own figure; NaN where it cannot be evaluated.
    observations : mapping of str to tuple of float
        What statistics over all cases are computed from, such as counts and scores.
    """

    value: float
    observations: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class MetricRegistration:
    """A metric: its name, definition, unit and source, and the function that computes it.

    Attributes
    ----------
    name : str
        As protocols name it.
    definition : str
        One sentence; for distances, what the surface is and how a percentile is taken.
    empty_case : str
        What it is where one side, or both, hold nothing.
    operands : str
        What the function of `load` is called with; it answers with a float (NaN: not evaluable), or where said with
        `Observed`. Parameters follow by keyword.

        ``masks``: one ``host.metrics.mask_pair.MaskPair``, which every metric of a case's label shares.
        ``lesions``: one such pair; answers with `Observed`.
        ``findings``: one ``host.metrics.findings.FindingsPair``; answers with `Observed`.
        ``numbers``: two floats, predicted and reference.
    unit : str
        UCUM code; empty where it is that of the operands.
    better : str
        ``higher``, ``lower`` or ``zero``.
    worst : float or str
        What a failed case counts as: the worst value of a bounded metric; ``image_diagonal`` for a distance, which no
        image exceeds; infinity for what has neither.
    source : str
        Author, year.
    load : callable
        Returns the function; called when a protocol asks for the metric.
    parameters : tuple of MetricParameter
        What a protocol says beside the name.
    """

    name: str
    definition: str
    empty_case: str
    operands: Literal["masks", "lesions", "findings", "numbers"]
    unit: str
    better: Literal["higher", "lower", "zero"]
    worst: float | Literal["image_diagonal"]
    source: str
    load: Callable[[], Callable[..., Any]]
    parameters: tuple[MetricParameter, ...] = ()


class HostHooks:
    """What an extension of the host may provide."""

    @host_hookspec
    def assay_engines(self) -> Iterable[EngineRegistration]:
        """Fires when a command needs an engine: yield one registration per engine.

        Example
        -------
        >>> @host_hookimpl
        ... def assay_engines():
        ...     yield EngineRegistration("docker", connect)
        """
        raise NotImplementedError("a hookspec is called through a plugin manager")

    @host_hookspec
    def assay_metrics(self) -> Iterable[MetricRegistration]:
        """Fires when a protocol is read: yield one registration per metric.

        Example
        -------
        >>> @host_hookimpl
        ... def assay_metrics():
        ...     yield MetricRegistration(
        ...         name="dice",
        ...         definition="2 |P and R| / (|P| + |R|)",
        ...         empty_case="not evaluable if both masks are empty",
        ...         operands="masks",
        ...         unit="1",
        ...         better="higher",
        ...         worst=0.0,
        ...         source="Dice 1945",
        ...         load=lambda: dice,
        ...     )
        """
        raise NotImplementedError("a hookspec is called through a plugin manager")
