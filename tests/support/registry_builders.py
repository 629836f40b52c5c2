"""A sponsor's registry and a site's home, filled step by step through the public interface."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from registry import witness
from registry.activation import SiteActivated
from registry.bundle import export_trial, import_trial
from registry.esignature import Signing, compose
from registry.impact import affected
from registry.keys import Signer, generate
from registry.plans import FieldChange, ProtocolDeviation, number_of, read_plan
from registry.record import Record
from registry.registry import Founder, Registry
from registry.results import RUN_TYPES, affected_digest, trial_runs
from registry.returns import export_site_records, take_in
from registry.standing import Change, ReleaseRecalled
from registry.statements import (
    CatalogueDecision,
    ContextOfUse,
    FileRef,
    InputRef,
    Measured,
    OutputRef,
    Protocol,
    Release,
    RunFinished,
    RunStarted,
    SignatureMeaning,
    Subset,
    TrialCreated,
    TrialLock,
    ValidationReport,
    ValidationStarted,
)
from registry.terms import Amendment
from registry.trials import LEAST_POLICY, slot_from
from registry.trust_root import Person, Role

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
STAFF = {
    "rosa": ("Rosa Root", Role.ROOT),
    "dora": ("Dora Developer", Role.DEVELOPER),
    "quinn": ("Quinn Quality", Role.QA),
    "quentin": ("Quentin Quality", Role.QA),
    "simone": ("Simone Sponsor", Role.SPONSOR),
}
VALIDATION = "a" * 16
CONTEXT = ContextOfUse(
    measurand="whole-brain volume", population="adults", modality="MR", endpoint_role="secondary"
)
CASES = 3
AMENDED = Amendment(kind="deviation", impact="none", justification="the measured values do not depend on it")


class FixedClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def seeded(name: str) -> Callable[[int], bytes]:
    """Bytes that depend on the name only: keys of tests are the same in every run."""
    counter = iter(range(1000))
    return lambda size: hashlib.shake_256(f"{name}-{next(counter)}".encode()).digest(size)


def digest_of(text: str) -> str:
    """A digest to name something that no test opens."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@dataclass
