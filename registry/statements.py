"""What may be signed: in-toto Statements v1 with a closed set of typed predicates.

Invariants
----------
* A record is identified by the sha256 of its payload bytes, never by its envelope.
* Payload bytes are canonical JSON on emission; verification parses a copy and never serialises again.
* Every predicate says who acted, in which role, when (with zone) and why.
* Predicate types carry a version; a released version is never changed, only followed by the next one.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, ValidationError

from plugin_spec.domain import DomainRule
from plugin_spec.model import Identifier, PortName, StrictModel, first_fault
from registry.canonical import Digest, canonical_json, digest, parse_json
from registry.errors import StatementError
from registry.terms import Amendment, LockTerms

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
# RFC 2606 reserves .example: nobody else can come to own the names of our predicates.
PREDICATE_PREFIX = "https://assay.example/attestation/"
MAX_PAYLOAD_BYTES = 4 * 1024 * 1024


def _aware(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("not an RFC 3339 time") from error
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone, for example 2026-11-23T14:00:00+00:00")
    return text


Timestamp = Annotated[str, AfterValidator(_aware)]
CaseIdentifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
RunIdentifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
Evidence = Literal["patient", "derived", "phantom"]
VerdictWord = Literal["met", "not met", "insufficient evidence"]
Subset = Literal["whole kit", "smoke"]
# "warm": the container had answered for other cases before, and kept its memory.
Container = Literal["fresh", "warm"]
# Of warm runs with the fresh ones of the same cases, by what the plugin claims about its repeatability.
Agreement = Literal["equal", "different", "not comparable"]
# Why a run is made again where there is a result.
RerunReason = Literal["amendment", "corrected-input", "rescan", "quality-control", "technical"]
SignatureMeaning = Literal["authorship", "review", "approval", "responsibility"]


class Act(StrictModel):
    """Who did something, in which role, when and why."""

    predicate_type: ClassVar[str]

    actor: Identifier
    role: str
    at: Timestamp
    reason: str = Field(min_length=1, max_length=2000)


class FileRef(StrictModel):
    """A file named by its content."""

    name: str = Field(min_length=1, max_length=200)
    digest: Digest
    bytes: int = Field(ge=0)


class Release(Act):
    """One immutable plugin version: image, manifest, weights, and what they were made from."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "release/v1"

    plugin: Identifier
    version: str
    image: Digest
    image_name: str
    manifest: Digest
    io_schema: Digest
    sbom: Digest
    weights: tuple[FileRef, ...] = ()
    source_commit: str | None = None


class Protocol(Act):
    """A kit's pre-registered protocol: what will be run, measured and accepted."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "protocol/v1"

    kit: Identifier
    version: str
    kit_digest: Digest
    protocol_digest: Digest
    cases: int = Field(gt=0)
    evidence: Evidence


class ValidationStarted(Act):
    """One attempt at a protocol, written before its first case runs (the attempt ledger)."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "validation-started/v1"

    validation: RunIdentifier
    release: Digest
    protocol: Digest
    attempt: int = Field(gt=0)
    subset: Subset
    cases: int = Field(gt=0)
    checkpoint: str
    # Asked for beside the protocol: every case in warm containers too; the report of the release to compare with.
    warm: bool = False
    against: Digest | None = None


# What the name of a DICOM series ends in: its digest is that of a listing of its files.
SERIES_LISTING = ".series.json"


class InputRef(FileRef):
    """An input of a run: the port it went to and the bytes it had."""

    port: PortName


class OutputRef(FileRef):
    """An output of a run: the port it came from and the bytes it had."""

    port: PortName


class Measured(StrictModel):
    """One number (or word) of a measurements output, with its unit and where it stands."""

    port: PortName
    row: int = Field(ge=0)
    column: str
    value: float | str
    unit: str | None = None


class GpuRef(StrictModel):
    """A GPU, or MIG instance, that was held for a run, as the host's driver described it."""

    uuid: str = Field(min_length=1, max_length=100)
    model: str = Field(max_length=100)
    vram_bytes: int = Field(ge=0)
    driver: str = Field(max_length=100)
    compute_capability: str = Field(max_length=20)
    parent: str = Field(default="", max_length=100)


class GpuVisible(StrictModel):
    """A GPU as it was seen from inside the container, and by what; empty texts were not to be found there."""

    source: str = Field(max_length=20)
    uuid: str = Field(max_length=100)
    model: str = Field(max_length=100)
    compute_capability: str = Field(max_length=20)
    driver: str = Field(max_length=100)


