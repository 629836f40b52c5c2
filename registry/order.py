"""What came first: a plan, somebody else's cosignature over it, the start of a validation, its first run. Pure.

The same question is put to a whole log (`Registry.records`) and to an excerpt of one (`registry.excerpt`), and is
answered by the places that records have in it, never by the times that they say.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from registry.canonical import Digest
from registry.catalogue import check_preregistered
from registry.errors import IndependenceError, NotPreregisteredError, OrderNotShownError, WrongStateError
from registry.plans import PLANS, check_approvers, deviations_before
from registry.record import Record
from registry.roots import RootHistory
from registry.statements import Release, RunStarted, ValidationStarted
from registry.witness import cosigners, open_enrolled

# The kinds of record that are looked at; others may be left out.
KINDS = (Release.predicate_type, *PLANS, ValidationStarted.predicate_type, RunStarted.predicate_type)


@dataclass(frozen=True, slots=True)
class Order:
    """The records on the way to a validation's first run, in the order that their places show.

    Attributes
    ----------
    plans : tuple of Record
        The registered protocol, then every deviation up to the one that was validated by.
    covered : int
        Size of the checkpoint that covers them all.
    cosigned : dict of str to int
        Who other than the executor cosigned that checkpoint, and the POSIX time in seconds that they gave.
    """

    release: Record
    plans: tuple[Record, ...]
    covered: int
    cosigned: dict[str, int]
    started: Record
    first_run: Record

    @property
    def records(self) -> tuple[Record, ...]:
        """All of them, as an excerpt needs them."""
        return (self.release, *self.plans, self.started, self.first_run)


def order_of(records: Iterable[Record], roots: RootHistory, validation: str) -> Order:
    """Find the records of a validation's beginning and check that each has its place.

    Parameters
    ----------
    records : iterable of Record
        Of one log, in its order, each verified and checked against its actor. Runs that are left out are not seen.
    roots : RootHistory
        The trust roots of the same log.
    validation : str
        The validation's id.

    Raises
    ------
    OrderNotShownError
        A record is missing, or stands at the wrong side of another, or nobody but the executor cosigned.
    """
    kept = _Beginning(validation)
    for record in records:
        kept.see(record)
    started, first_run = kept.found("start", kept.started), kept.found("first run", kept.first_run)
    begun = started.statement.read(ValidationStarted)
    release = kept.found("release", kept.releases.get(begun.release))
    plan = kept.found("protocol", kept.plans.get(begun.protocol))
    if first_run.statement.read(RunStarted).release != release.digest:
        raise OrderNotShownError("the first run is of another release", subject=validation)
    if not max(plan.sequence, release.sequence) < started.sequence < first_run.sequence:
        raise OrderNotShownError(
            f"protocol entry {plan.sequence}, start {started.sequence}, first run {first_run.sequence}: "
            "not in this order",
            subject=validation,
        )
    try:
        check_preregistered(begun, started.sequence, plan, roots.at(started.sequence))
        deviations = deviations_before(plan.digest, kept.plans)
        check_approvers(deviations, executor=begun.actor, author=release.statement.read(Release).actor)
    except (NotPreregisteredError, IndependenceError, WrongStateError) as error:
        raise OrderNotShownError(error.message, subject=validation) from error
    root = roots.at(started.sequence)
    return Order(
        release=release,
        plans=tuple(kept.plans[name] for name in _chain(plan, kept.plans)),
        covered=open_enrolled(begun.checkpoint, root).size,
        cosigned={who: at for who, at in cosigners(begun.checkpoint, root).items() if who != begun.actor},
        started=started,
        first_run=first_run,
    )


def _chain(plan: Record, plans: dict[Digest, Record]) -> list[Digest]:
    """The names of a plan and of those before it, first one first."""
    names = [one.previous for one in deviations_before(plan.digest, plans)]
    return [*names, plan.digest]


class _Beginning:
    """Keeps what may belong to a validation's beginning while a log is read once."""

    def __init__(self, validation: str) -> None:
        self._validation = validation
        self.releases: dict[Digest, Record] = {}
        self.plans: dict[Digest, Record] = {}
        self.started: Record | None = None
        self.first_run: Record | None = None

    def see(self, record: Record) -> None:
        match record.statement.predicate_type:
            case Release.predicate_type:
                self.releases[record.digest] = record
            case kind if kind in PLANS:
                self.plans[record.digest] = record
            case ValidationStarted.predicate_type:
                if record.statement.read(ValidationStarted).validation == self._validation:
                    self.started = self.started or record
            case RunStarted.predicate_type:
                if record.statement.read(RunStarted).validation == self._validation:
                    self.first_run = self.first_run or record

    def found(self, what: str, record: Record | None) -> Record:
        if record is None:
            raise OrderNotShownError(
                f"validation {self._validation}: no record of its {what}", subject=self._validation
            )
        return record
