"""``assay kit deviate``: record that a registered protocol was edited."""

from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, say, show
from host.cli.kit.options import FolderArgument

if TYPE_CHECKING:
    from registry.plans import FieldChange


def deviate(
    folder: FolderArgument,
    person: session.AsOption,
    reason: Annotated[str, typer.Option("--reason", help="Why the protocol is changed; kept in the record.")],
    json: JsonFlag = False,
) -> None:
    """Sign and log an edit of protocol.toml as a numbered deviation, approved by QA who took no part, and cosign it."""
    from host.kits.check.folder import check_for_registration
    from host.validation.deviating import Approver
    from host.validation.deviating import deviate as log_deviation
    from registry.policy import Action
    from registry.witness import cosign_own, require_cosigner

    home, registry = session.open_registry()
    found = check_for_registration(folder, home)
    actor = session.act_as(home, registry, person, Action.KIT_DEVIATE)
    require_cosigner(registry.root, person, actor.signer)  # before a record that could not be cosigned
    approver = Approver(actor.person, actor.role, actor.signer, session.stamp(), reason)
    done = log_deviation(registry, found, approver)
    say(f"sign a checkpoint of the log and cosign it as {actor.name}")
    checkpoint = cosign_own(registry, actor.person, actor.signer)
    deviation = done.deviation
    show(
        {
            "record": done.record.digest,
            "entry": done.record.sequence,
            "logged_at": done.record.logged_at,
            "deviation": deviation,
            "after_executions": done.after_executions,
            "checkpoint": checkpoint,
        },
        [
            f"deviation {deviation.number} from the protocol of {found.kit.id} {found.kit.version}, "
            f"approved by {actor.name}: {reason}",
            *[f"  {line(one)}" for one in deviation.changes],
            f"  record {done.record.digest}, log entry {done.record.sequence}, {done.record.logged_at}",
            f"  executions against the kit before it: {done.after_executions}"
            + (" (data may have been seen)" if done.after_executions else ""),
        ],
        as_json=json,
        next_command=f"assay validate PLUGIN@VERSION --kit {folder} --as PERSON (not {person})",
    )


def line(change: "FieldChange") -> str:
    """A changed field as one line."""
    if change.before is None:
        return f"{change.field}: {change.after} is new"
    return f"{change.field}: {change.before} -> {'nothing' if change.after is None else change.after}"
