"""The tiny plugin and kit of `tests.support.tiny` without a container engine and without the command line."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from host import __version__
from host.builds import io_schema
from host.cli.session import Actor
from host.engines.cgroup import MemoryUse
from host.engines.interface import Engine
from host.errors import NoEngineError
from host.execution import CaseRequest
from host.home import Home, now
from host.installed import find_release, install
from host.kits.data import data_folder
from host.kits.kit import KitFolder, read_kit
from host.locking import Wanted, activate, propose_lock, sign_lock
from host.records import RunContext
from host.releases import InstalledRelease
from host.run_ledger import RecordedRun, RunLedger
from host.validation.attempt import Executor, Validated
from host.validation.deviating import Approver, Deviated, deviate
from host.validation.resume import find_stopped
from host.validation.session import Progress
from host.validation.validate import Asked, validate
from host.warm.memory import MemoryProbe, peer_memory
from plugin_spec.manifest import Manifest, read_manifest
from registry.bundle import export_trial
from registry.canonical import digest
from registry.keys import Signer, generate
from registry.log import Record
from registry.registry import Founder, Registry
from registry.statements import (
    CatalogueDecision,
    FileRef,
    Protocol,
    Refusal,
    Release,
    RunFinished,
    TrialCreated,
    ValidationStarted,
)
from registry.trust_root import Person, Role
from registry.witness import cosign_own
from tests.support.memory_engine import MemoryEngine
from tests.support.registry_builders import VALIDATION, seeded
from tests.support.tiny import IMAGE_NAME, RELEASE, TRIAL, kit_folder, plugin_folder, write_scan
from tests.support.tiny_kit.make_kit import main as make_kit

WEIGHTS = b"these are the weights"
ROLES = {
    "rosa": (Role.ROOT,),
    "ada": (Role.DEVELOPER, Role.QA),
    "quentin": (Role.QA,),
    "sofia": (Role.SPONSOR,),
}
SITE = "site-01"


def add_weights(plugin: Path) -> Path:
    """Give the tiny plugin a weights file."""
    (plugin / "net").write_bytes(WEIGHTS)
    with (plugin / "plugin.toml").open("a") as stream:
        stream.write(
            f'\n[[weights]]\nname = "net"\nsha256 = "{digest(WEIGHTS)}"\nbytes = {len(WEIGHTS)}\n'
            'licence = "MIT"\nuri = "local:net"\n'
        )
    return plugin


@dataclass
class TinyHost:
    """A sponsor's registry with a submitted release and a registered kit, and an engine that holds the image."""

    folder: Path
    home: Home
    registry: Registry
    keys: dict[str, Signer]
    engine: MemoryEngine
    plugin: Path
    kit: KitFolder
    manifest: Manifest
    config: bytes

    @property
    def release(self) -> InstalledRelease:
        """The submitted release, ready to run."""
        return install(self.registry, find_release(self.registry, RELEASE))

    @property
    def probe(self) -> MemoryProbe:
        """What reads the memory of warm containers: a process of the memory engine's is in no container."""
        if isinstance(self.engine, MemoryEngine):
            return lambda pid: lambda: MemoryUse(24 * 2**20, 0)
        return peer_memory

    def actor(self, person: str, role: Role) -> Actor:
        """A person with their key unlocked."""
        return Actor(person, person.title(), str(role), self.keys[person])

    def stamp(self, person: str) -> dict[str, str]:
        """The fields every act carries."""
        at = now().isoformat(timespec="milliseconds")
        return {"actor": person, "role": str(ROLES[person][0]), "at": at, "reason": "as planned"}

    def scan(self, behaviour: str = "answer", name: str = "scan.nii") -> Path:
        """A scan on which the plugin behaves so."""
        return write_scan(self.folder / name, behaviour)

    def ledger(self) -> RunLedger:
        """A ledger of runs for a validation that was just started."""
        release, protocol = self.release.record, next(self.registry.records(Protocol.predicate_type)).digest
        checkpoint = self.registry.checkpoint_covering(protocol, cosigned_by_other_than="ada")
        started = ValidationStarted(
            **self.stamp("ada"),
            validation=VALIDATION,
            release=release,
            protocol=protocol,
            attempt=1,
            subset="whole kit",
            cases=len(self.kit.cases),
            checkpoint=checkpoint,
        )
        self.registry.act(started, self.keys["ada"])
        return self.ledger_of(VALIDATION)

    def ledger_of(self, validation: str) -> RunLedger:
        """A ledger of runs for a validation."""
        context = RunContext(
            actor=self.registry.node_id,
            role="log",
            purpose="validation",
            reason="a test",
            engine=self.engine.describe(),
            host_version=__version__,
            validation=validation,
        )
        return RunLedger(self.home, self.registry, self.engine, context)

    def validate(
        self,
        *,
        smoke: bool = False,
        release: InstalledRelease | None = None,
        jobs: int = 1,
        warm: bool = False,
        pdf: bool = False,
        against: str = "",
        trial: str = "",
        stopped: str = "",
        executor: str = "ada",
        engines: Mapping[str, Engine] | None = None,
        told: Callable[[str], None] = lambda line: None,
    ) -> Validated:
        """Run the kit; ``engines`` are those that this machine has beside its own."""
        asked = Asked(smoke, jobs, warm, against, trial, pdf=pdf)
        if stopped:
            asked = Asked.again(find_stopped(self.registry, stopped), jobs=jobs, pdf=pdf)

        def connect(name: str) -> Engine:
            if name not in (engines or {}):
                raise NoEngineError(f"no {name} here", subject=name)
            return (engines or {})[name]

        with self.home.running():
            return validate(
                self.home,
                self.registry,
                self.engine,
                release=release or self.release,
                folder=self.kit,
                executor=Executor(executor, ROLES[executor][0], self.keys[executor]),
                asked=asked,
                progress=Progress(
                    say=told,
                    case_done=lambda case, run, number, total: None,
                    told=lambda line, number, total: None,
                    cancelled=lambda: False,
                ),
                probe=self.probe,
                connect=connect,
            )

    def edit_protocol(self, old: str, new: str) -> None:
        """Change the protocol on disk; nobody is told."""
        path = self.kit.path / "protocol.toml"
        text = path.read_text()
        assert old in text, old
        path.write_text(text.replace(old, new))
        self.kit = read_kit(self.kit.path)

    def deviate(self, old: str, new: str, *, by: str = "quentin") -> Deviated:
        """Change the protocol on disk and log that as a deviation, under a cosigned checkpoint."""
        self.edit_protocol(old, new)
        stamp = now().isoformat(timespec="milliseconds")
        done = deviate(self.registry, self.kit, Approver(by, "qa", self.keys[by], stamp, "the readers asked"))
        cosign_own(self.registry, by, self.keys[by])
        draw_cases(self.home, self.kit)
        return done

    def next_release(self, version: str = "1.1.0") -> InstalledRelease:
        """Submit the same image under another version."""
        manifest = self.plugin / "plugin.toml"
        manifest.write_text(manifest.read_text().replace('version = "1.0.0"', f'version = "{version}"'))
        self.manifest = read_manifest(manifest)
        _submit(self)
        name = f"{self.manifest.id}@{version}"
        return install(self.registry, find_release(self.registry, name))

    def sign(self, done: Validated) -> None:
        """Let QA sign a report."""
        quentin = self.actor("quentin", Role.QA)
        sign_lock(self.registry, quentin, done.record, meaning="approval", reason="read in full")

    def file(self, name: str, data: bytes) -> FileRef:
        """Store bytes and name them."""
        stored = self.registry.blobs.put_bytes(data)
        return FileRef(name=name, digest=stored.digest, bytes=stored.bytes)

    def locked(self, site: Registry, *, validated_warm: bool = False, warm: bool = False) -> Record:
        """Carry the release to a signed lock that names the site, and permits warm containers if it is to."""
        done = self.validate(warm=validated_warm)
        registry, quentin = self.registry, self.actor("quentin", Role.QA)
        self.sign(done)
        decision = CatalogueDecision(
            **self.stamp("quentin"),
            release=done.report.release.record,
            decision="approve",
            scope="demonstration",
            context_of_use="tests",
            report=done.record.digest,
        )
        registry.act(decision, self.keys["quentin"])
        person = Person(id=SITE, name="Site 01", roles=(Role.SITE,), keys=(site.node.public,))
        registry.enrol([person], [self.keys["rosa"]], reason="the site joins")
        created = TrialCreated(**self.stamp("sofia"), trial=TRIAL, title="Tiny trial", scope="demonstration")
        registry.act(created, self.keys["sofia"])
        sofia = self.actor("sofia", Role.SPONSOR)
        engines = (self.engine.name,)
        lock = propose_lock(
            registry,
            sofia,
            TRIAL,
            Wanted(
                slots={"bright": RELEASE},
                sites=(SITE,),
                engines=engines,
                warm=frozenset({"bright"}) if warm else frozenset(),
            ),
            reason="start",
        )
        sign_lock(registry, sofia, lock, meaning="approval", reason="start")
        sign_lock(registry, quentin, lock, meaning="approval", reason="start")
        activate(registry, sofia, TRIAL, SITE, reason="start")
        return lock

    def exported(self) -> Path:
        """The trial's bundle."""
        path = self.folder / "trial.bundle"
        export_trial(self.registry, TRIAL, path)
        return path


