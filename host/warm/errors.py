"""Errors of warm containers."""

from plugin_spec.errors import ContractError, EngineError


class WarmUnwatchedError(EngineError):
    """The host cannot watch over the memory of a warm container."""

    code = "warm-unwatched"


class WarmUndeclaredError(ContractError):
    """A warm container was asked for, and the plugin does not declare that it can serve."""

    code = "warm-undeclared"
