"""Every execution against a kit in this registry, and every deviation from its protocol: what a report has to disclose.

Read from the log alone, up to a given entry, so that a report is checked later against what there was when it was
written. Runs that were not recorded here cannot be known.
"""

from collections.abc import Callable, Sequence

from host.reports.model import AttemptSection
from host.reports.sections import DeviationSection
from host.validation.deviation import bears_on
from host.validation.protocol import Protocol
from registry.order import Order
from registry.plans import ProtocolDeviation, find_plan, number_of
from registry.record import Record
from registry.registry import Registry
from registry.statements import Release, RunStarted, ValidationReport, ValidationStarted


class KitLedger:
    """What the log holds on executions against any version of a kit.

    Parameters
    ----------
    registry : Registry
    kit : str
        The kit's id.
    before : int, optional
        Only entries before this one are looked at; by default all.
    """

    def __init__(self, registry: Registry, kit: str, *, before: int | None = None) -> None:
        self._registry = registry
        self._before = registry.log.size if before is None else before
        self._plans = {}
        self._starts = []
        for record in self._read(ValidationStarted.predicate_type):
            started = record.statement.read(ValidationStarted)
            _, plan = find_plan(registry, started.protocol)
            if plan.kit == kit:
                self._starts.append((record, started))
                self._plans[started.validation] = plan
        self._runs = [
            (record, run)
            for record in self._read(RunStarted.predicate_type)
            if (run := record.statement.read(RunStarted)).validation in self._plans
        ]

    def attempts(self, *, up_to: Record, verdict: str) -> tuple[AttemptSection, ...]:
        """Every attempt at any version and deviation of the protocol, by any release, ended or not.

        Parameters
        ----------
        up_to : Record
            The start of the validation that is reported on; attempts after it belong to later reports.
        verdict : str
            Of that validation, whose report is not logged yet.
        """
        verdicts = {
            report.validation: str(report.verdict)
            for record in self._read(ValidationReport.predicate_type)
            for report in [record.statement.read(ValidationReport)]
        }
        verdicts[up_to.statement.read(ValidationStarted).validation] = verdict
        return tuple(
            self._attempt(started, verdicts)
            for record, started in self._starts
            if record.sequence <= up_to.sequence
        )

    def _attempt(self, started: ValidationStarted, verdicts: dict[str, str]) -> AttemptSection:
        _, release = self._registry.find(started.release, Release)
        plan = self._plans[started.validation]
        return AttemptSection(
            validation=started.validation,
            attempt=started.attempt,
            plugin=release.plugin,
            version=release.version,
            started_at=started.at,
            finished=started.validation in verdicts,
            verdict=verdicts.get(started.validation, "no report"),
            kit_version=plan.version,
            deviation=number_of(plan),
            subset=started.subset,
            runs=sum(run.validation == started.validation for _, run in self._runs),
        )

    @property
    def first_runs(self) -> tuple[Record, ...]:
        """The first run of each execution, in the order of the log."""
        found: dict[str | None, Record] = {}
        for record, run in self._runs:
            found.setdefault(run.validation, record)
        return tuple(found.values())

    def _read(self, predicate_type: str) -> list[Record]:
        return [one for one in self._registry.records(predicate_type) if one.sequence < self._before]


def deviation_sections(
    order: Order, protocol: Protocol, executions_before: Callable[[int], int]
) -> tuple[DeviationSection, ...]:
    """The deviations that a validation rests on, in the words of the report.

    Parameters
    ----------
    order : Order
        Of the validation.
    protocol : Protocol
        That it was judged by.
    executions_before : callable
        Given a deviation's entry in the log, how many executions against the kit had begun to run before it.
    """
    found = []
    for record in order.plans[1:]:
        deviation = record.statement.read(ProtocolDeviation)
        found.append(
            DeviationSection(
                number=deviation.number,
                record=record.digest,
                sequence=record.sequence,
                at=record.logged_at,
                by=deviation.actor,
                reason=deviation.reason,
                after_executions=executions_before(record.sequence),
                changes=deviation.changes,
                criteria=bears_on(deviation.changes, protocol),
            )
        )
    return tuple(found)


def counted(first_runs: Sequence[Record]) -> Callable[[int], int]:
    """How many of some executions had begun before an entry of the log."""
    return lambda sequence: sum(one.sequence < sequence for one in first_runs)
