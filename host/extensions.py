"""Host extensions: engines and metrics found through one pluggy manager; the built-ins use the same door."""

from collections.abc import Mapping
from functools import cache

import pluggy

from host.engines.interface import Engine
from host.errors import NoEngineError, UnknownMetricError
from plugin_spec.host_hooks import HOST_PROJECT, EngineRegistration, HostHooks, MetricRegistration


@cache
def manager() -> pluggy.PluginManager:
    """The host's extension manager with the built-in engines and metrics registered."""
    from host.engines import registrations as engines
    from host.metrics import registrations as metrics

    plugins = pluggy.PluginManager(HOST_PROJECT)
    plugins.add_hookspecs(HostHooks)
    plugins.register(engines, name="assay-engines")
    plugins.register(metrics, name="assay-metrics")
    plugins.check_pending()
    return plugins


def metrics() -> Mapping[str, MetricRegistration]:
    """Registered metrics by name."""
    return {one.name: one for batch in manager().hook.assay_metrics() for one in batch}


def metric(name: str) -> MetricRegistration:
    """The metric called ``name``, or an error that lists what there is."""
    known = metrics()
    if name not in known:
        raise UnknownMetricError(
            f"no metric {name!r} is registered", subject=name, hint=f"registered: {', '.join(sorted(known))}"
        )
    return known[name]


def engines() -> Mapping[str, EngineRegistration]:
    """Registered engines by name."""
    return {one.name: one for batch in manager().hook.assay_engines() for one in batch}


def connect(name: str) -> Engine:
    """Connect to an engine by name.

    Raises
    ------
    NoEngineError
        No such engine is registered, or it does not answer.
    """
    known = engines()
    if name not in known:
        raise NoEngineError(
            f"no engine {name!r} is registered", subject=name, hint=f"registered: {', '.join(known)}"
        )
    engine: Engine = known[name].connect()
    return engine
