"""Errors of warm containers."""

from plugin_spec.errors import ContractError, EngineError, PolicyError


class WarmUnwatchedError(EngineError):
    """The host cannot watch over the memory of a warm container."""

    code = "warm-unwatched"


class WarmUndeclaredError(ContractError):
    """A warm container was asked for, and the plugin does not declare that it can serve."""

    code = "warm-undeclared"


class WarmNotLockedError(PolicyError):
    """A warm container was asked for in a trial whose lock does not permit it."""

    code = "warm-not-locked"