class World:
    """A sponsor, a site, and everybody's keys."""

    folder: Path
    clock: FixedClock
    keys: dict[str, Signer]
    sponsor: Registry
    site: Registry
    logged: dict[str, Record] = field(default_factory=dict)

    def copied(self, folder: Path) -> "World":
        """The same world in another folder, so that one test's tampering is not another's."""
        clock = FixedClock()
        clock.now = self.clock.now
        for name in ("sponsor", "site"):
            shutil.copytree(self.folder / name, folder / name)
        sponsor, site = Registry.open(folder / "sponsor", clock), Registry.open(folder / "site", clock)
        return World(folder, clock, dict(self.keys), sponsor, site, dict(self.logged))

    def stamp(self, person: str, role: str | None = None) -> dict[str, str]:
        """The fields that every act carries."""
        enrolled = {one.id: one.roles[0].value for one in self.sponsor.root.people}
        held = role or (STAFF[person][1].value if person in STAFF else enrolled.get(person, "site"))
        return {"actor": person, "role": held, "at": self.clock().isoformat(), "reason": "as planned"}

    def file(self, name: str, data: bytes, store: Registry | None = None) -> FileRef:
        """Store a file and name it."""
        stored = (store or self.sponsor).blobs.put_bytes(data)
        return FileRef(name=name, digest=stored.digest, bytes=stored.bytes)

    def submit(self, version: str = "1.0.0", by: str = "dora") -> Record:
        layer = self.file("layer.tar", b"layer " + version.encode())
        config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [layer.digest]}}).encode()
        release = Release(
            **self.stamp(by),
            plugin="brain-volumes",
            version=version,
            image=self.file("config.json", config).digest,
            image_name="assay/brain-volumes",
            manifest=self.file("plugin.toml", b"manifest " + version.encode()).digest,
            io_schema=self.file("io.json", b"{}").digest,
            sbom=self.file("sbom.json", b"[]").digest,
            weights=(self.file("net", b"weights"),),
        )
        self.logged["release"] = self.sponsor.act(release, self.keys[by])
        return self.logged["release"]

    def register_kit(self, by: str = "quinn", evidence: str = "patient") -> Record:
        protocol = Protocol.model_validate(
            {
                **self.stamp(by),
                "kit": "brain-kit",
                "version": "1.0.0",
                "kit_digest": digest_of("kit"),
                "protocol_digest": digest_of("protocol"),
                "cases": CASES,
                "evidence": evidence,
            }
        )
        self.logged["protocol"] = self.sponsor.act(protocol, self.keys[by])
        return self.logged["protocol"]

    def deviation(self, by: str = "quentin", **changes: object) -> ProtocolDeviation:
        """The next deviation from the plan in force, as ``by`` would sign it."""
        before = read_plan(self.logged["protocol"].statement)
        number = number_of(before) + 1
        return ProtocolDeviation(
            **self.stamp(by),
            kit=before.kit,
            version=before.version,
            kit_digest=digest_of(f"kit {number}"),
            protocol_digest=digest_of(f"protocol {number}"),
            cases=before.cases,
            evidence=before.evidence,
            number=number,
            previous=self.logged["protocol"].digest,
            changes=(FieldChange(field="criteria.overlap.bound", before="0.9", after="0.8"),),
        ).model_copy(update=changes)

    def deviate(self, by: str = "quentin", **changes: object) -> Record:
        """Log a deviation; it is the plan in force from now on."""
        self.logged["protocol"] = self.sponsor.act(self.deviation(by, **changes), self.keys[by])
        return self.logged["protocol"]

    def cosign(self) -> str:
        """The site witnesses the sponsor's newest checkpoint."""
        note = self.sponsor.log.checkpoint()
        seen = witness.last_seen(self.site, self.sponsor.log.origin, self.sponsor.node.public)
        proof = self.sponsor.log.consistency(seen.size) if seen and seen.size < self.sponsor.log.size else ()
        cosigned = witness.cosign_as_witness(self.site, note, log_key=self.sponsor.node.public, proof=proof)
        self.sponsor.log.add_cosignature(cosigned)
        return cosigned

    def start_validation(
        self,
        by: str = "dora",
        checkpoint: str | None = None,
        subset: Subset = "whole kit",
        cases: int = CASES,
        validation: str = VALIDATION,
        attempt: int = 1,
    ) -> Record:
        protocol = self.logged["protocol"].digest
        started = ValidationStarted(
            **self.stamp(by),
            validation=validation,
            release=self.logged["release"].digest,
            protocol=protocol,
            attempt=attempt,
            subset=subset,
            cases=cases,
            checkpoint=checkpoint or self.sponsor.checkpoint_covering(protocol, cosigned_by_other_than=by),
        )
        self.logged["started"] = self.sponsor.act(started, self.keys[by])
        return self.logged["started"]

    def report(
        self,
        by: str = "dora",
        verdict: str = "met",
        evidence: str = "patient",
        subset: Subset = "whole kit",
        cases: int = CASES,
        validation: str = VALIDATION,
    ) -> Record:
        report = ValidationReport.model_validate(
            {
                **self.stamp(by),
                "validation": validation,
                "started": self.logged["started"].digest,
                "release": self.logged["release"].digest,
                "protocol": self.logged["protocol"].digest,
                "report_json": self.file("report.json", b'{"verdict":"met"}'),
                "report_html": self.file("report.html", b"<p>met</p>"),
                "verdict": verdict,
                "evidence": evidence,
                "subset": subset,
                "cases": cases,
                "host_version": "0.1.0",
            }
        )
        self.logged["report"] = self.sponsor.act(report, self.keys[by])
        return self.logged["report"]

    def sign(self, person: str, what: str, meaning: SignatureMeaning = "approval") -> Record:
        enrolled = self.sponsor.root.person(person)
        signing = Signing(target=self.logged[what].digest, meaning=meaning, reason="reviewed in full")
        signature = compose(enrolled, enrolled.roles[0], signing, at=self.clock())
        return self.sponsor.act(signature, self.keys[person])

    def approve(self, by: str = "quentin", scope: str = "endpoint", role: str | None = None) -> Record:
        decision = CatalogueDecision.model_validate(
            {
                **self.stamp(by, role),
                "release": self.logged["release"].digest,
                "decision": "approve",
                "scope": scope,
                "context_of_use": "whole-brain volume in adults, T1-weighted MRI",
                "report": self.logged["report"].digest,
                "context": CONTEXT,
            }
        )
        self.logged["decision"] = self.sponsor.act(decision, self.keys[by])
        return self.logged["decision"]

    def change(self, kind: type[Change], by: str = "quinn", role: str | None = None) -> Record:
        """Suspend, reinstate, recall or retire the release; a recall is signed for the list as it is."""
        release = self.logged["release"].digest
        fields: dict[str, str] = {"release": release}
        if kind is ReleaseRecalled:
            fields["impact"] = affected(self.sponsor, release).digest
        change = kind.model_validate({**self.stamp(by, role), **fields})
        self.logged[kind.verb] = self.sponsor.act(change, self.keys[by], [("release", release)])
        return self.logged[kind.verb]

    def open_trial(self, trial: str = "trial-1", scope: str = "endpoint") -> Record:
        created = TrialCreated.model_validate(
            {**self.stamp("simone"), "trial": trial, "title": "A trial", "scope": scope}
        )
        self.logged[trial] = self.sponsor.act(created, self.keys["simone"])
        return self.logged[trial]

    def draft_lock(self, trial: str = "trial-1", **changes: object) -> TrialLock:
        entry = self.sponsor.catalogue()[self.logged["release"].digest]
        known = self.sponsor.trial(trial)
        last = known.locks[-1] if known.locks else None
        return TrialLock(
            **self.stamp("simone"),
            trial=trial,
            sequence=last.lock.sequence + 1 if last else 1,
            previous=last.digest if last else None,
            slots=(slot_from(entry, "volumes", known.trial.scope, {"smoothing_mm": 1.5}),),
            sites=("site-1",),
            engines=("docker",),
            policy=LEAST_POLICY,
            trust_root=self.sponsor.root_digest,
            checkpoint=self.cosign(),
            amendment=self.amendment(trial) if last else Amendment(kind="initiation"),
            conduct=True,
        ).model_copy(update=changes)

    def amendment(self, trial: str = "trial-1", **changes: object) -> Amendment:
        """An amendment for the results that there are."""
        runs = trial_runs(self.sponsor.records(RUN_TYPES), self.sponsor.trial(trial).locks)
        return AMENDED.model_copy(update={"affected": affected_digest(runs), **changes})

    def activate(self, site: str = "site-1", trial: str = "trial-1", **changes: object) -> Record:
        """The sponsor lets a site start under the lock in force."""
        view = self.sponsor.trial(trial).effective
        act = SiteActivated(
            **self.stamp("simone"), trial=trial, site=site, lock=view.digest if view else digest_of("no lock")
        ).model_copy(update=changes)
        return self.sponsor.act(act, self.keys["simone"])

    def lock(self, trial: str = "trial-1", **changes: object) -> Record:
        self.logged["lock"] = self.sponsor.act(self.draft_lock(trial, **changes), self.keys["simone"])
        return self.logged["lock"]

    def approved(self) -> "World":
        """Everything up to an approved release."""
        self.submit()
        self.register_kit()
        self.cosign()
        self.start_validation()
        self.report()
        self.sign("quinn", "report")
        self.approve()
        return self

    def locked(self) -> "World":
        """Everything up to a trial lock in force."""
        self.approved()
        self.open_trial()
        self.lock()
        self.sign("simone", "lock")
        self.sign("quinn", "lock")
        self.activate()
        return self

    def exported(self, name: str = "trial.zip") -> Path:
        """The trial's bundle."""
        path = self.folder / name
        export_trial(self.sponsor, "trial-1", path)
        return path

    @property
    def pin(self) -> str:
        """The digest of the sponsor's first trust root."""
        return self.sponsor.roots.versions[0].digest

    def imported(self) -> "World":
        """A lock in force, and the site has imported it."""
        import_trial(self.site, self.exported(), pin=self.pin)
        return self

    def returned(self, name: str = "return.zip") -> Path:
        """The site's records as a bundle."""
        path = self.folder / name
        export_site_records(self.site, "trial-1", path, with_outputs=True)
        return path

    def take_in(self, path: Path) -> Record:
        """The sponsor takes a return in."""
        return take_in(self.sponsor, path, self.keys["simone"], actor="simone", reason="monthly return")

    def run_started(self, run: str = "b" * 16, **changes: object) -> RunStarted:
        release = self.logged["release"].statement.read(Release)
        chain, previous = self.site.next_link()
        return RunStarted(
            **self.stamp("site-1"),
            run=run,
            purpose="trial",
            release=self.logged["release"].digest,
            image=release.image,
            manifest=release.manifest,
            weights=release.weights,
            case="case-1",
            subject="subject-1",
            visit="baseline" if run == "b" * 16 else f"visit-{run[0]}",
            inputs=(InputRef(name="t1.nii.gz", digest=digest_of("t1"), bytes=2, port="t1"),),
            parameters={"smoothing_mm": 1.5},
            engine="docker",
            engine_version="27.0",
            gpu=(),
            host_version="0.1.0",
            trial="trial-1",
            lock=self.logged["lock"].digest if "lock" in self.logged else None,
            chain=chain,
            previous=previous,
        ).model_copy(update=changes)

    def validation_run_started(self, run: str = "e" * 16, **changes: object) -> RunStarted:
        """A run at the sponsor, for the validation that was started."""
        chain, previous = self.sponsor.next_link()
        return self.run_started(run).model_copy(
            update={
                **self.stamp("registry", "log"),
                "purpose": "validation",
                "validation": VALIDATION,
                "trial": None,
                "lock": None,
                "chain": chain,
                "previous": previous,
                **changes,
            }
        )

    def run(self, run: str = "b" * 16) -> Record:
        """One whole run at the site."""
        return self.finish(self.site, self.site.act(self.run_started(run), self.site.node))

    def finish(self, node: Registry, begun: Record) -> Record:
        """The end of a run, with one output and one number."""
        started = begun.statement.read(RunStarted)
        output = self.file("volumes.json", b"[1]", node)
        chain, previous = node.next_link()
        finished = RunFinished(
            **self.stamp(started.actor, started.role),
            run=started.run,
            started=begun.digest,
            outcome="ok",
            reason_code="ok",
            message="",
            exit_code=0,
            outputs=(OutputRef(**output.model_dump(), port="volumes"),),
            measured=(Measured(port="volumes", row=0, column="brain_ml", value=1450.25, unit="mL"),),
            qc=(),
            warnings=(),
            environment={},
            duration_s=2.5,
            memory_peak_bytes=None,
            memory_limit_bytes=2**30,
            log=None,
            chain=chain,
            previous=previous,
        )
        return node.act(finished, node.node)


def build_world(
    folder: Path, organisation: str = "Acme Pharma", database: str | None = None, admin: str | None = None
) -> World:
    """A sponsor's registry with its staff and one enrolled site; nothing submitted yet."""
    clock = FixedClock()
    keys = {name: generate(seeded(name)) for name in STAFF}
    founders = [Founder(name, printed, (role,), keys[name]) for name, (printed, role) in STAFF.items()]
    sponsor = Registry.create(
        folder / "sponsor",
        organisation=organisation,
        node_id="registry",
        root_signers=founders,
        clock=clock,
        random=seeded("registry"),
        database=database,
        database_admin=admin,
    )
    site = Registry.create_site(folder / "site", site_id="site-1", clock=clock, random=seeded("site-1"))
    enrolled = Person(id="site-1", name="Hospital One", roles=(Role.SITE,), keys=(site.node.public,))
    sponsor.enrol([enrolled], [keys["rosa"]], reason="the site joins")
    return World(folder, clock, keys, sponsor, site)