def run_on(
    host: TinyHost, scan: Path, ledger: RunLedger | None = None, release: InstalledRelease | None = None
) -> RecordedRun:
    """One run of the release, by default in a validation of its own."""
    request = CaseRequest("case-1", {"scan": scan}, {})
    host.home.ensure()
    return (ledger or host.ledger()).run(
        release or host.release, request, subject="subject-1", visit="baseline", cancelled=lambda: False
    )


def finished(registry: Registry) -> list[RunFinished]:
    """How every run ended, as logged."""
    return [one.statement.read(RunFinished) for one in registry.records(RunFinished.predicate_type)]


def refusals(registry: Registry) -> list[Refusal]:
    """Everything that was refused, as logged."""
    return [one.statement.read(Refusal) for one in registry.records(Refusal.predicate_type)]


def tiny_host(
    folder: Path,
    *,
    mode: str = "exec",
    engine: Engine | None = None,
    config: bytes | None = None,
    declared: Callable[[str], str] = lambda text: text,
    planned: Callable[[str], str] = lambda text: text,
) -> TinyHost:
    """Build a `TinyHost` with everything up to the registered kit.

    Parameters
    ----------
    mode : str, optional
        What the plugin declares.
    engine, config : optional
        A real engine, and the config of the image that it holds.
    declared, planned : callable, optional
        Change the text of the manifest, and of the protocol.
    """
    plugin = add_weights(plugin_folder(folder / "plugin"))
    manifest_text = (plugin / "plugin.toml").read_text().replace('mode = "exec"', f'mode = "{mode}"')
    (plugin / "plugin.toml").write_text(declared(manifest_text))
    plan = kit_folder(folder / "kit") / "protocol.toml"
    plan.write_text(planned(plan.read_text()))
    kit = read_kit(plan.parent)
    home = Home(folder / "home", folder / "cache")
    home.ensure()
    keys = {name: generate(seeded(name)) for name in ROLES}
    founders = [Founder(name, name.title(), roles, keys[name]) for name, roles in ROLES.items()]
    registry = Registry.create(
        home.path,
        organisation="Tiny Trials",
        node_id="registry",
        root_signers=founders,
        clock=now,
        random=seeded("tiny"),
    )
    manifest = read_manifest(plugin / "plugin.toml")
    config = config or json.dumps({"rootfs": {"type": "layers", "diff_ids": []}}).encode()
    host = TinyHost(folder, home, registry, keys, engine or MemoryEngine(), plugin, kit, manifest, config)
    _submit(host)
    if isinstance(host.engine, MemoryEngine):
        host.engine.images.add(host.release.image)
        host.engine.tag(host.release.image, IMAGE_NAME)
    _register(host)
    draw_cases(home, kit)
    return host


