"""Recording that a registered protocol is edited: a numbered deviation, approved by the QA person who signs it."""

from dataclasses import dataclass

from host.errors import KitDigestError, KitError
from host.kits.kit import KitFolder
from host.kits.stored import other_files_changed, store_kit, stored_kit
from host.reports.ledger import KitLedger
from host.validation.deviation import changes
from host.validation.preregistration import not_registered
from registry.keys import Signer
from registry.plans import ProtocolDeviation, number_of, plans_of, read_plan
from registry.record import Record
from registry.registry import Registry


@dataclass(frozen=True)
class Approver:
    """Who signs a deviation: enrolled id, the role they act in, their key, and when and why they sign."""

    person: str
    role: str
    signer: Signer
    at: str
    reason: str


@dataclass(frozen=True)
class Deviated:
    """A logged deviation, and how many executions against the kit had begun before it."""

    record: Record
    deviation: ProtocolDeviation
    after_executions: int


def deviate(registry: Registry, folder: KitFolder, approver: Approver) -> Deviated:
    """Log the edit of a kit's ``protocol.toml`` as the next deviation from the plan in force.

    Parameters
    ----------
    registry : Registry
    folder : KitFolder
        The kit as it lies on disk, its protocol edited.
    approver : Approver

    Raises
    ------
    NotPreregisteredError
        The kit was never registered.
    KitDigestError
        Another file of the kit was changed too.
    KitError
        The protocol says what it said before.
    PolicyError
        The approver is not QA, or took part in an execution against the kit.
    """
    kit = folder.kit
    plans = plans_of(registry, kit.id, kit.version)
    if not plans:
        raise not_registered(folder)
    in_force = read_plan(plans[-1].statement)
    before = stored_kit(registry, in_force)
    others = other_files_changed(before, folder)
    if others:
        raise KitDigestError(
            f"{folder.path / others[0]} was changed too: a deviation is an edit of protocol.toml alone",
            subject=kit.id,
            hint="restore the registered file, or raise the kit's version and register it",
        )
    changed = changes(before.protocol, folder.protocol)
    if not changed:
        raise KitError(
            f"{folder.path / 'protocol.toml'}: says the same as what is registered",
            subject=kit.id,
            hint="edit it first; a change of comments alone needs no deviation: restore the registered file",
        )
    store_kit(registry, folder)
    executions = KitLedger(registry, kit.id).first_runs
    deviation = ProtocolDeviation(
        actor=approver.person,
        role=approver.role,
        at=approver.at,
        reason=approver.reason,
        kit=kit.id,
        version=kit.version,
        kit_digest=folder.kit_digest,
        protocol_digest=folder.protocol_digest,
        cases=len(folder.selected(smoke=False)),
        evidence=kit.evidence,
        number=number_of(in_force) + 1,
        previous=plans[-1].digest,
        changes=changed,
    )
    named = [("kit", folder.kit_digest), ("protocol.toml", folder.protocol_digest)]
    return Deviated(registry.act(deviation, approver.signer, named), deviation, len(executions))
