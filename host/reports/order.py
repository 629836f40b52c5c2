"""The proof in a report that its plan was there first, made from the log and verified without it.

A reader needs the report and one digest of a trust root. What is verified is what was signed: that the protocol's text
lay in the log under a checkpoint that somebody other than the executor cosigned, before the validation was started and
before its first run. That no other validation ran earlier, only the whole log can show (`host.reports.ledger`).
"""

from collections.abc import Iterable
from pathlib import Path

from host.errors import ReportMismatchError
from host.reports.ledger import deviation_sections
from host.reports.model import Report
from host.reports.sections import OrderEvent, OrderProof
from host.validation.protocol import parse_protocol
from registry.authority import read_act
from registry.canonical import Digest, digest
from registry.excerpt import Shown, take, verify
from registry.order import Order, order_of
from registry.plans import number_of, read_plan
from registry.record import Record
from registry.registry import Registry
from registry.statements import Protocol, RunStarted, ValidationStarted

RUN = RunStarted.predicate_type


def prove(registry: Registry, order: Order, protocol: bytes, others: Iterable[Record] = ()) -> OrderProof:
    """Excerpt the records of a validation's beginning from the log, with their proofs.

    Parameters
    ----------
    registry : Registry
    order : Order
        Of the validation, as the log shows it.
    protocol : bytes
        The ``protocol.toml`` that it ran by.
    others : iterable of Record, optional
        What else is to be proven.
    """
    return OrderProof(
        events=events_of(order),
        protocol=protocol.decode(),
        log=take(registry, (*order.records, *others)),
    )


def events_of(order: Order) -> tuple[OrderEvent, ...]:
    """The records of a validation's beginning in the words of the report."""
    numbers = [number_of(read_plan(one.statement)) for one in order.plans]
    plans = [f"deviation {number} approved" if number else "protocol registered" for number in numbers]
    named = [
        ("release submitted", order.release),
        *zip(plans, order.plans, strict=True),
        ("validation started", order.started),
        ("first run started", order.first_run),
    ]
    return tuple(
        OrderEvent(
            what=what,
            record=record.digest,
            sequence=record.sequence,
            at=record.logged_at,
            by=read_act(record.statement).actor,
        )
        for what, record in sorted(named, key=lambda pair: pair[1].sequence)
    )


def verify_order(report: Report, proof: OrderProof, *, pin: Digest) -> tuple[Shown, Order]:
    """Verify a report's proof, and that the report says what was proven.

    Parameters
    ----------
    report : Report
    proof : OrderProof
        The report's own.
    pin : Digest
        Payload digest of a trust root that the reader knows from elsewhere.

    Raises
    ------
    TrustError
        A signature, proof or place does not verify.
    ReportMismatchError
        The report says something else than the records.
    """
    shown = verify(proof.log, pin=pin)
    order = order_of(shown.records, shown.roots, report.validation)
    planned, text, registration = order.plans[-1], proof.protocol.encode(), report.registration
    plan = read_plan(planned.statement)
    started, first_run = (
        order.started.statement.read(ValidationStarted),
        order.first_run.statement.read(RunStarted),
    )
    for what, said, found in (
        ("order of events", proof.events, events_of(order)),
        ("protocol's text", digest(text), plan.protocol_digest),
        ("protocol", report.protocol, parse_protocol(text, Path("protocol.toml"))),
        (
            "kit",
            (report.kit.id, report.kit.version, report.kit.kit_digest, report.kit.protocol_digest),
            (plan.kit, plan.version, plan.kit_digest, plan.protocol_digest),
        ),
        ("release", report.release.record, order.release.digest),
        (
            "start",
            (report.executed_by, report.subset, len(report.cases)),
            (started.actor, started.subset, started.cases),
        ),
        (
            "registration",
            (registration.record, registration.sequence, registration.logged_at, registration.registered_by),
            (planned.digest, planned.sequence, planned.logged_at, plan.actor),
        ),
        ("first run", registration.first_run_started_at, first_run.at),
        ("checkpoint", registration.cosigned_checkpoint_size, order.covered),
        ("cosigners", set(registration.cosigned_by) - {report.executed_by}, set(order.cosigned)),
    ):
        if said != found:
            raise ReportMismatchError(
                f"the {what} in the report is not what its proof shows", subject=report.validation
            )
    _check_deviations(report, shown, order)
    _check_attempts(report, plan, started)
    return shown, order


def _check_attempts(report: Report, plan: Protocol, started: ValidationStarted) -> None:
    """Compare the attempts told with the start that is proven, whose number counts those of its release and plan.

    One that is left out there leaves a gap in the numbers; of other releases and plans, only the whole log can tell.
    """
    own = [one for one in report.attempts if one.validation == report.validation]
    alike = [
        one.attempt
        for one in report.attempts
        if (one.plugin, one.version, one.kit_version, one.deviation)
        == (report.release.plugin, report.release.version, plan.version, number_of(plan))
    ]
    told = [(one.attempt, one.finished, one.verdict, one.started_at, one.subset) for one in own]
    proven = (started.attempt, True, report.verdict.verdict, started.at, started.subset)
    if told != [proven] or alike != list(range(1, started.attempt + 1)):
        raise ReportMismatchError(
            "the attempts in the report are not what its proof shows", subject=report.validation
        )


def _check_deviations(report: Report, shown: Shown, order: Order) -> None:
    """Compare the deviations told with those that are proven.

    How many executions had begun before one of them, only the log can tell; whether there was any is shown by the
    first run against the kit, which the proof holds.
    """
    earliest = min(one.sequence for one in shown.records if one.statement.predicate_type == RUN)
    told = {one.sequence: one.after_executions for one in report.deviations}
    proven = deviation_sections(order, report.protocol, lambda entry: told.get(entry, 0))
    if report.deviations != proven or any((n > 0) != (earliest < entry) for entry, n in told.items()):
        raise ReportMismatchError(
            "the deviations in the report are not what its proof shows", subject=report.validation
        )
