"""Functions of metrics that are imported when they are asked for, so that listing metrics stays light."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any


def function_of(module: str, name: str, **fixed: Any) -> Callable[[], Callable[..., Any]]:
    """What returns the function ``name`` of ``host.metrics.MODULE``, with arguments that are fixed."""

    def load() -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(import_module(f"host.metrics.{module}"), name)
        return partial(function, **fixed) if fixed else function

    return load
