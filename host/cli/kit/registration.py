"""``assay kit register`` and ``list``: pre-registered protocols."""

from host.cli import session
from host.cli.answer import JsonFlag, say, show, table
from host.cli.kit.options import FolderArgument


def list_kits(json: JsonFlag = False) -> None:
    """List the protocols registered in this registry, and the deviations from them."""
    from registry.plans import PLANS, number_of, read_plan

    _, registry = session.open_registry()
    rows, document = [], []
    for record in registry.records(PLANS):
        one = read_plan(record.statement)
        number = str(number_of(one) or "")
        rows.append((one.kit, one.version, number, one.evidence, str(one.cases), record.logged_at, one.actor))
        document.append({"record": record.digest, "entry": record.sequence, "protocol": one})
    head = ("kit", "version", "deviation", "evidence", "cases", "registered", "by")
    show(document, table(head, rows), as_json=json)


def register(
    folder: FolderArgument,
    person: session.AsOption,
    reason: session.ReasonOption = "pre-registration",
    json: JsonFlag = False,
) -> None:
    """Sign and log a kit's protocol, and cosign the log, before anything is run against it."""
    from host.kits.check.folder import check_for_registration
    from host.kits.stored import store_kit
    from host.signing import typed
    from registry.policy import Action
    from registry.statements import Protocol
    from registry.witness import cosign_own, require_cosigner

    home, registry = session.open_registry()
    found = check_for_registration(folder, home)
    actor = session.act_as(home, registry, person, Action.KIT_REGISTER)
    require_cosigner(registry.root, person, actor.signer)  # before a record that could not be cosigned
    store_kit(registry, found)
    record = registry.act(
        typed(
            Protocol,
            actor=actor.person,
            role=actor.role,
            at=session.stamp(),
            reason=reason,
            kit=found.kit.id,
            version=found.kit.version,
            kit_digest=found.kit_digest,
            protocol_digest=found.protocol_digest,
            cases=len(found.selected(smoke=False)),
            evidence=found.kit.evidence,
        ),
        actor.signer,
        [("kit", found.kit_digest), ("protocol.toml", found.protocol_digest)],
    )
    say(f"sign a checkpoint of the log and cosign it as {actor.name}")
    checkpoint = cosign_own(registry, actor.person, actor.signer)
    show(
        {
            "record": record.digest,
            "entry": record.sequence,
            "logged_at": record.logged_at,
            "checkpoint": checkpoint,
        },
        [
            f"registered the protocol of {found.kit.id} {found.kit.version} by {actor.name}",
            f"  record {record.digest}, log entry {record.sequence}, {record.logged_at}",
            f"  checkpoint over it cosigned by {actor.name}",
        ],
        as_json=json,
        next_command=f"assay validate PLUGIN@VERSION --kit {folder} --as PERSON (not {person})",
    )
