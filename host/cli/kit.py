"""``assay kit``: validation kits and their pre-registered protocols."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli import kit_sample_size, kit_self_test, session
from host.cli.answer import JsonFlag, say, show, table
from host.cli.nouns import QuickGroup

app = typer.Typer(
    help="Check, show and register validation kits.", no_args_is_help=True, rich_markup_mode=None
)

app.add_typer(kit_sample_size.app, name="sample-size", cls=QuickGroup)
app.command("self-test")(kit_self_test.self_test)

FolderArgument = Annotated[Path, typer.Argument(help="The kit's folder, with kit.toml.")]


@app.command("list")
def list_kits(json: JsonFlag = False) -> None:
    """List the protocols registered in this registry."""
    from registry.statements import Protocol

    _, registry = session.open_registry()
    rows, document = [], []
    for record in registry.records(Protocol.predicate_type):
        one = record.statement.read(Protocol)
        rows.append((one.kit, one.version, one.evidence, str(one.cases), record.logged_at, one.actor))
        document.append({"record": record.digest, "entry": record.sequence, "protocol": one})
    show(document, table(("kit", "version", "evidence", "cases", "registered", "by"), rows), as_json=json)


@app.command("show")
def show_kit(folder: FolderArgument, json: JsonFlag = False) -> None:
    """Show a kit: its question, cases and acceptance criteria."""
    from host.kits.kit import read_kit

    found = read_kit(folder)
    kit, protocol = found.kit, found.protocol
    lines = [
        f"{kit.id} {kit.version}: {kit.title}  (evidence: {kit.evidence})",
        f"question   {protocol.question}",
        f"use        {protocol.context_of_use}",
        f"data       {kit.dataset.title}; licence {kit.dataset.licence}; doi {kit.dataset.doi}",
        f"reference  {kit.reference_standard.kind}: {kit.reference_standard.description}",
        "",
        *table(
            ("criterion", "scope", "every case", "requirement"),
            [
                (c.id, c.scope, f"{c.metric} {c.comparator} {c.bound:g}", c.requirement)
                for c in protocol.criteria
            ],
        ),
        "",
        *table(
            ("case", "subject", "expected", "strata"),
            [
                (
                    c.case_id,
                    c.subject_id,
                    c.expected,
                    ", ".join(f"{k}={v}" for k, v in sorted(c.strata.items())),
                )
                for c in found.cases
            ],
        ),
    ]
    show({"kit": kit, "protocol": protocol, "cases": found.cases}, lines, as_json=json)


@app.command()
def check(folder: FolderArgument, json: JsonFlag = False) -> None:
    """Check a kit's files against each other and against the digests of case files already made here."""
    from host.home import Home
    from host.kits.data import check_data, data_folder
    from host.kits.kit import read_kit

    found = read_kit(folder)
    made = data_folder(Home.from_environment(), found).is_dir()
    if made:
        check_data(Home.from_environment(), found)
    show(
        {
            "kit": found.kit.id,
            "kit_digest": found.kit_digest,
            "protocol_digest": found.protocol_digest,
            "data": made,
        },
        [
            f"{found.kit.id} {found.kit.version}: {len(found.cases)} cases, {len(found.protocol.criteria)} criteria",
            f"  kit       {found.kit_digest}",
            f"  protocol  {found.protocol_digest}",
            "  case files: every digest is right" if made else "  case files: not made here yet",
        ],
        as_json=json,
        next_command=f"assay kit register {folder} --as PERSON",
    )


@app.command()
def register(
    folder: FolderArgument,
    person: session.AsOption,
    reason: session.ReasonOption = "pre-registration",
    json: JsonFlag = False,
) -> None:
    """Sign and log a kit's protocol, and cosign the log, before anything is run against it."""
    from host.kits.kit import read_kit
    from host.signing import typed
    from registry.policy import Action, require_role
    from registry.statements import Protocol
    from registry.witness import cosign_own

    found = read_kit(folder)
    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.KIT_REGISTER)
    require_role(registry.root, person, Action.LOG_COSIGN)  # before a record that could not be cosigned
    for data in (found.listing, *found.contents.values()):
        registry.blobs.put_bytes(data)
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