def draw_cases(home: Home, kit: KitFolder) -> None:
    """Make the kit's case files where a validation looks for them."""
    data = data_folder(home, kit)
    if not data.is_dir():
        data.mkdir(parents=True)
        make_kit(kit.path, data)


def reopened(folder: Path) -> TinyHost:
    """The host that another process built in this folder."""
    home = Home(folder / "home", folder / "cache")
    registry = Registry.open(home.path, now)
    keys: dict[str, Signer] = {name: generate(seeded(name)) for name in ROLES}
    plugin, kit = folder / "plugin", read_kit(folder / "kit")
    config = json.dumps({"rootfs": {"type": "layers", "diff_ids": []}}).encode()
    manifest = read_manifest(plugin / "plugin.toml")
    host = TinyHost(folder, home, registry, keys, MemoryEngine(), plugin, kit, manifest, config)
    host.engine.images.add(host.release.image)
    return host


def _submit(host: TinyHost) -> None:
    release = Release(
        **host.stamp("ada"),
        plugin=host.manifest.id,
        version=host.manifest.version,
        image=host.file("config.json", host.config).digest,
        image_name=IMAGE_NAME,
        manifest=host.file("plugin.toml", (host.plugin / "plugin.toml").read_bytes()).digest,
        io_schema=host.file("io.json", io_schema(host.manifest)).digest,
        sbom=host.file("sbom.json", b"[]").digest,
        weights=(host.file("net", WEIGHTS),),
    )
    host.registry.act(release, host.keys["ada"])


def _register(host: TinyHost) -> None:
    kit = host.kit
    protocol = Protocol(
        **host.stamp("quentin"),
        kit=kit.kit.id,
        version=kit.kit.version,
        kit_digest=kit.kit_digest,
        protocol_digest=kit.protocol_digest,
        cases=len(kit.selected(smoke=False)),
        evidence=kit.kit.evidence,
    )
    host.registry.act(protocol, host.keys["quentin"])
    for data in (kit.listing, *kit.contents.values()):
        host.registry.blobs.put_bytes(data)
    cosign_own(host.registry, "quentin", host.keys["quentin"])
