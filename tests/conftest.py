"""What tests need from outside: a container engine and real scans. What is missing is said, not hidden."""

import gc
import os
import warnings
from collections.abc import Generator, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.databases import Place, PostgresPlace
    from tests.support.postgresql import PrivateServer

# Machines are shared: a slow example says nothing about the code.
settings.register_profile("shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-machine")

ROOT = Path(__file__).parents[1]
REQUIRE_ENGINE = os.environ.get("ASSAY_REQUIRE_ENGINE") == "1"


@cache
def engine_fault() -> str:
    """Why no Docker engine can be used, asked once per session; empty when one answers."""
    import docker

    fault = ""
    with warnings.catch_warnings():
        # docker-py leaves its socket open when nobody listens; collected here, it disturbs no later test.
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            docker.from_env(timeout=10).close()  # the constructor asks the engine for its version
        except (docker.errors.DockerException, OSError) as error:
            fault = f"no Docker engine answers: {error}"
        gc.collect()
    return fault


@pytest.fixture(autouse=True)
def _docker_marked_tests_have_an_engine(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("docker") and (fault := engine_fault()):
        pytest.skip(fault)


@pytest.fixture(scope="session")
def postgresql() -> "Iterator[PrivateServer]":
    """A PostgreSQL server of this session's own."""
    from tests.support.postgresql import installed, private_server

    if not installed():
        missing = "no PostgreSQL 15 here; on Debian, as root: bash .ci/test-tools"
        pytest.fail(missing) if REQUIRE_ENGINE else pytest.skip(missing)
    with private_server() as server:
        yield server


@pytest.fixture
def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide a GPU driver of this machine from the runtime where it runs in this process."""
    monkeypatch.setattr("plugin_spec.runtime.gpu.LIBRARIES", {})


def pytest_configure(config: pytest.Config) -> None:
    """Trace requirements and attacks to tests and results."""
    from tests.support.traced_run import TracedRun

    config.pluginmanager.register(TracedRun())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped engine test into a failure where an engine is required.

    A test that also needs real scans may skip: where there is no engine, all the others fail.
    """
    report = yield
    needs_engine = item.get_closest_marker("docker") and not item.get_closest_marker("patient_data")
    if REQUIRE_ENGINE and report.skipped and needs_engine:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let no module that skips itself hide its engine tests."""
    report = yield
    if REQUIRE_ENGINE and report.skipped:
        _fail(report)
    return report


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"ASSAY_REQUIRE_ENGINE=1 allows no skip: {reason}"


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the public scans: ``ASSAY_DATA``, else ``../shared/data``."""
    folder = Path(os.environ.get("ASSAY_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no scans in {folder}; set ASSAY_DATA to their folder")
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> "Place":
    """Where a registry's database can be made, on each engine."""
    from tests.support.databases import SqlitePlace

    if request.param == "sqlite":
        return SqlitePlace(tmp_path / "registry.db")
    held: PostgresPlace = request.getfixturevalue("postgres_place")
    return held


@pytest.fixture
def postgres_place(postgresql: "PrivateServer") -> "Iterator[PostgresPlace]":
    """A database without tables on PostgreSQL."""
    from tests.support.databases import PostgresPlace

    place = PostgresPlace(postgresql, postgresql.new_database())
    yield place
    postgresql.drop(place.name)
