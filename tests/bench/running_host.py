"""A host that is running: its registry is open, its engine connected, and every case leaves its full record."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from host import __version__, extensions
from host.crew import Crew, Place
from host.engines.interface import Engine
from host.execution import CaseRequest
from host.home import Home, now
from host.installed import find_release, install
from host.machine import Room, this_machine
from host.records import RunContext
from host.releases import InstalledRelease
from host.run_ledger import RecordedRun, RunLedger
from plugin_spec.errors import AssayError
from registry.canonical import Digest
from registry.keys import load_private
from registry.registry import Registry
from registry.statements import Protocol, ValidationStarted
from tests.bench.benchmark import CannotRunError
from tests.bench.volumes import PLUGIN, check_measured
from tests.support.cli import PASSPHRASE, Cli
from tests.support.tiny import kit_folder, staffed

VALIDATION = "b" * 16


@dataclass(frozen=True)
class RunningHost:
    """What runs cases, and what they are cases of."""

    home: Home
    engine: Engine
    release: InstalledRelease
    ledger: RunLedger

    def run(self, scan: Path, place: Place | None = None) -> RecordedRun:
        """Run one case, in a fresh container or at a place that has a warm one, and keep its record."""
        return self.ledger.run(
            self.release,
            CaseRequest(scan.name.removesuffix(".nii"), {"scan": scan}, {}),
            subject="bench",
            visit="baseline",
            cancelled=lambda: False,
            place=place,
        )

    def crew(self) -> Crew:
        """What makes a place with a warm container."""
        return Crew(self.engine, self.home.runs, self.release, Room(this_machine()))


def connected(engine: str) -> Engine:
    """An engine by name. Raises `CannotRunError` where it does not answer."""
    try:
        return extensions.connect(engine)
    except AssayError as error:
        raise CannotRunError(f"engine {engine}: {error.message}") from error


def built(home: Path, plugin: Path, engine: str) -> Cli:
    """A home in which the plugin is built for an engine."""
    cli = Cli(home)
    cli.do("plugin", "build", plugin, "--engine", engine)
    return cli


def submitted(home: Path, plugin: Path, kit: Path, engine: str) -> Cli:
    """A registry in which the plugin is built for an engine and submitted, and a kit registered."""
    cli = staffed(Cli(home))
    cli.do("plugin", "build", plugin, "--engine", engine)
    cli.do("plugin", "submit", plugin, "--as", "ada")
    cli.do("kit", "register", kit_folder(kit), "--as", "quentin")
    return cli


@contextmanager
def running_host(cli: Cli, engine: str, release: str = f"{PLUGIN}@1.0.0") -> Iterator[RunningHost]:
    """Open the registry that `submitted` has made, and start a validation of the release in it."""
    home, registry = Home(cli.home, cli.cache), Registry.open(cli.home, now)
    runner = connected(engine)
    found = find_release(registry, release)
    started = _validation(registry, found.digest, cli.home / "keys" / "ada.key")
    context = RunContext(
        actor=registry.node_id,
        role="log",
        purpose="validation",
        reason="a benchmark",
        engine=runner.describe(),
        host_version=__version__,
        validation=started,
    )
    with home.running(), registry.log.database.kept_open():
        yield RunningHost(home, runner, install(registry, found), RunLedger(home, registry, runner, context))


def _validation(registry: Registry, release: Digest, key: Path) -> str:
    protocol = next(registry.records(Protocol.predicate_type)).digest
    registry.act(
        ValidationStarted(
            actor="ada",
            role="developer",
            at=now().isoformat(timespec="milliseconds"),
            reason="a benchmark",
            validation=VALIDATION,
            release=release,
            protocol=protocol,
            attempt=1,
            subset="whole kit",
            cases=3,
            checkpoint=registry.checkpoint_covering(protocol, cosigned_by_other_than="ada"),
        ),
        load_private(key, PASSPHRASE),
    )
    return VALIDATION


def check_recorded(run: object, number: int) -> None:
    """Refuse a run whose record does not hold this scan's figure."""
    assert isinstance(run, RecordedRun)
    (figure,) = run.record.measured
    check_measured(float(figure.value), number)
