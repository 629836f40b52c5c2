"""``assay audit``: the audit trail, and the check that nobody edited it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, conclude, show, table
from host.cli.targets import check_target, write_target

MAX_FILE_BYTES = 8 * 1024 * 1024
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
    until: Annotated[str | None, typer.Option(help="Only before this time.")] = None,
    why: Annotated[str | None, typer.Option(help="Only where the reason holds this text.")] = None,
    about: Annotated[
        str | None,
        typer.Option(help="Only about this trial, run, plugin, kit, subject or record's digest."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show who did what, when, in which role and why."""
    from registry.audit import view

    _, registry = session.open_registry()
    rows = view(
        registry.records(),
        who=who,
        what=what,
        since=_moment("--since", since),
        until=_moment("--until", until),
        why=why,
        about=about,
    )
    show(
        [{field: getattr(one, field) for field in one.__slots__} for one in rows],
        table(
            ("entry", "when", "who", "role", "what", "why"),
            [(str(r.sequence), r.at, r.actor, r.role, r.what, r.reason) for r in rows],
        ),
        as_json=json,
    )


@app.command()
def verify(
    pin: Annotated[
        list[Path] | None,
        typer.Option(
            "--pin",
            metavar="CHECKPOINT-FILE",
            help="A checkpoint of this log that somebody else kept: shows that an older database was put back.",
        ),
    ] = None,
    json: JsonFlag = False,
) -> int:
    """Hash every record again, check every signature and checkpoint, and list every fault."""
    from host.errors import LogFaultError
    from registry.audit import verify_log

    pinned = [_file(path, "--pin").decode(errors="replace") for path in pin or ()]
    _, registry = session.open_registry()
    faults = verify_log(registry, pinned)
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


