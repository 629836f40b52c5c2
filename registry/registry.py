"""One registry home: trust root, log and blobs, and the single door through which acts are logged.

Invariants
----------
* Every act is checked, signed and logged in one transaction; what is refused is logged as a refusal.
* Nothing is appended that `Registry.records` would refuse to read back.
* What `Registry.records` yields was signed by its actor, in a role that allowed it under the trust root of
  its time.
* A sponsor's home owns a trust root. A site's home has none of its own: it imports one with a bundle,
  pinned by digest.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from plugin_spec.errors import AssayError, InputError, PolicyError, TrustError
from registry import dsse, home, keys, rules
from registry.authority import NODE_ACTS, check_authority, check_record, read_act
from registry.blobs import BlobStore
from registry.canonical import Digest, canonical_json, digest
from registry.catalogue import CATALOGUE_TYPES, CatalogueEntry, project
from registry.ceremony import Change, Proposal, draw_up, examine, next_root
from registry.database import Database
from registry.errors import (
    ActionDeniedError,
    ClockError,
    OwnLogLockedError,
    RegistryStateError,
    TrustRootError,
    UnknownRecordError,
)
from registry.keys import Signer
from registry.log import Log
from registry.record import ORIGIN_PREFIX, Record
from registry.roots import RootHistory
from registry.statements import (
    PAYLOAD_TYPE,
    PREDICATE_PREFIX,
    Act,
    Refusal,
    RunFinished,
    RunStarted,
    make_statement,
)
from registry.trials import STATUS_TYPES, TrialStatus, status
from registry.trust_root import Person, Role, TrustRoot
from registry.values import named_faults
from registry.witness import cosigners, open_enrolled

Clock = Callable[[], datetime]
Random = Callable[[int], bytes]
ActT = TypeVar("ActT", bound=Act)
MAX_CLOCK_SKEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Founder:
    """Somebody of trust root 1; those with the root role sign it."""

    id: str
    name: str
    roles: tuple[Role, ...]
    signer: Signer

    def person(self) -> Person:
        """The entry in the trust root."""
        return Person(id=self.id, name=self.name, roles=self.roles, keys=(self.signer.public,))


class Registry:
    """A home, made with `Registry.create` (a sponsor's) or `Registry.create_site`, then opened."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.home = folder
        self.clock = clock
        self.blobs = BlobStore(folder / "blobs")
        self._description = home.read(folder)
        self.node = keys.load_private(folder / home.NODE_KEY, None)
        self.log = Log(
            Database.open(home.place_of(folder, self._description)),
            origin=self._description.origin,
            node=self.node,
            keys={},
            clock=clock,
        )
        self.roots = RootHistory((), ())
        self.refresh_roots()

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        organisation: str,
        node_id: str,
        root_signers: Sequence[Founder],
        clock: Clock,
        random: Random,
        database: str | None = None,
        database_admin: str | None = None,
    ) -> "Registry":
        """Set up a sponsor's registry: node key, log, and trust root 1 signed by its founders.

        The root threshold starts at 1; raise it with `enrol`. ``database`` is the URL of an empty PostgreSQL database
        (default: a SQLite file in the home), ``database_admin`` the one of somebody who may act as its owner.

        Raises
        ------
        RegistryStateError
            Something is there already, or no founder holds the root role.
        GuardMissingError
            The database would not be append-only.
        """
        signers = [one.signer for one in root_signers if Role.ROOT in one.roles]
        if not signers:
            raise RegistryStateError("a trust root needs a founder with the root role", subject=str(folder))
        node = keys.generate(random)
        root = _founding_root(organisation, node_id, node, root_signers, clock)
        opened = _lay_out(folder, node, database, database_admin)
        envelope = dsse.sign(make_statement(root), PAYLOAD_TYPE, signers)
        history = RootHistory.verified([(0, envelope)], None)
        origin = ORIGIN_PREFIX + node_id
        log = Log(opened, origin=origin, node=node, keys=history.keys(), clock=clock)
        log.append(envelope)
        # Written last: a folder without it is no registry, so a set-up that was cut short is seen as such.
        pin = history.latest.digest
        home.describe(
            folder,
            home.HomeDescription(
                kind="sponsor",
                node_id=node_id,
                origin=origin,
                organisation=organisation,
                trust_root=pin,
                database=database,
            ),
        )
        return cls(folder, clock)

    @classmethod
    def create_site(
        cls,
        folder: Path,
        *,
        site_id: str,
        clock: Clock,
        random: Random,
        database: str | None = None,
        database_admin: str | None = None,
    ) -> "Registry":
        """Set up a site's home: a log and a node key, which the sponsor enrols with the role ``site``."""
        with named_faults(site_id):
            description = home.HomeDescription(
                kind="site",
                node_id=site_id,
                origin=ORIGIN_PREFIX + site_id,
                organisation=None,
                trust_root=None,
                database=database,
            )
        _lay_out(folder, keys.generate(random), database, database_admin)
        home.describe(folder, description)
        return cls(folder, clock)

    @classmethod
    def open(cls, folder: Path, clock: Clock) -> "Registry":
        """Open a home and verify its chain of trust roots.

        Raises
        ------
        RegistryStateError
            No registry there, or one of another version.
        RootPinError
            The chain in the log does not contain the pinned root.
        """
        return cls(folder, clock)

    @property
    def node_id(self) -> str:
        """The node's id: its actor name in run records and refusals."""
        return self._description.node_id

    @property
    def is_site(self) -> bool:
        """Whether this is a site's home."""
        return self._description.kind == "site"

    @property
    def pin(self) -> Digest | None:
        """The digest of the trust root that this home was founded on or told to trust."""
        return self._description.trust_root

    @property
    def root(self) -> TrustRoot:
        """The trust root in force. Raises `NoTrustRootError` at a site that has imported nothing."""
        return self.roots.current

    @property
    def root_digest(self) -> Digest:
        """The payload digest of the trust root in force: what a site pins and a lock names."""
        return self.roots.latest.digest

    def refresh_roots(self) -> None:
        """Read the chain of trust roots again where the log holds more of it."""
        entries = self.log.envelopes(TrustRoot.predicate_type)
        if not entries or len(entries) != len(self.roots.versions):
            self._adopt(RootHistory.verified(entries, self.pin))

    def _adopt(self, history: RootHistory) -> None:
        self.roots = history
        # The node's own key always counts: a site must be able to record a refusal before it is enrolled.
        self.log.keys = {**history.keys(), self.node.public.keyid: self.node.public}

    def trust(self, pin: Digest) -> None:
        """At a site, pin the trust root of the sponsor; it is set once.

        Raises
        ------
        RegistryStateError
            A sponsor's home, or another root is pinned already.
        """
        if not self.is_site or self.pin not in (None, pin):
            raise RegistryStateError(f"{self.home}: trusts {self.pin} already", subject=str(self.home))
        self._description = self._description.model_copy(update={"trust_root": pin})
        home.describe(self.home, self._description)

    def records(
        self,
        predicate_type: str | Collection[str] | None = None,
        subject: Digest | None = None,
        since: datetime | None = None,
    ) -> Iterator[Record]:
        """Yield records in log order, each checked against its actor and the trust root of its time."""
        for record in self.log.records(predicate_type, subject, since):
            self.check(record)
            yield record

    def check(self, record: Record) -> Act:
        """Read a record's act and check who wrote it. Raises `WrongActorError`, `RoleError`."""
        act = read_act(record.statement)
        own = self.node.public.keyid in record.signers and act.actor == self.node_id
        return act if own and type(act) in NODE_ACTS else check_record(record, self.roots)

    def find(self, payload_digest: Digest, kind: type[ActT]) -> tuple[Record, ActT]:
        """Return a record of one kind and its content. Raises `UnknownRecordError`, `StatementError`."""
        record = self.log.record(payload_digest)
        self.check(record)
        return record, record.statement.read(kind)

    def catalogue(self) -> dict[Digest, CatalogueEntry]:
        """Every release and what it has earned."""
        return project(self.records(CATALOGUE_TYPES), self.roots)

    def trial(self, trial: str) -> TrialStatus:
        """A trial, its locks and signatures. Raises `UnknownRecordError`."""
        return status(self.records(STATUS_TYPES), trial, self.roots)

    def act(self, predicate: Act, signer: Signer, subjects: Sequence[tuple[str, str]] = ()) -> Record:
        """Check every rule for this kind of act, sign it, and log it, in one transaction.

        Parameters
        ----------
        predicate : Act
            What is done, by whom, in which role, when and why.
        signer : Signer
            A key of the actor's; the node's key for runs.
        subjects : sequence of (name, digest), optional
            What the statement is about.

        Raises
        ------
        PolicyError, TrustError, InputError
            Refused; the refusal is in the log.
        """
        attempted = predicate.predicate_type.removeprefix(PREDICATE_PREFIX)
        with self.refusals_logged(attempted, predicate.actor), self.log.database.transaction():
            self.refresh_roots()
            if self.is_site and type(predicate) not in NODE_ACTS:
                raise ActionDeniedError(
                    f"{self.node_id} is a site: it records runs only", subject=predicate.actor
                )
            rules.check(predicate, self)
            return self.log_act(predicate, [signer], subjects)

    def record_run(
        self,
        kind: type[RunStarted] | type[RunFinished],
        make: Callable[[int, Digest | None], RunStarted | RunFinished],
    ) -> Record:
        """Log this node's next run record; its place in the chain is looked up and taken in one transaction.

        Parameters
        ----------
        kind : type
            Of the record, for the refusal if there is one.
        make : callable
            Given ``chain`` and ``previous``, makes the record.

        Raises
        ------
        PolicyError, TrustError, InputError
            Refused, as by `act`; the refusal is in the log.
        """
        attempted = kind.predicate_type.removeprefix(PREDICATE_PREFIX)
        # The refusal that `act` logs is undone with this transaction, and logged again outside it.
        with self.refusals_logged(attempted, self.node_id), self.log.database.transaction():
            return self.act(make(*self.next_link()), self.node)

    @contextmanager
    def refusals_logged(self, attempted: str, by: str) -> Iterator[None]:
        """Log what is refused inside the block, then let the error pass."""
        try:
            yield
        except (PolicyError, TrustError, InputError) as error:
            self.refuse(error, attempted=attempted, subject=error.subject, by=by)
            raise

    def log_act(
        self, predicate: Act, signers: Sequence[Signer], subjects: Sequence[tuple[str, str]]
    ) -> Record:
        """Sign and log an act whose rule was checked; actor, role and time are checked here."""
        self._check_time(predicate)
        check_authority(predicate, frozenset(signer.public.keyid for signer in signers), self.root)
        return self.log.append(dsse.sign(make_statement(predicate, subjects), PAYLOAD_TYPE, signers))

    def _check_time(self, predicate: Act) -> None:
        now = self.clock()
        if abs(datetime.fromisoformat(predicate.at) - now) > MAX_CLOCK_SKEW:
            raise ClockError(
                f"the act says {predicate.at}, but it is {now.isoformat(timespec='seconds')}",
                subject=predicate.actor,
            )

    def refuse(self, error: AssayError, *, attempted: str, subject: str, by: str | None = None) -> Record:
        """Log that something was refused, signed by the node.

        Parameters
        ----------
        error : AssayError
            The named error.
        attempted : str
            What was tried, for example ``trial-lock`` or ``run-started``.
        subject : str
            On what: an id or a digest.
        by : str, optional
            Who said to be trying; nobody authenticated it.
        """
        predicate = Refusal(
            actor=self.node_id,
            role=Role.SITE if self.is_site else Role.LOG,
            at=self.clock().astimezone(UTC).isoformat(timespec="seconds"),
            reason="the rules forbid it",
            attempted=attempted,
            attempted_by=None if by is None else _signable(by),
            subject_id=_signable(subject),
            error=error.code,
            message=_signable(error.message),
        )
        with self.log.database.transaction():
            # The entry's number keeps two refusals of the same thing in one second apart.
            name = f"refusal-{self.log.size}"
            body = digest(canonical_json(predicate.model_dump(mode="json")))
            return self.log.append(
                dsse.sign(make_statement(predicate, [(name, body)]), PAYLOAD_TYPE, [self.node])
            )

    def enrol(
        self,
        people: Sequence[Person],
        signers: Sequence[Signer],
        *,
        reason: str,
        thresholds: dict[Role, int] | None = None,
    ) -> Record:
        """Log the next trust root, with ``people`` added or put in place of those with the same ids.

        Parameters
        ----------
        people : sequence of Person
            Who is new or changed.
        signers : sequence of Signer
            Root holders' keys; the owner of the first one acts.
        reason : str
            Why.
        thresholds : dict, optional
            New thresholds by role; default: unchanged.

        Raises
        ------
        RootThresholdError, TrustRootError, RoleError, UnknownKeyError
            Too few root holders signed, or an id or key would pass to somebody else.
        ValueRefusedError
            An empty or overlong reason, a name or key in use, or a threshold nobody can reach.
        """
        return self.change_root(Change(people=people, thresholds=thresholds or {}), signers, reason=reason)

    def change_root(self, change: Change, signers: Sequence[Signer], *, reason: str) -> Record:
        """Draw up the next trust root and log it at once, which wants the keys of the whole threshold here.

        Raises
        ------
        As `enrol` and `log_root`.
        """
        actor = self.root.person_of(signers[0].public.keyid).id
        with self.refusals_logged("trust-root/v1", actor):
            return self._log_root(self._propose(change, signers, actor, reason).envelope)

    def propose(self, change: Change, signers: Sequence[Signer], *, reason: str) -> Proposal:
        """Draw up the next trust root for its holders to sign; nothing but a refusal is logged.

        Raises
        ------
        UnknownKeyError, RoleError, ValueRefusedError, TrustRootError, OwnLogLockedError
            As `log_root` does, the number of signatures apart.
        """
        actor = self.root.person_of(signers[0].public.keyid).id
        with self.refusals_logged("trust-root/v1", actor):
            return self._propose(change, signers, actor, reason)

    def _propose(self, change: Change, signers: Sequence[Signer], actor: str, reason: str) -> Proposal:
        if self.is_site:
            raise ActionDeniedError(
                f"{self.node_id} is a site: its sponsor changes the trust root", subject=actor
            )
        root = next_root(self.roots.latest, change, actor=actor, at=self.clock(), reason=reason)
        self._check_own_node(root)
        chain = [envelope for _, envelope in self.log.envelopes(TrustRoot.predicate_type)]
        proposal = draw_up(chain, root, signers)
        examine(proposal, self.pin)
        return proposal

    def log_root(self, envelope: bytes, *, by: str) -> Record:
        """Put a proposed trust root in force, once its holders have signed it.

        Parameters
        ----------
        envelope : bytes
            The next root; complete, and continuing the one in force.
        by : str
            Who brings it; nobody authenticates them, and a refusal says so.

        Raises
        ------
        RootThresholdError, RootVersionError, TrustRootError, SignatureError
            Too few root holders signed, it is not the next version of this chain, or is of the future.
        OwnLogLockedError
            This registry's node could no longer sign its own log.
        """
        with self.refusals_logged("trust-root/v1", by):
            if self.is_site:
                raise ActionDeniedError(
                    f"{self.node_id} is a site: its sponsor changes the trust root", subject=by
                )
            return self._log_root(envelope)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; where it fails, the trust roots read in it are forgotten as well."""
        before = self.roots
        try:
            with self.log.database.transaction():
                yield
        except BaseException:
            self._adopt(before)
            raise

    def append_returned(self, envelopes: Sequence[bytes]) -> None:
        """At the sponsor, log a site's verified records; what could not be read back is refused, undoing all."""
        with self.log.database.transaction():
            for record in self.log.append_many(envelopes):
                self.check(record)

    def append_known(self, records: Sequence[Record], roots: RootHistory) -> None:
        """At a site, log copies of a bundle's verified records that are new here, in the sponsor's order.

        Each is then judged at its place in this log, as `records` will: where one does not pass, none is kept.
        """
        with self.writing():
            self.log.keys = {**self.log.keys, **roots.keys()}
            fresh = self.log.append_many([one.envelope for one in records if not self.log.has(one.digest)])
            self.refresh_roots()
            for record in fresh:
                self.check(record)

    def _log_root(self, envelope: bytes) -> Record:
        with self.writing():
            entries = [*self.log.envelopes(TrustRoot.predicate_type), (self.log.size, envelope)]
            history = RootHistory.verified(entries, self.pin)
            self._check_own_node(history.current)
            if datetime.fromisoformat(history.current.at) - self.clock() > MAX_CLOCK_SKEW:
                raise TrustRootError(
                    f"trust root {history.current.version} says {history.current.at}, which is yet to come",
                    subject=history.current.actor,
                )
            self._adopt(history)
            return self.log.append(envelope)

    def _check_own_node(self, root: TrustRoot) -> None:
        """Refuse a root under which this node could not sign its log: the log could never be mended."""
        own = [one for one in root.people if one.id == self.node_id]
        if not own or Role.LOG not in own[0].roles or self.node.public not in own[0].keys:
            raise OwnLogLockedError(
                f"trust root {root.version} leaves {self.node_id} without its key or the role log: this "
                "registry could no longer sign its own log",
                subject=self.node_id,
                hint="leave the registry's own node as it is; enrol others under ids of their own",
            )

    def next_link(self) -> tuple[int, Digest | None]:
        """What this node's next run record must carry as ``chain`` and ``previous``."""
        for record in self.log.newest_first([RunStarted.predicate_type, RunFinished.predicate_type]):
            act = read_act(record.statement)
            if act.actor == self.node_id and isinstance(act, RunStarted | RunFinished):
                return act.chain + 1, record.digest
        return 1, None

    def checkpoint_covering(self, payload_digest: Digest, *, cosigned_by_other_than: str) -> str:
        """The newest of this log's notes that covers a record and that somebody else cosigned.

        Raises
        ------
        UnknownRecordError
            No such record, or no such checkpoint yet.
        """
        sequence = self.log.record(payload_digest).sequence
        for note in reversed(self.log.notes()):
            checkpoint = open_enrolled(note, self.root)
            if checkpoint.size > sequence and set(cosigners(note, self.root)) - {cosigned_by_other_than}:
                return note
        raise UnknownRecordError(
            f"no checkpoint over entry {sequence} is cosigned by anybody but {cosigned_by_other_than}",
            subject=payload_digest,
            hint="somebody of the role qa cosigns: assay kit register, assay trial sign",
        )


