"""``assay trial``: lock releases for a trial, carry the lock to a site, run it there, bring the records back."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session, trial_views
from host.cli.answer import JsonFlag, conclude, say, show, table
from host.cli.engines import EngineOption, connected
from host.cli.targets import check_target

if TYPE_CHECKING:
    from host.locking import Wanted
    from registry.registry import Registry

app = typer.Typer(help="Lock, export, import and run trials.", no_args_is_help=True, rich_markup_mode=None)
app.command("results")(trial_views.results)
app.command("impact")(trial_views.impact)
app.command("drift")(trial_views.drift)

TrialArgument = Annotated[str, typer.Argument(help="The trial's id.")]
EnginesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--engine",
        help="Engine that is allowed; may be repeated. Default: docker and runc, or as it was.",
    ),
]
WarmOption = Annotated[
    list[str] | None,
    typer.Option("--warm", metavar="NAME", help="Slot that permits warm containers; may be repeated."),
]
TermsOption = Annotated[
    Path | None,
    typer.Option(
        help="terms.toml: least evidence, papers, GPUs, signers; per slot context, parameters, domain."
    ),
]
ParametersOption = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="SLOT.NAME=VALUE", help="Frozen value within the manifest's bounds."),
]


@app.command()
def create(
    trial: TrialArgument,
    title: Annotated[str, typer.Option(help="The trial's title.")],
    scope: Annotated[
        str, typer.Option(help="What results are used for: demonstration, exploratory or endpoint.")
    ],
    person: session.AsOption,
    reason: session.ReasonOption = "trial opened",
    json: JsonFlag = False,
) -> None:
    """Open a trial."""
    from host.signing import read_scope, typed
    from registry.policy import Action
    from registry.statements import TrialCreated

    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.TRIAL_CREATE)
    record = registry.act(
        typed(
            TrialCreated,
            actor=actor.person,
            role=actor.role,
            at=session.stamp(),
            reason=reason,
            trial=trial,
            title=title,
            scope=read_scope(scope),
        ),
        actor.signer,
    )
    show(
        {"trial": trial, "record": record.digest},
        [f"trial {trial} opened by {actor.name}, log entry {record.sequence}"],
        as_json=json,
        next_command=f"assay trial lock {trial} --slot NAME=PLUGIN@VERSION --site SITE --as PERSON",
    )


@app.command()
def lock(
    trial: TrialArgument,
    slot: Annotated[list[str], typer.Option("--slot", metavar="NAME=PLUGIN@VERSION")],
    site: Annotated[list[str], typer.Option("--site", help="Enrolled site that may run the lock.")],
    person: session.AsOption,
    engine: EnginesOption = None,
    warm: WarmOption = None,
    terms: TermsOption = None,
    parameter: ParametersOption = None,
    reason: session.ReasonOption = "lock at trial initiation",
    json: JsonFlag = False,
) -> None:
    """Lock approved releases by digest, and sign the lock; it holds once the other signers have signed too."""
    from host.cli.lock_options import with_terms
    from host.cli.values import parse_pairs
    from host.engine_choice import TRIAL_GRADE
    from host.locking import Wanted
    from registry.policy import Action

    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.TRIAL_LOCK)
    wanted = Wanted(
        slots=parse_pairs(slot, "--slot"),
        sites=tuple(site),
        engines=tuple(engine or TRIAL_GRADE),
        warm=frozenset(warm or ()),
    )
    _propose(registry, actor, trial, with_terms(wanted, terms, parameter or ()), reason=reason, json=json)


@app.command()
def amend(
    trial: TrialArgument,
    kind: Annotated[
        str, typer.Option("--class", metavar="CLASS", help="planned-change, deviation or recall.")
    ],
    impact: Annotated[
        str, typer.Option(help="On the results that `trial impact` lists: 'reprocess all' or 'none'.")
    ],
    justification: Annotated[str, typer.Option(help="Why the impact is that.")],
    person: session.AsOption,
    reason: Annotated[str, typer.Option(help="Why the lock changes; goes into the record.")],
    slot: Annotated[list[str] | None, typer.Option("--slot", metavar="NAME=PLUGIN@VERSION")] = None,
    site: Annotated[list[str] | None, typer.Option("--site", help="All sites from now on.")] = None,
    engine: EnginesOption = None,
    terms: TermsOption = None,
    parameter: ParametersOption = None,
    affected: Annotated[
        str | None,
        typer.Option(metavar="DIGEST", help="The list that `trial impact` showed; default: as it is now."),
    ] = None,
    bridging: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST", help="Signed report against the release locked before; subjects may then mix."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Propose a whole next lock; what is not given stays as it is in the newest one."""
    from dataclasses import replace

    from host.cli.lock_options import with_terms
    from host.cli.values import parse_pairs
    from host.locking import Wanted, last_lock
    from host.signing import typed
    from registry.policy import Action
    from registry.terms import Amendment

    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.TRIAL_LOCK)
    amendment = typed(
        Amendment,
        kind=kind,
        impact=impact,
        justification=justification,
        affected=affected,
        bridging=bridging,
    )
    before = Wanted.again(last_lock(registry, trial).lock, amendment)
    wanted = replace(
        before,
        slots={**before.slots, **parse_pairs(slot or (), "--slot")},
        sites=tuple(site or before.sites),
        engines=tuple(engine or before.engines),
    )
    _propose(registry, actor, trial, with_terms(wanted, terms, parameter or ()), reason=reason, json=json)


