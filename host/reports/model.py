"""The validation report as data: what QA signs, and what every rendering shows.

Invariants
----------
* The JSON bytes are the report; the HTML says the same and its digest stands in ``renderings``.
* ``verdict`` can be computed again from ``rows`` and ``protocol`` (``host.validation.verdict.evaluate``).
* What came with ``assay.report/2`` is left out where it is empty (`host.added_fields`), and a ``/1`` may not hold it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field, model_validator

from host.added_fields import added, in_use
from host.reports.sections import (
    AnalysisRow,
    DeviationSection,
    InstallationCheck,
    InterruptedRun,
    LeakSection,
    OrderProof,
    ReaderSection,
    SamenessRow,
    SelfTestSection,
    SensitivityRow,
    VersionDeltaSection,
)
from host.validation.protocol import Protocol
from host.validation.verdict import CaseRow, Verdict
from plugin_spec.case import QcEntry
from plugin_spec.model import Sha256, StrictModel
from registry.statements import Agreement, Evidence, FileRef, Measured, RunIdentifier, Subset, Timestamp


class ReleaseSection(StrictModel):
    """Which release was tested: everything that decides what ran."""

    record: Sha256
    plugin: str
    version: str
    title: str
    image: Sha256
    manifest: Sha256
    weights: tuple[FileRef, ...]
    intended_use: str
    not_for: str
    known_failure_modes: tuple[str, ...]
    citations: tuple[str, ...]
    author: str


class KitSection(StrictModel):
    """Which kit it was tested on."""

    id: str
    version: str
    title: str
    summary: str
    evidence: Evidence
    kit_digest: Sha256
    protocol_digest: Sha256
    dataset: str
    dataset_doi: str
    dataset_licence: str
    provenance: str
    reference_standard: str
    operating_range: tuple[str, ...]


class RegistrationSection(StrictModel):
    """The proof that the protocol was there first."""

    record: Sha256
    sequence: int
    logged_at: Timestamp
    registered_by: str
    cosigned_by: tuple[str, ...]
    cosigned_checkpoint_size: int
    first_run_started_at: Timestamp


class EnvironmentSection(StrictModel):
    """Where the runs took place. No host name: a report is not to name machines of a site."""

    host_version: str
    python: str
    platform: str
    cpus: int
    memory_bytes: int
    engine: str
    plugin_environment: dict[str, str]
    # One line per model, driver and capability that cases ran on, and per reason to run without.
    gpus: tuple[str, ...] = ()


class CaseSection(StrictModel):
    """One case: the row that is judged, and what explains it."""

    row: CaseRow
    run: RunIdentifier
    message: str
    measured: tuple[Measured, ...]
    references: dict[str, float]
    duration_s: float
    memory_peak_bytes: int | None
    memory_limit_bytes: int
    qc: tuple[QcEntry, ...]
    warnings: tuple[str, ...]


class FlowSection(StrictModel):
    """Case flow in the manner of CONSORT: every case of the kit, and where it went."""

    cases: int
    subjects: int
    expected_ok: int
    expected_refused: int
    answered: int
    refused_correctly: int
    refused_wrongly: int
    answered_wrongly: int
    failed: int
    failure_reasons: dict[str, int]

    @classmethod
    def of(cls, rows: Sequence[CaseRow]) -> "FlowSection":
        """Count a results table; every row goes into exactly one of the last five figures."""
        ends = Counter((row.expected, row.outcome) for row in rows)
        failures = [row.reason_code for row in rows if row.outcome == "failed"]
        return cls(
            cases=len(rows),
            subjects=len({row.subject for row in rows}),
            expected_ok=sum(row.expected == "ok" for row in rows),
            expected_refused=sum(row.expected == "refused" for row in rows),
            answered=ends["ok", "ok"],
            refused_correctly=ends["refused", "refused"],
            refused_wrongly=ends["ok", "refused"],
            answered_wrongly=ends["refused", "ok"],
            failed=len(failures),
            failure_reasons=dict(sorted(Counter(failures).items())),
        )


class AttemptSection(StrictModel):
    """An earlier or the present execution of this kit in this registry.

    ``deviation`` is the number of the plan it was to follow, 0 for the protocol as it was registered; ``runs`` counts
    the runs that began.
    """

    validation: RunIdentifier
    attempt: int
    plugin: str
    version: str
    started_at: Timestamp
    finished: bool
    verdict: str
    kit_version: str = added("")
    deviation: int = added(0)
    subset: Subset | None = added(None)
    runs: int = added(0)


class WarmRun(StrictModel):
    """A case's run in a warm container, and what does not agree with its run in a fresh one."""

    case: str
    run: RunIdentifier
    differences: tuple[str, ...]


class WarmSection(StrictModel):
    """Every case once more in warm containers, in the order that ``seed`` shuffles them into.

    The verdict rests on the fresh runs alone. ``agreement`` is what a lock that permits warm containers rests on.
    """

    seed: int
    claim: str
    agreement: Agreement
    runs: tuple[WarmRun, ...] = Field(min_length=1)


# What an `assay.report/1` cannot hold.
SINCE_2: Final = (
    "installation_checks", "self_test", "order_proof", "deviations", "analyses", "sensitivity",
    "sameness", "interruptions", "version_delta", "leak", "readers",
)  # fmt: skip


class Report(StrictModel):
    """The whole report. Sections of `host.reports.sections` that are ``None`` or empty were not done."""

    contract: Literal["assay.report/1", "assay.report/2"] = "assay.report/2"
    validation: RunIdentifier
    subset: Literal["whole kit", "smoke"]
    started_at: Timestamp
    finished_at: Timestamp
    executed_by: str
    release: ReleaseSection
    kit: KitSection
    protocol: Protocol
    registration: RegistrationSection
    environment: EnvironmentSection
    flow: FlowSection
    cases: tuple[CaseSection, ...] = Field(min_length=1)
    verdict: Verdict
    attempts: tuple[AttemptSection, ...]
    limitations: tuple[str, ...]
    warm: WarmSection | None = added(None)
    renderings: tuple[FileRef, ...] = ()
    installation_checks: tuple[InstallationCheck, ...] = added(())
    self_test: SelfTestSection | None = added(None)
    order_proof: OrderProof | None = added(None)
    deviations: tuple[DeviationSection, ...] = added(())
    analyses: tuple[AnalysisRow, ...] = added(())
    sensitivity: tuple[SensitivityRow, ...] = added(())
    sameness: tuple[SamenessRow, ...] = added(())
    interruptions: tuple[InterruptedRun, ...] = added(())
    version_delta: VersionDeltaSection | None = added(None)
    leak: LeakSection | None = added(None)
    readers: ReaderSection | None = added(None)

    @model_validator(mode="after")
    def _holds_what_its_contract_knows(self) -> "Report":
        newer = in_use(self, *SINCE_2) if self.contract == "assay.report/1" else []
        if newer:
            raise ValueError(f"{newer[0]}: is a field of assay.report/2; write contract = assay.report/2")
        return self
