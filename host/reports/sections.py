"""What stands in a report beside its results: what was checked before, compared after, and told by others.

Invariants
----------
* Each section is filled by whoever knows it, and only shown here. A section that is absent was not done, and the page
  says so: absence never reads as a good result.
* All of them came with ``assay.report/2``; a report that has none keeps the bytes it had before.
"""

from typing import Literal

from pydantic import Field

from host.added_fields import added
from host.validation.estimate_row import EstimateRow
from host.validation.verdict import VerdictWord
from plugin_spec.model import Sha256, StrictModel
from registry.excerpt import Excerpt
from registry.plans import FieldChange
from registry.statements import Agreement, RunIdentifier, Timestamp


class InstallationCheck(StrictModel):
    """One thing that was looked at on the machine before the first case, and what was found."""

    check: str
    found: str
    passed: bool


class OracleRow(StrictModel):
    """A published number, and what this installation's statistics engine makes of the same data."""

    id: str
    source: str
    quantity: str
    expected: float
    found: float | None
    tolerance: float
    passed: bool


class OracleNotRun(StrictModel):
    """Published numbers that this installation could not compute again: neither passed nor failed."""

    id: str
    source: str
    numbers: int = Field(ge=1)
    reason: str


class SelfTestSection(StrictModel):
    """The statistics engine against published numbers, on the installation that judged."""

    versions: dict[str, str]
    oracles: tuple[OracleRow, ...] = Field(min_length=1)
    not_run: tuple[OracleNotRun, ...] = added(())

    @property
    def passed(self) -> bool:
        """Whether every number that was computed is the published one."""
        return all(one.passed for one in self.oracles)


class OrderEvent(StrictModel):
    """One record on the way from plan to first run, where it stands in the log."""

    what: str
    record: Sha256
    sequence: int
    at: Timestamp
    by: str


class OrderProof(StrictModel):
    """Why the plan was there first, to be verified without the registry (`host.reports.order`).

    ``protocol`` is the text that the plan's digest is of; ``log`` holds the records of ``events`` as they were signed,
    each with the proof of its place, and the trust roots they are judged by.
    """

    events: tuple[OrderEvent, ...] = Field(min_length=1)
    protocol: str
    log: Excerpt


class DeviationSection(StrictModel):
    """A numbered departure from the registered protocol, approved by the QA person who signed it.

    Attributes
    ----------
    after_executions : int
        How many validations against any version of the kit had begun to run when it was logged: where there is one,
        data may have been seen.
    changes : tuple of FieldChange
        Every field that differs from the plan before.
    criteria : tuple of str
        The criteria of the plan validated by whose verdict the change bears on.
    """

    number: int = Field(ge=1)
    record: Sha256
    sequence: int
    at: Timestamp
    by: str
    reason: str
    after_executions: int = Field(ge=0)
    changes: tuple[FieldChange, ...] = Field(min_length=1)
    criteria: tuple[str, ...] = ()


class AnalysisRow(StrictModel):
    """Figures of one metric over the cases, beside the criteria: what a plot shows, in numbers. They decide nothing.

    Cases that failed are left out. ``estimates`` go by the names of registered statistics, or, of ``strata``, by scopes
    of the statistic of the criterion that ``scope`` names.
    """

    kind: Literal["agreement", "roc", "calibration", "froc", "survival", "strata"]
    metric: str
    scope: str
    estimates: dict[str, EstimateRow]


class SensitivityRow(StrictModel):
    """A criterion judged once more, under another assumption. No such row decides anything.

    ``changed`` names what differs: ``failed cases left out``, ``without site=A``, ``hd95 as hd95_pooled``.
    """

    analysis: Literal["complete case", "leave one level out", "metric definition"]
    changed: str
    criterion: str
    scope: str
    metric: str
    estimate: EstimateRow
    verdict: VerdictWord
    as_registered: VerdictWord