def _founding_root(
    organisation: str, node_id: str, node: Signer, founders: Sequence[Founder], clock: Clock
) -> TrustRoot:
    """The first trust root, checked before anything is written. Raises `ValueRefusedError`."""
    with named_faults(organisation):
        registry = Person(id=node_id, name=f"Registry {node_id}", roles=(Role.LOG,), keys=(node.public,))
        return TrustRoot(
            actor=next(one.id for one in founders if Role.ROOT in one.roles),
            role=Role.ROOT,
            at=clock().isoformat(timespec="seconds"),
            reason="the registry is founded",
            version=1,
            organisation=organisation,
            previous=None,
            people=(*(one.person() for one in founders), registry),
            thresholds={Role.ROOT: 1},
        )


def _signable(text: str) -> str:
    """The text with the bytes of a file name that is not UTF-8 written out, for JSON has no place for them."""
    return text.encode(errors="backslashreplace").decode()


def _lay_out(folder: Path, node: Signer, database: str | None, admin: str | None) -> Database:
    place, admin = home.checked_url(database) or folder / home.DATABASE, home.checked_url(admin)
    home.prepare(folder)
    # First, for it is what may be refused: the folder can then be used again.
    made = Database.create(place, admin)
    # A node signs unattended, so its key rests in the clear, mode 0600.
    keys.save_private(folder / home.NODE_KEY, node, None)
    return made