@app.command()
def checkpoint(
    out: Annotated[Path, typer.Option(help="File to write.")],
    log: Annotated[
        str | None, typer.Option("--log", help="Another log's name: the largest one kept of it.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Write this log's newest checkpoint, or what is kept of another's, for somebody else to keep."""
    from registry.errors import UnknownOriginError
    from registry.witness import open_enrolled

    check_target(out, "--out")
    _, registry = session.open_registry()
    notes = [registry.log.checkpoint()] if log in (None, registry.log.origin) else registry.log.notes(log)
    if not notes:
        raise UnknownOriginError(f"this home keeps no checkpoint of log {log!r}", subject=str(log))
    note = max(notes, key=lambda one: open_enrolled(one, registry.root).size)
    known = open_enrolled(note, registry.root)
    write_target(out, note.encode())
    show(
        {"checkpoint": str(out), "log": known.origin, "entries": known.size},
        [f"wrote {out}: {known.size} entries of {known.origin}"],
        as_json=json,
        next_command=f"there: assay audit exchange {out}; here, later: assay audit verify --pin {out}",
    )


@app.command()
def exchange(
    checkpoints: Annotated[
        list[Path], typer.Argument(help="Checkpoint files that others hold, of this log or another one.")
    ],
    json: JsonFlag = False,
) -> None:
    """Compare checkpoints that others hold with what this home knows, and keep them: two histories of one log show."""
    from registry.witness import hear

    notes = [_file(path, "CHECKPOINTS").decode(errors="replace") for path in checkpoints]
    _, registry = session.open_registry()
    heard = []
    for note in notes:
        with registry.refusals_logged("checkpoint-exchange", registry.node_id):
            heard.append(hear(registry, note))
    show(
        [{"log": one.origin, "entries": one.size} for one in heard],
        [f"{one.origin}: {one.size} entries, nothing known here contradicts it" for one in heard],
        as_json=json,
    )


@app.command()
def prove(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="The record's digest, sha256:\u2026")],
    out: Annotated[Path, typer.Option(help="File to write, by custom FILE.tlog-proof.")],
    json: JsonFlag = False,
) -> None:
    """Write a proof (C2SP tlog-proof) that a record is in the log; whoever has the log's key can check it offline."""
    from registry.tlog_proof import format_proof, verifier_key
    from registry.tlog_proof import prove as proof_of

    check_target(out, "--out")
    _, registry = session.open_registry()
    proof = proof_of(registry.log, record)
    write_target(out, format_proof(proof))
    key = verifier_key(registry.log.origin, registry.node.public)
    show(
        {"proof": str(out), "entry": proof.index, "log_key": key},
        [f"wrote {out}: {record} is entry {proof.index}", f"tell the log's key by another way: {key}"],
        as_json=json,
        next_command=f"assay audit check {out} --log-key '{key}'",
    )


@app.command()
def check(
    proof: Annotated[Path, typer.Argument(help="A .tlog-proof file.")],
    log_key: Annotated[str, typer.Option(help="The log's key as it was told by another way: NAME+HASH+KEY.")],
    envelope: Annotated[
        Path | None, typer.Option(help="The record's signed envelope, to see that it is the one proven.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Check a proof offline, with the log's key and no registry: which record is entry of the log, logged when."""
    from registry.canonical import digest
    from registry.errors import BundleContentError
    from registry.tlog_proof import parse_proof, parse_verifier_key, verify_proof

    where = str(proof)
    origin, key = parse_verifier_key(log_key)
    parsed = parse_proof(_file(proof, "PROOF"), where=where)
    leaf, signed = verify_proof(parsed, origin=origin, key=key, where=where)
    if envelope is not None and digest(_file(envelope, "--envelope")) != leaf.envelope:
        raise BundleContentError(
            f"{envelope}: is not the envelope that {proof} proves", subject=str(envelope)
        )
    show(
        {
            "log": origin,
            "entries": signed.size,
            "entry": leaf.sequence,
            "logged_at": leaf.logged_at,
            "record": leaf.payload,
            "envelope": leaf.envelope,
        },
        [
            f"record {leaf.payload}",
            f"is entry {leaf.sequence} of {origin}, logged {leaf.logged_at}, under its checkpoint of {signed.size}",
        ],
        as_json=json,
    )


def _file(path: Path, option: str) -> bytes:
    """A small file that the operator names. Raises `OptionError`."""
    from host.errors import OptionError

    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise OptionError(f"{option} {path}: {error.strerror}", subject=str(path)) from error
    if len(data) > MAX_FILE_BYTES:
        raise OptionError(f"{option} {path}: larger than {MAX_FILE_BYTES} bytes", subject=str(path))
    return data


@app.command()
def review(
    person: session.AsOption,
    first: Annotated[int, typer.Option("--from", min=0, help="First entry that was read.")],
    last: Annotated[int, typer.Option("--to", min=0, help="Last entry that was read.")],
    finding: Annotated[str, typer.Option(help='What was found; "none" is a finding too.')],
    reason: Annotated[str, typer.Option(help="Why it was read now; kept in the record.")],
    who: Annotated[str | None, typer.Option(help="Only what this person or node did.")] = None,
    what: Annotated[str | None, typer.Option(help="Only this kind of record.")] = None,
    json: JsonFlag = False,
) -> None:
    """Sign that you read a part of the audit trail in which you did nothing, and what you found."""
    from registry.policy import Action
    from registry.reviews import AuditReview, digest_of, selected
    from registry.values import named_faults

    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.AUDIT_REVIEW)
    with registry.refusals_logged("audit-review/v1", person):
        covered = selected(registry, first, last, who=who, what=what)
    with named_faults("the review"):
        act = AuditReview(
            actor=actor.person,
            role=actor.role,
            at=session.stamp(),
            reason=reason,
            first=first,
            last=last,
            who=who,
            what=what,
            checkpoint=registry.log.checkpoint(),
            records=len(covered),
            covered=digest_of(covered),
            finding=finding,
        )
    record = registry.act(act, actor.signer)
    show(
        {"record": record.digest, "entry": record.sequence, "review": act},
        [f"{actor.name} reviewed {len(covered)} records, entries {first} to {last}: {finding}"],
        as_json=json,
        next_command="assay audit log --what audit-review",
    )


@app.command()
def phi(json: JsonFlag = False) -> None:
    """List text of records that may identify a person; an empty list is no proof that there is none."""
    from registry.phi import suspicions

    _, registry = session.open_registry()
    found = tuple(suspicions(registry.records()))
    show(
        [{"entry": one.sequence, "field": one.field, "looks_like": one.looks_like} for one in found],
        [f"entry {one.sequence}: {one.field} looks like it holds {one.looks_like}" for one in found]
        or ["no text looks like it identifies a person; names in prose are not found by patterns"],
        as_json=json,
    )


@app.command()
def pseudonym(
    trial: Annotated[str, typer.Argument(help="A trial that this site has imported.")],
    json: JsonFlag = False,
) -> None:
    """At a site: read from standard input what you call a person, and show their pseudonym for a trial.

    The name is asked for there, not as an argument, so that no list of commands keeps it. The key stays in this home.
    """
    import getpass
    import sys

    from host.errors import OptionError
    from host.home import random_bytes
    from registry.phi import pseudonym as keyed
    from registry.phi import pseudonym_key

    home, registry = session.open_registry()
    registry.trial(trial)
    identity = getpass.getpass("Person: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not identity.strip():
        raise OptionError("no person was named on standard input", subject=trial)
    found = keyed(pseudonym_key(home.path / "keys", trial, random_bytes), trial, identity)
    show({"trial": trial, "pseudonym": found}, [found], as_json=json)


def _moment(option: str, text: str | None) -> datetime | None:
    from host.errors import OptionError

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise OptionError(f"{option} {text!r}: add the zone, for example {text}+00:00", subject=text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise OptionError(f"{option} {text!r}: not a time", subject=text) from error
