"""The contract between an imaging algorithm and its host.

What an adapter needs inside a container is imported from here and loads nothing but the standard library and
pluggy. The host's models (manifest, ports, release) live in submodules and need pydantic.
"""

from plugin_spec.hookspecs import (
    Case,
    CaseResult,
    Context,
    GpuUnusable,
    QualityCheck,
    Refuse,
    UnreadableInput,
    hookimpl,
)
from plugin_spec.typed import algorithm, setup

__all__ = [
    "Case",
    "CaseResult",
    "Context",
    "GpuUnusable",
    "QualityCheck",
    "Refuse",
    "UnreadableInput",
    "algorithm",
    "hookimpl",
    "setup",
]
