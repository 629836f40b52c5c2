"""The catalogue as a projection of the log: what each release has earned. Pure; never a stored column.

A report counts once QA, who neither wrote the release nor ran the validation, signed it for review or
approval, and only where its protocol lay under an independently cosigned checkpoint before the validation
began.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from registry.canonical import Digest, short
from registry.errors import (
    ContextMissingError,
    IndependenceError,
    NotEvaluatedError,
    NotPreregisteredError,
    ScopeError,
    WrongStateError,
)
from registry.plans import PLANS, check_approvers, deviations_before, read_plan
from registry.policy import require_independent
from registry.record import Record
from registry.roots import RootHistory
from registry.standing import CHANGES, Change, ReleaseReinstated, ReleaseSuspended, State, check_step, stands
from registry.statements import (
    CatalogueDecision,
    ESignature,
    Protocol,
    Release,
    ValidationReport,
    ValidationStarted,
)
from registry.trust_root import Role, TrustRoot
from registry.witness import cosigners, open_enrolled

# How far an intended use reaches; an approval covers every narrower one.
REACH: Mapping[str, int] = MappingProxyType({"demonstration": 0, "exploratory": 1, "endpoint": 2})
COUNTING_MEANINGS = frozenset({"review", "approval"})
# The kinds of record that `project` reads; it passes over any other, so runs need not be read.
CATALOGUE_TYPES = (
    Release.predicate_type,
    *PLANS,
    ValidationStarted.predicate_type,
    ValidationReport.predicate_type,
    ESignature.predicate_type,
    CatalogueDecision.predicate_type,
    *CHANGES,
)
Earned = Literal["validated", "technically verified", "nothing"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report that counts, what it came from, and the QA signatures that make it count."""

    digest: Digest
    report: ValidationReport
    started: ValidationStarted
    protocol: Protocol
    signatures: tuple[ESignature, ...]

    @property
    def earned(self) -> Earned:
        """What the report lets one say; see `earned_by`."""
        return earned_by(self.report, self.protocol)


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One release with its evaluations, its approvals and what was decided after them, oldest first."""

    digest: Digest
    release: Release
    evaluations: tuple[Evaluation, ...] = ()
    approvals: tuple[CatalogueDecision, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def name(self) -> str:
        """The release as people name it."""
        return f"{self.release.plugin} {self.release.version}"

    @property
    def state(self) -> State:
        """Submitted, evaluated once a report counts, approved once a decision stands, or what a later one made it."""
        if self.approvals:
            return stands(State.APPROVED, self.changes)
        return stands(State.EVALUATED if self.evaluations else State.SUBMITTED, self.changes)

    @property
    def earned(self) -> Earned:
        """The most that any report lets one say, whatever the state."""
        found = {one.earned for one in self.evaluations}
        words: tuple[Earned, ...] = ("validated", "technically verified")
        return next((one for one in words if one in found), "nothing")

    def evaluation(self, report: Digest) -> Evaluation:
        """The evaluation by this report. Raises `NotEvaluatedError`."""
        for one in self.evaluations:
            if one.digest == report:
                return one
        raise NotEvaluatedError(
            f"report {short(report)} does not count for {self.release.plugin} {self.release.version}",
            subject=report,
            hint="QA signs the report first: assay report sign",
        )

    def approval_for(self, scope: str) -> CatalogueDecision | None:
        """The newest approval that reaches this scope."""
        fitting = [one for one in self.approvals if REACH[one.scope] >= REACH[scope]]
        return fitting[-1] if fitting else None


def project(records: Iterable[Record], roots: RootHistory) -> dict[Digest, CatalogueEntry]:
    """Read a log as a catalogue: the payload digest of each release to its entry.

    Parameters
    ----------
    records : iterable of Record
        The whole log in order, each checked against its actor (`Registry.records`, `bundle.verify_bundle`).
    roots : RootHistory
        The trust roots of the same log.
    """
    return _Projection(roots).read(records)


class _Projection:
    """One pass over the log; what a later record refers to has been seen before it."""

    def __init__(self, roots: RootHistory) -> None:
        self._roots = roots
        self._entries: dict[Digest, CatalogueEntry] = {}
        self._plans: dict[Digest, Record] = {}
        self._started: dict[Digest, Record] = {}
        self._reports: dict[Digest, ValidationReport] = {}

    def read(self, records: Iterable[Record]) -> dict[Digest, CatalogueEntry]:
        for record in records:
            match record.statement.predicate_type:
                case Release.predicate_type:
                    self._entries[record.digest] = CatalogueEntry(
                        record.digest, record.statement.read(Release)
                    )
                case kind if kind in PLANS:
                    self._plans[record.digest] = record
                case ValidationStarted.predicate_type:
                    self._started[record.digest] = record
                case ValidationReport.predicate_type:
                    self._reports[record.digest] = record.statement.read(ValidationReport)
                case ESignature.predicate_type:
                    self._sign(record)
                case CatalogueDecision.predicate_type:
                    self._decide(record.statement.read(CatalogueDecision))
                case kind if kind in CHANGES:
                    self._change(record.statement.read(CHANGES[kind]))
        return self._entries

    def _sign(self, record: Record) -> None:
        signature = record.statement.read(ESignature)
        report = self._reports.get(signature.target)
        if report is None or not counts(signature, report, self._entries, self._roots.at(record.sequence)):
            return
        evaluation = self._evaluation(signature.target, report)
        entry = self._entries.get(report.release)
        if evaluation is None or entry is None:
            return
        kept = [one for one in entry.evaluations if one.digest != signature.target]
        before = [one for one in entry.evaluations if one.digest == signature.target]
        signatures = (*(before[0].signatures if before else ()), signature)
        self._entries[report.release] = replace(
            entry, evaluations=(*kept, replace(evaluation, signatures=signatures))
        )

    def _evaluation(self, digest: Digest, report: ValidationReport) -> Evaluation | None:
        begun, planned = self._started.get(report.started), self._plans.get(report.protocol)
        release = self._entries.get(report.release)
        if begun is None or planned is None or release is None:
            return None
        started, protocol = begun.statement.read(ValidationStarted), read_plan(planned.statement)
        try:
            check_report(report, started, protocol)
            check_preregistered(started, begun.sequence, planned, self._roots.at(begun.sequence))
            deviations = deviations_before(planned.digest, self._plans)
            check_approvers(deviations, executor=started.actor, author=release.release.actor)
        except (NotEvaluatedError, NotPreregisteredError, IndependenceError, WrongStateError):
            return None
        return Evaluation(digest, report, started, protocol, ())

    def _decide(self, decision: CatalogueDecision) -> None:
        entry = self._entries.get(decision.release)
        check_decision(entry, decision)
        if entry is not None:
            self._entries[decision.release] = replace(entry, approvals=(*entry.approvals, decision))

    def _change(self, change: Change) -> None:
        entry = self._entries.get(change.release)
        check_change(entry, change)
        if entry is not None:
            self._entries[change.release] = replace(entry, changes=(*entry.changes, change))


def counts(
    signature: ESignature, report: ValidationReport, entries: Mapping[Digest, CatalogueEntry], root: TrustRoot
) -> bool:
    """Tell whether a signature makes a report count: QA, for review or approval, by somebody independent."""
    entry = entries.get(report.release)
    involved = {report.actor} | ({entry.release.actor} if entry else set())
    return (
        signature.meaning in COUNTING_MEANINGS
        and signature.role == Role.QA
        and Role.QA in root.person(signature.actor).roles
        and signature.actor not in involved
    )


def check_report(report: ValidationReport, started: ValidationStarted, protocol: Protocol) -> None:
    """Refuse a report that is not of the attempt it names. Raises `NotEvaluatedError`."""
    for what, in_report, expected in (
        ("validation", report.validation, started.validation),
        ("release", report.release, started.release),
        ("protocol", report.protocol, started.protocol),
        ("actor", report.actor, started.actor),
        ("evidence", report.evidence, protocol.evidence),
        ("subset", report.subset, started.subset),
        ("number of cases", report.cases, started.cases),
    ):
        if in_report != expected:
            raise NotEvaluatedError(
                f"the report's {what} is {in_report}, but {expected} was started", subject=report.validation
            )
    if report.subset == "whole kit" and report.cases != protocol.cases:
        raise NotEvaluatedError(
            f"the report has {report.cases} cases, the registered kit {protocol.cases}",
            subject=report.validation,
        )


def check_preregistered(started: ValidationStarted, sequence: int, protocol: Record, root: TrustRoot) -> None:
    """Refuse an attempt whose protocol was not under a checkpoint that somebody else cosigned before it.

    Parameters
    ----------
    started : ValidationStarted
        The attempt; its ``checkpoint`` is the cosigned note.
    sequence : int
        Where the attempt is logged, or about to be.
    protocol : Record
        The protocol's record in the same log.
    root : TrustRoot
        The root in force at ``sequence``.

    Raises
    ------
    NotPreregisteredError
    """
    checkpoint = open_enrolled(started.checkpoint, root)
    if not protocol.sequence < checkpoint.size <= sequence:
        raise NotPreregisteredError(
            f"the checkpoint of size {checkpoint.size} does not cover protocol entry {protocol.sequence}",
            subject=protocol.digest,
            hint="somebody else registers the kit, which cosigns it: assay kit register",
        )
    if not set(cosigners(started.checkpoint, root)) - {started.actor}:
        raise NotPreregisteredError(
            f"nobody but {started.actor} cosigned the checkpoint over the protocol",
            subject=protocol.digest,
            hint="somebody of the role qa cosigns: assay kit register, assay trial sign",
        )


def check_decision(entry: CatalogueEntry | None, decision: CatalogueDecision) -> None:
    """Refuse an approval that the catalogue does not allow.

    Raises
    ------
    WrongStateError
        The release was never submitted.
    RecalledError, SuspendedError, RetiredError
        It is out of use: a recalled release is never approved again.
    NotEvaluatedError
        The report named does not count.
    IndependenceError
        The approver wrote the release or ran the validation.
    ScopeError
        The evidence does not reach that far.
    """
    if entry is None:
        raise WrongStateError(
            f"release {short(decision.release)} was never submitted", subject=decision.release
        )
    evaluation = entry.evaluation(decision.report)
    check_step("approve", entry.state, entry.changes, name=entry.name, subject=entry.digest)
    require_independent(
        decision.actor,
        {evaluation.report.actor: "ran the validation", entry.release.actor: "submitted the release"},
    )
    missing = missing_evidence(evaluation.report, evaluation.protocol, decision.scope)
    if missing:
        raise ScopeError(
            f"{entry.release.plugin} {entry.release.version} is not for {decision.scope} use: {missing}",
            subject=decision.release,
        )


def check_change(entry: CatalogueEntry | None, change: Change) -> None:
    """Refuse to suspend, reinstate, recall or retire where the catalogue does not allow it.

    Raises
    ------
    WrongStateError
        The release was never submitted, or there is nothing to suspend or reinstate.
    RecalledError, SuspendedError, RetiredError
        It is out of use already.
    IndependenceError
        It would be reinstated by its author, by who ran a validation behind an approval, or by who suspended it.
    """
    if entry is None:
        raise WrongStateError(f"release {short(change.release)} was never submitted", subject=change.release)
    check_step(change.verb, entry.state, entry.changes, name=entry.name, subject=entry.digest)
    if isinstance(change, ReleaseReinstated):
        executors = {
            entry.evaluation(one.report).report.actor: "ran the validation" for one in entry.approvals
        }
        stopped = [one.actor for one in entry.changes if isinstance(one, ReleaseSuspended)]
        require_independent(
            change.actor,
            {**executors, entry.release.actor: "submitted the release", stopped[-1]: "suspended the release"},
        )


def check_context(decision: CatalogueDecision) -> None:
    """Refuse a new approval for endpoints without its context in fields. Raises `ContextMissingError`.

    Asked when an approval is made, not when one is read: earlier records had the text alone.
    """
    if decision.scope == "endpoint" and decision.context is None:
        raise ContextMissingError(
            "an approval for endpoints names measurand, population, modality and endpoint role",
            subject=decision.release,
            hint="assay catalogue approve --measurand --population --modality --endpoint-role",
        )


def earned_by(report: ValidationReport, protocol: Protocol) -> Earned:
    """What one may say of a release on the strength of a report that counts.

    *Validated* only where a whole kit of patients met its criteria. The same on phantoms, on derived images or on a
    single case is *technically verified*: it shows that software works, not that it measures patients.
    """
    if missing_evidence(report, protocol, "exploratory"):
        return "nothing"
    on_patients = report.evidence == "patient" and report.cases > 1
    return "validated" if on_patients else "technically verified"


def missing_evidence(report: ValidationReport, protocol: Protocol, scope: str) -> str:
    """What a report on a registered protocol lacks for a scope; empty when it suffices.

    A subset of a kit supports no claim. Demonstration shows that the path works and takes any verdict, which
    stays visible in catalogue, lock and trace; exploratory use needs the criteria met; an endpoint needs them
    met on patients: phantoms, templates and derived images show that software works, not that it measures
    patients.
    """
    if REACH[scope] >= REACH["exploratory"] and report.verdict != "met":
        return f"the verdict is {report.verdict}"
    if REACH[scope] >= REACH["exploratory"] and report.subset != "whole kit":
        return f"only the kit's {report.subset} subset ran"
    if REACH[scope] >= REACH["exploratory"] and report.cases < protocol.cases:
        return f"only {report.cases} of the {protocol.cases} registered cases ran"
    if scope == "endpoint" and report.evidence != "patient":
        return f"the evidence is {report.evidence}, not patient"
    return ""
