"""``assay catalogue suspend``, ``reinstate``, ``impact``, ``recall`` and ``retire``."""

from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, say, show, table
from host.cli.catalogue.names import ReleaseArgument

if TYPE_CHECKING:
    from registry.impact import Impact
    from registry.record import Record
    from registry.registry import Registry
    from registry.standing import Change

Reason = Annotated[str, typer.Option("--reason", help="Why; every view shows it.")]


def suspend(
    release: ReleaseArgument, reason: Reason, person: session.AsOption, json: JsonFlag = False
) -> None:
    """Stop new locks of a release; trials under way are told with their next bundle, and go on."""
    from registry.policy import Action
    from registry.standing import ReleaseSuspended

    _decide(ReleaseSuspended, Action.CATALOGUE_SUSPEND, release, person=person, reason=reason, json=json)


def reinstate(
    release: ReleaseArgument, reason: Reason, person: session.AsOption, json: JsonFlag = False
) -> None:
    """End a suspension; its author, who ran a validation behind it, and who suspended it may not."""
    from registry.policy import Action
    from registry.standing import ReleaseReinstated

    _decide(ReleaseReinstated, Action.CATALOGUE_REINSTATE, release, person=person, reason=reason, json=json)


def retire(
    release: ReleaseArgument, reason: Reason, person: session.AsOption, json: JsonFlag = False
) -> None:
    """End a release's life: no new locks, for good; trials that locked it before finish with it."""
    from registry.policy import Action
    from registry.standing import ReleaseRetired

    _decide(ReleaseRetired, Action.CATALOGUE_RETIRE, release, person=person, reason=reason, json=json)


def impact(release: ReleaseArgument, json: JsonFlag = False) -> None:
    """List the trials, locks, sites, runs and subjects that a recall of the release would concern."""
    from host.installed import find_release
    from registry.impact import affected

    _, registry = session.open_registry()
    found = affected(registry, find_release(registry, release).digest)
    show(
        {**found.model_dump(mode="json"), "digest": found.digest},
        [f"what {release} has touched, as far as records were returned to this registry", *_listed(found)],
        as_json=json,
        next_command=f"assay catalogue recall {release} --impact {found.digest} --reason TEXT --as PERSON",
    )


def recall(
    release: ReleaseArgument,
    reason: Reason,
    person: session.AsOption,
    expected: Annotated[
        str | None,
        typer.Option(
            "--impact", help="The list you read, by the digest that `assay catalogue impact` printed."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Recall an unsafe release for good: no new locks, no further runs, and a signed list of what it touched."""
    from host.installed import find_release
    from registry.impact import affected
    from registry.policy import Action
    from registry.standing import ReleaseRecalled

    _, registry = session.open_registry()
    found = affected(registry, find_release(registry, release).digest)
    _decide(
        ReleaseRecalled,
        Action.CATALOGUE_RECALL,
        release,
        person=person,
        reason=reason,
        json=json,
        found=found,
        expected=expected or found.digest,
    )


def _decide(
    kind: "type[Change]",
    action: str,
    release: str,
    *,
    person: str,
    reason: str,
    json: bool,
    found: "Impact | None" = None,
    expected: str = "",
) -> None:
    """Sign and log one decision, and show where the release stands after it."""
    from host.installed import find_release
    from host.signing import typed
    from registry.policy import Action

    home, registry = session.open_registry()
    target = find_release(registry, release)
    actor = session.act_as(home, registry, person, Action(action))
    fields = {} if found is None else {"impact": expected}
    record = registry.act(
        typed(
            kind,
            actor=actor.person,
            role=actor.role,
            at=session.stamp(),
            reason=reason,
            release=target.digest,
            **fields,
        ),
        actor.signer,
        [("release", target.digest)],
    )
    state = registry.catalogue()[target.digest].state
    document: dict[str, object] = {
        "decision": record.digest,
        "release": target.digest,
        "state": str(state),
        "trials": _trials_under_way(registry, target),
    }
    if found is not None:
        document["impact"] = {**found.model_dump(mode="json"), "digest": found.digest}
    show(
        document,
        [
            f"{release} is {state}, by decision of {actor.name} ({actor.role})",
            f"  log entry {record.sequence}, {record.logged_at}",
            *(_listed(found) if found is not None else []),
        ],
        as_json=json,
    )
    for trial in _trials_under_way(registry, target):
        say(f"next: assay trial export {trial} --out FILE, for its sites to import: so they are told")


def _trials_under_way(registry: "Registry", release: "Record") -> list[str]:
    """The trials whose lock in force names the release."""
    from registry.statements import TrialLock

    trials = {
        one.statement.read(TrialLock).trial
        for one in registry.records(TrialLock.predicate_type, subject=release.digest)
    }
    in_force = [(trial, registry.trial(trial).effective) for trial in sorted(trials)]
    return [
        trial
        for trial, view in in_force
        if view is not None and any(slot.release == release.digest for slot in view.lock.slots)
    ]


def _listed(found: "Impact") -> list[str]:
    """The list as people read it: counts first, then every lock, site, subject and run by name."""
    return [
        f"trials {len(found.trials)}, locks {len(found.locks)}, sites {len(found.sites)}, "
        f"runs {len(found.runs)}, subjects {len(found.subjects)}",
        f"list        {found.digest}",
        *[f"lock        {one.trial}, sequence {one.sequence}  {one.lock}" for one in found.locks],
        *[f"site        {one}" for one in found.sites],
        *[f"subject     {one.subject}  of {one.trial}" for one in found.subjects],
        *table(
            ("run", "trial", "subject", "visit", "at node", "started"),
            [
                (one.run, one.trial or "(validation)", one.subject, one.visit, one.node, one.at)
                for one in found.runs
            ],
        ),
    ]