def _propose(
    registry: "Registry", actor: session.Actor, trial: str, wanted: "Wanted", *, reason: str, json: bool
) -> None:
    from host.locking import propose_lock, sign_lock

    record = propose_lock(registry, actor, trial, wanted, reason=reason)
    sign_lock(registry, actor, record, meaning="responsibility", reason=reason)
    _show_status(
        trial, json=json, next_command=f"assay trial sign {trial} --lock {record.digest} --as PERSON"
    )


@app.command()
def sign(
    trial: TrialArgument,
    lock: Annotated[
        str, typer.Option("--lock", help="The lock's digest, as `assay trial status` prints it.")
    ],
    person: session.AsOption,
    meaning: Annotated[
        str, typer.Option(help="authorship, review, approval or responsibility.")
    ] = "approval",
    reason: session.ReasonOption = "lock signed",
    json: JsonFlag = False,
) -> None:
    """Sign the newest lock of a trial, named by its digest: what you read is what you sign."""
    from host.locking import newest_lock, sign_lock
    from host.signing import read_meaning
    from registry.policy import ALLOWED, Action
    from registry.witness import cosign_own

    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.TRIAL_SIGN)
    sign_lock(
        registry,
        actor,
        newest_lock(registry, trial, named=lock),
        meaning=read_meaning(meaning),
        reason=reason,
    )
    if actor.role in ALLOWED[Action.LOG_COSIGN]:
        if actor.signer.public.algorithm == "ed25519":
            cosign_own(registry, actor.person, actor.signer)
            say(f"log checkpoint over the signature cosigned by {actor.name}")
        else:
            say(f"log checkpoint not cosigned: the key of {actor.name} is not for Ed25519")
    _show_status(trial, json=json, next_command=f"assay trial activate {trial} --site SITE --as PERSON")


@app.command()
def activate(
    trial: TrialArgument,
    site: Annotated[str, typer.Option("--site", help="Enrolled site that the lock in force names.")],
    person: session.AsOption,
    reason: session.ReasonOption = "the site may start",
    json: JsonFlag = False,
) -> None:
    """Let a site start: nothing runs there before this record has reached it in a bundle."""
    from host.locking import activate as log_activation
    from registry.policy import Action

    home, registry = session.open_registry()
    actor = session.act_as(home, registry, person, Action.TRIAL_ACTIVATE)
    record = log_activation(registry, actor, trial, site, reason=reason)
    show(
        {"trial": trial, "site": site, "record": record.digest},
        [f"{site} is activated for {trial} by {actor.name}, log entry {record.sequence}"],
        as_json=json,
        next_command=f"assay trial export {trial} --out {trial}.bundle",
    )


