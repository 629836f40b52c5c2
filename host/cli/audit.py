"""``assay audit``: the audit trail, and the check that nobody edited it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, conclude, show, table

app = typer.Typer(help="Read and verify the audit trail.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def log(
    who: Annotated[str | None, typer.Option(help="Only this person or node.")] = None,
    what: Annotated[
        str | None, typer.Option(help="Only this kind of record, for example trial-lock.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only from this time on, for example 2026-11-23T00:00:00Z.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show who did what, when, in which role and why."""
    from registry.audit import view

    _, registry = session.open_registry()
    rows = view(registry.records(), who=who, what=what, since=_moment(since))
    show(
        [{field: getattr(one, field) for field in one.__slots__} for one in rows],
        table(
            ("entry", "when", "who", "role", "what", "why"),
            [(str(r.sequence), r.at, r.actor, r.role, r.what, r.reason) for r in rows],
        ),
        as_json=json,
    )


@app.command()
def verify(json: JsonFlag = False) -> int:
    """Hash every record again, check every signature and checkpoint, and list every fault."""
    from host.errors import LogFaultError
    from registry.audit import verify_log

    _, registry = session.open_registry()
    faults = verify_log(registry)
    size = registry.log.size
    lines = [
        f"entry {'-' if one.sequence is None else one.sequence}: {one.code}: {one.message}" for one in faults
    ]
    show(
        {
            "entries": size,
            "faults": [{"entry": f.sequence, "code": f.code, "message": f.message} for f in faults],
        },
        lines or [f"{size} entries, every body, signature and checkpoint is as it was logged"],
        as_json=json,
    )
    if not faults:
        return 0
    return conclude(
        LogFaultError(
            f"{len(faults)} faults in a log of {size} entries",
            subject=str(faults[0].sequence),
            hint="keep this home as it is for the inquiry, and go on from a copy whose log verifies",
        )
    )


@app.command()
def backup(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="A new folder for the copy.")],
    json: JsonFlag = False,
) -> None:
    """Copy the database while it is in use, with a checkpoint that tells an older copy; not blobs, not keys."""
    from registry.backup import back_up

    home, registry = session.open_registry()
    done = back_up(registry, out)
    show(
        {"database": str(done.database), "checkpoint": str(done.checkpoint), "entries": done.entries},
        [
            f"{done.entries} entries copied to {done.database}",
            f"keep {done.checkpoint} elsewhere too: it tells whether what is put back is older",
            f"copy {home.path / 'blobs'} now: what the copied records name is in it",
        ],
        as_json=json,
        next_command="assay audit verify",
    )


def _moment(text: str | None) -> datetime | None:
    from host.errors import OptionError

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise OptionError(f"--since {text!r}: add the zone, for example {text}+00:00", subject=text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise OptionError(f"--since {text!r}: not a time", subject=text) from error
