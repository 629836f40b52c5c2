"""The hooks by which the host itself is extended: engines and metrics register through the same door.

The built-ins use it too. A hook yields typed registrations; nothing is constructed until it is asked for.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pluggy

HOST_PROJECT = "assay.host"
host_hookspec = pluggy.HookspecMarker(HOST_PROJECT)
host_hookimpl = pluggy.HookimplMarker(HOST_PROJECT)


@dataclass(frozen=True)
class EngineRegistration:
    """A container engine: its name, and how to connect to it (an error says why it cannot be)."""

    name: str
    connect: Callable[[], Any]


@dataclass(frozen=True)
class MetricRegistration:
    """A metric: its name, definition, unit and source, and the function that computes it.

    Attributes
    ----------
    name : str
        As protocols name it.
    definition : str
        One sentence with the empty-case rule.
    operands : str
        ``masks``: called with two boolean arrays (predicted, reference) and ``spacing_mm``;
        ``numbers``: called with two floats (predicted, reference).
    unit : str
        UCUM code.
    better : str
        ``higher``, ``lower`` or ``zero``.
    worst : float
        What a failed case counts as; for unbounded metrics, infinity.
    source : str
        Author, year.
    load : callable
        Returns the function; called when a protocol asks for the metric.
    """

    name: str
    definition: str
    operands: Literal["masks", "numbers"]
    unit: str
    better: str
    worst: float
    source: str
    load: Callable[[], Callable[..., float]]


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
        ...         "dice", "overlap", "masks", "1", "higher", 0.0, "Dice 1945", load_dice
        ...     )
        """
        raise NotImplementedError("a hookspec is called through a plugin manager")