@app.command()
def status(trial: TrialArgument, json: JsonFlag = False) -> None:
    """Show a trial's locks, who signed them and what is missing."""
    _show_status(trial, json=json, next_command="")


@app.command()
def export(
    trial: TrialArgument,
    out: Annotated[Path, typer.Option(help="Bundle file to write.")],
    json: JsonFlag = False,
) -> None:
    """Write the trial's bundle: lock, records, proofs, reports, manifest, weights and image."""
    from registry.bundle import export_trial

    check_target(out, "--out")
    _, registry = session.open_registry()
    digest = export_trial(registry, trial, out)
    show(
        {
            "bundle": str(out),
            "digest": digest,
            "bytes": out.stat().st_size,
            "trust_root": registry.root_digest,
        },
        [
            f"wrote {out} ({out.stat().st_size / 1e6:.0f} MB)  {digest}",
            f"tell the site, by another way than the bundle, the trust root to pin: {registry.root_digest}",
        ],
        as_json=json,
        next_command=f"at the site: assay trial import {out} --trust-root {registry.root_digest}",
    )


@app.command("import")
def import_bundle(
    bundle: Annotated[
        Path, typer.Argument(help="A trial's bundle (at a site), or a site's records (at the sponsor).")
    ],
    trust_root: Annotated[
        str | None, typer.Option(help="At a site: the pinned digest of the trust root.")
    ] = None,
    person: Annotated[
        str | None, typer.Option("--as", metavar="PERSON", help="At the sponsor: who takes in.")
    ] = None,
    engine: EngineOption = "auto",
    reason: session.ReasonOption = "bundle taken in",
    json: JsonFlag = False,
) -> None:
    """Verify a bundle offline and take it in: a trial's at a site, a site's run records at the sponsor."""
    home, registry = session.open_registry()
    if registry.is_site:
        from host.site import import_trial_bundle

        imported = import_trial_bundle(
            home, registry, bundle, pin=trust_root, engine_for=partial(connected, engine), say=say
        )
        show(
            {"trial": imported.trial, "lock": imported.lock.digest, "images": imported.images},
            [
                f"trial {imported.trial}: lock {imported.lock.lock.sequence} verified, {imported.lock.digest}",
                *[
                    f"  {slot.slot}: {slot.plugin} {slot.version}  image {slot.image}"
                    for slot in imported.lock.lock.slots
                ],
            ],
            as_json=json,
            next_command=f"assay trial run {imported.trial} --input PORT=FILE --subject ID --visit ID",
        )
        return
    from host.errors import OptionError
    from registry.policy import Action
    from registry.returns import take_in
    from registry.statements import RecordsTakenIn

    if person is None:
        raise OptionError(
            "a sponsor's registry takes in a site's records for somebody: --as PERSON", subject="--as"
        )
    actor = session.act_as(home, registry, person, Action.TRIAL_TAKE_IN)
    record = take_in(registry, bundle, actor.signer, actor=actor.person, reason=reason)
    taken = record.statement.read(RecordsTakenIn)
    show(
        {"record": record.digest, "site": taken.site, "first": taken.first, "size": taken.size},
        [f"took in the records {taken.first} to {taken.size - 1} of {taken.site} for {taken.trial}"],
        as_json=json,
        next_command="assay trace RUN PORT.COLUMN",
    )


