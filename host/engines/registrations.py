"""The engines that come with the host."""

from collections.abc import Iterator
from typing import Any

from plugin_spec.host_hooks import EngineRegistration, host_hookimpl


def _docker() -> Any:
    from host.engines.docker_address import require_listener

    require_listener()
    from host.engines import docker

    return docker.connect()


def _runc() -> Any:
    from host.engines import runc

    return runc.connect()


def _runc_rootless() -> Any:
    from host.engines import runc_rootless

    return runc_rootless.connect()


@host_hookimpl
def assay_engines() -> Iterator[EngineRegistration]:
    """Yield the built-in engines."""
    yield EngineRegistration("docker", _docker)
    yield EngineRegistration("runc", _runc)
    yield EngineRegistration("runc-rootless", _runc_rootless)