class SamenessPair(StrictModel):
    """A case's run once more, and what does not agree with its run that is judged."""

    case: str
    repetition: int = Field(ge=1)
    run: RunIdentifier
    differences: tuple[str, ...]


class SamenessRow(StrictModel):
    """One comparison of answers that ought to be the same: repeat, order, warm, engine.

    Attributes
    ----------
    id, kind : str
        As the protocol declares it, or ``asked`` for beside it.
    check, rule : str
        How the cases ran again, and the determinism that the plugin claims.
    cases, same : int
        Cases that ran again, and those of them that agreed each time.
    engine : str
        Name and version of the engine that they ran on.
    seed : int or None
        Of the order, where it was shuffled; each further repetition takes the next number.
    not_made : str
        Why nothing ran again; empty where it did.
    pairs : tuple of SamenessPair
        Every run, in the kit's order, and what does not agree.
    """

    id: str
    kind: Literal["repeat", "order", "warm", "engine"]
    asked: bool = False
    check: str
    rule: str
    cases: int = Field(ge=0)
    same: int = Field(ge=0)
    engine: str = ""
    seed: int | None = None
    agreement: Agreement
    not_made: str = ""
    pairs: tuple[SamenessPair, ...] = ()


class InterruptedRun(StrictModel):
    """A run that the host cut short before a container ended; the case, or the comparison, then ran again."""

    run: RunIdentifier
    case: str
    comparison: str
    reason: str
    at: Timestamp


class VersionDeltaRow(StrictModel):
    """A figure of this release against the one it would replace, on the same cases that both answered.

    Attributes
    ----------
    difference : EstimateRow
        Mean of the new release minus the old one; its interval tests equivalence at the protocol's level, one-sided.
    margin : float or None
        The narrowest that a criterion on the metric allows; None where none has both ends.
    loa_low, loa_high, repeatability : EstimateRow or None
        Limits of agreement, and 2.77 SD with both answers as two measurements; only over patients.
    change : EstimateRow or None
        Mean difference of the changes between visits, where a criterion names the stratum of visits.
    verdict : str
        The worst of the criteria on the metric.
    """

    metric: str
    unit: str
    difference: EstimateRow
    margin: float | None
    loa_low: EstimateRow | None = None
    loa_high: EstimateRow | None = None
    repeatability: EstimateRow | None = None
    change: EstimateRow | None = None
    verdict: VerdictWord


class VersionDeltaSection(StrictModel):
    """Equivalence with the release of an earlier report, such as one that a trial has locked.

    ``cases`` counts those that both answered. ``rows`` has the metrics that are numbers; overlaps of the two releases'
    masks stand among the criteria alone.
    """

    release: Sha256
    version: str
    report: Sha256
    validation: RunIdentifier
    trial: str = ""
    cases: int = Field(ge=0)
    rows: tuple[VersionDeltaRow, ...] = ()


class LeakFinding(StrictModel):
    """A file or subject of the kit that the plugin's declared training data hold too."""

    case: str
    what: str
    training_data: str


class LeakSection(StrictModel):
    """The kit's digests and identifiers against what the plugin declares to have learnt from.

    ``declared`` says whether the plugin declares training data at all; ``training_data`` names them. What was not
    declared cannot be found.
    """

    declared: bool
    training_data: tuple[str, ...] = ()
    compared: tuple[str, ...] = ()
    found: tuple[LeakFinding, ...] = ()


class ReaderRow(StrictModel):
    """Somebody who made the reference standard."""

    id: str
    qualification: str
    blinded_to: str = ""


class AgreementRow(StrictModel):
    """How far readers agree with each other, and where that is known from."""

    measure: str
    between: str
    estimate: EstimateRow
    source: str


class ReaderSection(StrictModel):
    """Who read the reference standard, and how closely they agree: what a plugin cannot be expected to exceed."""

    readers: tuple[ReaderRow, ...] = ()
    adjudication: str = ""
    agreement: tuple[AgreementRow, ...] = ()
