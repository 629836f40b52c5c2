"""Whether the plan was there first, and whether every deviation and every execution is told."""

from host.kits.stored import other_files_changed, stored_kit
from host.reports.ledger import KitLedger, counted, deviation_sections
from host.reports.model import AttemptSection
from host.reports.order import verify_order
from host.reports.recheck.evidence import Evidence
from host.validation.deviation import changes
from registry.order import KINDS, Order, order_of
from registry.plans import ProtocolDeviation, read_plan


def plan_was_first(evidence: Evidence) -> str:
    """Check the order in the log and, since ``assay.report/2``, the proof of it that the report carries."""
    report, registry, planned = evidence.report, evidence.registry, evidence.planned
    evidence.same("protocol", report.protocol, evidence.kit.protocol)
    order = _order(evidence)
    evidence.same("plan", order.plans[-1].digest, planned.digest)
    told = report.registration
    evidence.same("registration", (told.record, told.sequence), (planned.digest, planned.sequence))
    proof = "it carries no proof of that, being of the first contract"
    if report.contract != "assay.report/1":
        if report.order_proof is None:
            raise evidence.fault("the report does not prove that its protocol was there first")
        pin = registry.pin or registry.roots.versions[0].digest
        shown, proven = verify_order(report, report.order_proof, pin=pin)
        registry.log.open_own(report.order_proof.log.checkpoint)
        evidence.same("order of records", proven.records, order.records)
        proof = f"which it proves under a signed checkpoint of {shown.checkpoint.size} entries"
    return (
        f"its plan is the registered one, log entry {planned.sequence}, cosigned by "
        f"{', '.join(sorted(order.cosigned))}, before the start ({order.started.sequence}) and the first run "
        f"({order.first_run.sequence}): {proof}"
    )


def deviations_are_told(evidence: Evidence) -> str:
    """Check that all deviations are told, that each changes what it says, and when data had been seen."""
    order, kit = _order(evidence), evidence.kit
    ledger = KitLedger(evidence.registry, kit.kit.id, before=evidence.record.sequence)
    told = deviation_sections(order, kit.protocol, counted(ledger.first_runs))
    evidence.same("deviations", evidence.report.deviations, told)
    before = stored_kit(evidence.registry, read_plan(order.plans[0].statement))
    for record in order.plans[1:]:
        deviation = record.statement.read(ProtocolDeviation)
        after = stored_kit(evidence.registry, deviation)
        evidence.same("changes of a deviation", deviation.changes, changes(before.protocol, after.protocol))
        evidence.same("kit of a deviation", other_files_changed(before, after), [])
        before = after
    return f"deviations from the registered protocol: {len(told) or 'none'}"


def executions_are_told(evidence: Evidence) -> str:
    """Check the attempts against the log: none left out, of any release, version, deviation or end."""
    ledger = KitLedger(evidence.registry, evidence.kit.kit.id, before=evidence.record.sequence)
    expected = ledger.attempts(up_to=_order(evidence).started, verdict=evidence.logged.verdict)
    if evidence.report.contract == "assay.report/1":
        expected = tuple(_of_the_first_contract(one) for one in expected)
    evidence.same("attempts", evidence.report.attempts, expected)
    return f"every execution against the kit in this log is told: {len(expected)} with this one"


def _order(evidence: Evidence) -> Order:
    registry = evidence.registry
    return order_of(registry.records(KINDS), registry.roots, evidence.logged.validation)


def _of_the_first_contract(attempt: AttemptSection) -> AttemptSection:
    return attempt.model_copy(update={"kit_version": "", "deviation": 0, "subset": None, "runs": 0})
