"""Engines and metrics come through one door, and load nothing until they are asked for."""

import pytest

from host import extensions
from host.errors import NoEngineError, UnknownMetricError
from plugin_spec.host_hooks import EngineRegistration, MetricRegistration, host_hookimpl
from tests.architecture.test_light_commands import modules_loaded_by
from tests.support.memory_engine import MemoryEngine


class Extension:
    """What a package of somebody else would register."""

    @host_hookimpl
    def assay_engines(self) -> list[EngineRegistration]:
        return [EngineRegistration("memory", MemoryEngine)]

    @host_hookimpl
    def assay_metrics(self) -> list[MetricRegistration]:
        return [
            MetricRegistration(
                name="zero",
                definition="always 0",
                empty_case="0",
                operands="numbers",
                unit="1",
                better="zero",
                worst=1.0,
                source="nobody",
                load=lambda: lambda p, r: 0.0,
            )
        ]


def test_an_extension_adds_an_engine_and_a_metric() -> None:
    manager, extension = extensions.manager(), Extension()
    manager.register(extension)
    try:
        assert isinstance(extensions.connect("memory"), MemoryEngine)
        assert extensions.metric("zero").load()(1.0, 2.0) == 0.0
    finally:
        manager.unregister(extension)
    assert "memory" not in extensions.engines()


def test_an_unknown_engine_or_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NoEngineError) as no_engine:
        extensions.connect("podman")
    assert no_engine.value.hint == "registered: docker, runc, runc-rootless"
    with pytest.raises(UnknownMetricError) as no_metric:
        extensions.metric("dicing")
    assert "dice, " in no_metric.value.hint


def test_listing_what_is_registered_loads_no_engine_and_no_array_library() -> None:
    loaded = modules_loaded_by("from host import extensions; extensions.metrics(); extensions.engines()")
    assert not loaded & {"docker", "numpy", "scipy", "nibabel", "matplotlib"}