@app.command()
def run(
    trial: TrialArgument,
    inputs: Annotated[
        list[str],
        typer.Option(
            "--input", metavar="PORT=FILE", help="Per input port; once per file where it takes several."
        ),
    ],
    subject: Annotated[str, typer.Option(help="Pseudonymous subject id.")],
    visit: Annotated[str, typer.Option(help="Visit id.")],
    slot: Annotated[
        str | None, typer.Option(help="Slot of the lock; may be left out where there is one.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Also copy the outputs into this new folder.")] = None,
    warm: Annotated[
        bool, typer.Option("--warm", help="In a warm container, where the lock permits it.")
    ] = False,
    rerun_of: Annotated[
        str | None, typer.Option(metavar="RUN", help="The result of record that this run is to supersede.")
    ] = None,
    code: Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="CODE",
            help="Why it is made again: amendment, corrected-input, rescan, quality-control or technical.",
        ),
    ] = None,
    engine: EngineOption = "auto",
    json: JsonFlag = False,
) -> int:
    """Run the locked release on a scan; any difference to the lock is refused and logged."""
    from host.cli.values import parse_files
    from host.signing import typed
    from host.site import RunOrder, engines_allowed, run_locked

    if out is not None:
        check_target(out, "--out", new=True)
    home, registry = session.open_registry()
    order = typed(
        RunOrder,
        trial=trial,
        slot=slot,
        inputs=parse_files(inputs, "--input"),
        subject=subject,
        visit=visit,
        out=out,
        warm=warm,
        rerun_of=rerun_of,
        rerun_reason=code,
    )
    done = run_locked(home, registry, connected(engine, engines_allowed(registry, trial)), order, say=say)
    record = done.record
    show(
        {
            "run": record.run,
            "record": done.finished.digest,
            "outcome": record.outcome,
            "measured": record.measured,
        },
        [
            f"run {record.run}: {record.outcome} {record.reason_code} {record.message}".rstrip(),
            *table(
                ("value", "number", "unit"),
                [(f"{one.port}.{one.column}", f"{one.value}", one.unit or "") for one in record.measured],
            ),
        ],
        as_json=json,
        next_command=f"assay trial return {trial} --out {trial}-records.bundle",
    )
    return conclude(done.fault())


@app.command("return")
def return_records(
    trial: TrialArgument,
    out: Annotated[Path, typer.Option(help="File to write.")],
    json: JsonFlag = False,
) -> None:
    """Write this site's log for the sponsor: its run records under a signed checkpoint."""
    from registry.returns import export_site_records

    check_target(out, "--out")
    _, registry = session.open_registry()
    digest = export_site_records(registry, trial, out)
    show(
        {"bundle": str(out), "digest": digest},
        [f"wrote {out}  {digest}"],
        as_json=json,
        next_command=f"at the sponsor: assay trial import {out} --as PERSON",
    )


def _show_status(trial: str, *, json: bool, next_command: str) -> None:
    from registry.esignature import describe
    from registry.standing import told

    _, registry = session.open_registry()
    found = registry.trial(trial)
    active = ", ".join(sorted(found.activated)) or "none"
    lines = [f"trial {trial}: {found.trial.title} (scope {found.trial.scope}); sites active: {active}"]
    for view in found.locks:
        missing = ", ".join(f"{one.role} {one.count}" for one in view.missing)
        lines.append(
            f"lock {view.lock.sequence}  {view.digest}  {'holds' if view.holds else 'missing: ' + missing}"
        )
        if view.lock.amendment is not None and view.lock.amendment.impact is not None:
            changed = view.lock.amendment
            lines.append(f"  {changed.kind}, impact {changed.impact}: {changed.justification}")
        lines += [
            f"  {slot.slot}: {slot.plugin} {slot.version}  image {slot.image}" for slot in view.lock.slots
        ]
        lines += [f"  signed: {describe(one)}" for one in view.signatures]
        lines += [f"  {line}" for line in told(registry, view.lock.slots)]
    document = {
        "trial": found.trial,
        "activated": sorted(found.activated),
        "locks": [
            {
                "digest": v.digest,
                "lock": v.lock,
                "holds": v.holds,
                "missing": v.missing,
                "signatures": v.signatures,
            }
            for v in found.locks
        ],
    }
    show(document, lines, as_json=json, next_command=next_command if found.effective or next_command else "")