class RunStarted(Act):
    """Written before the container starts, so that a missing end is visible."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "run-started/v1"

    run: RunIdentifier
    purpose: Literal["validation", "trial"]
    release: Digest
    image: Digest
    manifest: Digest
    weights: tuple[FileRef, ...]
    case: CaseIdentifier
    subject: CaseIdentifier
    visit: CaseIdentifier
    inputs: tuple[InputRef, ...]
    parameters: dict[str, bool | int | float | str]
    engine: str
    engine_version: str
    gpu: tuple[str, ...]
    gpu_devices: tuple[GpuRef, ...] = ()
    gpu_fallback: str = ""
    container: Container = "fresh"
    # Of a validation: the comparison that this run is made for, and which repetition; a case's own run has neither.
    comparison: str = ""
    repetition: int = 0
    host_version: str
    validation: RunIdentifier | None = None
    trial: Identifier | None = None
    lock: Digest | None = None
    # Of a trial: the result that this run supersedes, should it end ok, and why it is made again.
    rerun_of: RunIdentifier | None = None
    rerun_reason: RerunReason | None = None
    chain: int = Field(gt=0)
    previous: Digest | None


class RunFinished(Act):
    """How a run ended: outcome, outputs and numbers, failures and refusals included."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "run-finished/v1"

    run: RunIdentifier
    started: Digest
    outcome: Literal["ok", "refused", "failed"]
    reason_code: str
    message: str
    exit_code: int | None
    outputs: tuple[OutputRef, ...]
    measured: tuple[Measured, ...]
    qc: tuple[str, ...]
    warnings: tuple[str, ...]
    environment: dict[str, str]
    gpu_visible: tuple[GpuVisible, ...] = ()
    duration_s: float = Field(ge=0)
    memory_peak_bytes: int | None
    memory_limit_bytes: int
    log: Digest | None
    chain: int = Field(gt=0)
    previous: Digest | None


class ValidationReport(Act):
    """A finished validation: the report's bytes and the verdict they carry."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "validation-report/v1"

    validation: RunIdentifier
    started: Digest
    release: Digest
    protocol: Digest
    report_json: FileRef
    report_html: FileRef
    report_pdf: FileRef | None = None
    verdict: VerdictWord
    evidence: Evidence
    subset: Subset
    cases: int = Field(gt=0)
    host_version: str
    warm: Agreement | None = None

    @property
    def renderings(self) -> tuple[FileRef, ...]:
        """What people read: the page, and its print where there is one."""
        return (self.report_html, self.report_pdf) if self.report_pdf else (self.report_html,)

    @property
    def files(self) -> tuple[FileRef, ...]:
        """The report and its renderings."""
        return (self.report_json, *self.renderings)


class SignedCopy(FileRef):
    """A PDF with one signature more than the copy that it ``extends``, or than the unsigned PDF."""

    extends: Digest


class ESignature(Act):
    """A person's signature on a record: printed name, meaning, and the rendering that was shown."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "esignature/v1"

    target: Digest
    printed_name: str
    meaning: SignatureMeaning
    rendering: Digest | None
    authentication: str
    signed_copy: SignedCopy | None = None


class ContextOfUse(StrictModel):
    """What exactly a release is approved for: what it measures, in whom, on what, and as which endpoint of a trial."""

    measurand: str = Field(min_length=1, max_length=300)
    population: str = Field(min_length=1, max_length=300)
    modality: str = Field(min_length=1, max_length=60)
    tracer: str | None = Field(default=None, min_length=1, max_length=120)
    endpoint_role: Literal["primary", "secondary", "exploratory", "none"]


class CatalogueDecision(Act):
    """A release is approved for a scope and a context of use; `registry.standing` holds the decisions after it."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "catalogue-decision/v1"

    release: Digest
    decision: Literal["approve"]
    scope: Literal["demonstration", "exploratory", "endpoint"]
    context_of_use: str = Field(min_length=1, max_length=2000)
    report: Digest
    # The same in fields that a lock can be compared with; records from before had the text alone.
    context: ContextOfUse | None = None


class TrialCreated(Act):
    """A trial opens."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "trial-created/v1"

    trial: Identifier
    title: str
    scope: Literal["demonstration", "exploratory", "endpoint"]


class LockSlot(StrictModel):
    """One release as a trial uses it: what is fixed, down to the parameter values."""

    slot: Identifier
    release: Digest
    plugin: Identifier
    version: str
    image: Digest
    image_name: str
    manifest: Digest
    weights: tuple[FileRef, ...]
    parameters: dict[str, bool | int | float | str]
    report: Digest
    verdict: VerdictWord
    evidence: Evidence
    warm: bool = False
    # What the trial uses the release for, and rules that tighten the manifest's acceptance domain.
    context: ContextOfUse | None = None
    domain: tuple[DomainRule, ...] = ()


class Threshold(StrictModel):
    """How many distinct persons of a role must sign before a lock holds."""

    role: Identifier
    count: int = Field(gt=0, le=9)


class TrialLock(Act):
    """The signed digest set of a trial; the next revision names the one before it."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "trial-lock/v1"

    trial: Identifier
    sequence: int = Field(gt=0)
    previous: Digest | None
    slots: tuple[LockSlot, ...] = Field(min_length=1)
    sites: tuple[Identifier, ...] = Field(min_length=1)
    engines: tuple[str, ...] = Field(min_length=1)
    policy: tuple[Threshold, ...] = Field(min_length=1)
    trust_root: Digest
    checkpoint: str
    # Locks from before these fields have neither terms nor a stated amendment.
    terms: LockTerms | None = None
    amendment: Amendment | None = None
    # Whether runs need the site's activation, one result of record, and one release per subject.
    conduct: bool = False


class Refusal(Act):
    """An attempt that the rules stopped: what was tried, on what, and the named error."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "refusal/v1"

    attempted: str
    attempted_by: str | None
    subject_id: str
    error: str
    message: str


class RecordsTakenIn(Act):
    """A sponsor's registry took in a site's run records up to a checkpoint of the site's log."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "records-taken-in/v1"

    trial: Identifier
    site: Identifier
    first: int = Field(ge=0)
    size: int = Field(gt=0)
    checkpoint: str


class ResourceDescriptor(StrictModel):
    """What a statement is about (in-toto attestation framework, v1)."""

    name: str
    digest: dict[str, str]


class Frame(StrictModel):
    """The in-toto Statement v1 around a predicate."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: tuple[ResourceDescriptor, ...] = Field(min_length=1)
    predicateType: str  # noqa: N815 - the in-toto field name
    predicate: dict[str, object]


PredicateT = TypeVar("PredicateT", bound=BaseModel)


class Statement(StrictModel):
    """A parsed statement: its type, what it is about, and the raw predicate."""

    predicate_type: str
    subjects: dict[str, Digest]
    payload: bytes
    payload_digest: Digest
    predicate: dict[str, object]

    def read(self, model: type[PredicateT]) -> PredicateT:
        """Parse the predicate as ``model``.

        Raises
        ------
        StatementError
            The statement is of another type, or a field does not fit.
        """
        expected = getattr(model, "predicate_type", "")
        if self.predicate_type != expected:
            raise StatementError(
                f"this record is a {self.predicate_type.removeprefix(PREDICATE_PREFIX)}, "
                f"not a {expected.removeprefix(PREDICATE_PREFIX)}",
                subject=self.payload_digest,
            )
        try:
            # Nothing is signed or compared here: these bytes need not be the canonical ones, which take long to make.
            return model.model_validate_json(json.dumps(self.predicate))
        except ValidationError as error:
            raise StatementError(
                f"{expected.removeprefix(PREDICATE_PREFIX)}: {first_fault(error)}",
                subject=self.payload_digest,
            ) from error


def make_statement(predicate: BaseModel, subjects: Sequence[tuple[str, str]] = ()) -> bytes:
    """Frame a predicate as in-toto Statement v1 and return the canonical bytes to sign.

    Parameters
    ----------
    predicate : BaseModel
        A predicate model with a ``predicate_type``.
    subjects : sequence of (name, digest)
        What the statement is about. Empty: the predicate itself, named by the digest of its canonical bytes.
    """
    body = predicate.model_dump(mode="json", by_alias=True)
    kind: str = getattr(predicate, "predicate_type")  # noqa: B009 - a ClassVar that BaseModel does not declare
    named = list(subjects) or [(kind.removeprefix(PREDICATE_PREFIX), digest(canonical_json(body)))]
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": n, "digest": {"sha256": d.removeprefix("sha256:")}} for n, d in named],
            "predicateType": kind,
            "predicate": body,
        }
    )


def parse_statement(payload: bytes) -> Statement:
    """Read signed payload bytes as a statement.

    Raises
    ------
    StatementError
        Not strict JSON, not an in-toto Statement v1, or a subject without a sha256.
    """
    raw = parse_json(payload, where="statement", limit=MAX_PAYLOAD_BYTES)
    try:
        frame = Frame.model_validate_json(canonical_json(raw))
    except ValidationError as error:
        raise StatementError(f"statement: {first_fault(error)}") from error
    subjects: dict[str, str] = {}
    for item in frame.subject:
        if set(item.digest) != {"sha256"} or item.name in subjects:
            raise StatementError(f"statement: subject {item.name!r} needs one sha256 and a name of its own")
        subjects[item.name] = "sha256:" + item.digest["sha256"]
    try:
        return Statement(
            predicate_type=frame.predicateType,
            subjects=subjects,
            payload=payload,
            payload_digest=digest(payload),
            predicate=frame.predicate,
        )
    except ValidationError as error:
        raise StatementError(f"statement: {first_fault(error)}") from error
