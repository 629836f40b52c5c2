"""What ``assay trial`` shows of a trial's runs: results of record, and what an amendment would affect."""

from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, conclude, show, table

if TYPE_CHECKING:
    from registry.results import TrialRun

TrialArgument = Annotated[str, typer.Argument(help="The trial's id.")]


def results(trial: TrialArgument, json: JsonFlag = False) -> None:
    """List the result of record of each subject, visit and slot, and the results that a rerun superseded."""
    from registry.results import results_of_record, superseded

    runs = _runs(trial)
    current = results_of_record(runs)
    replaced = [(old, new) for old, new in superseded(runs)]
    rows = [(*key, run.started.run, "of record") for key, run in sorted(current.items())]
    rows += [
        (*old.key, old.started.run, f"superseded by {new.started.run}: {new.started.rerun_reason}")
        for old, new in replaced
    ]
    document = {
        "trial": trial,
        "results": [_row(run) for _, run in sorted(current.items())],
        "superseded": [
            {**_row(old), "by": new.started.run, "reason": new.started.rerun_reason} for old, new in replaced
        ],
    }
    lines = table(("subject", "visit", "slot", "run", "standing"), sorted(rows))
    show(document, lines, as_json=json, next_command="assay trace RUN PORT.COLUMN")


def impact(trial: TrialArgument, json: JsonFlag = False) -> None:
    """List the subjects and visits whose results an amendment would affect, before it is proposed."""
    from registry.results import affected_digest, results_of_record

    runs = _runs(trial)
    found = [run for _, run in sorted(results_of_record(runs).items())]
    digest = affected_digest(runs)
    rows = [(*run.key, run.started.actor, run.started.run) for run in found]
    subjects = len({run.started.subject for run in found})
    show(
        {"trial": trial, "affected": digest, "results": [_row(run) for run in found]},
        [
            f"{len(found)} results of {subjects} subjects; this list is {digest}",
            *table(("subject", "visit", "slot", "site", "run"), rows),
        ],
        as_json=json,
        next_command=f"assay trial amend {trial} --affected {digest}",
    )


def drift(trial: TrialArgument, json: JsonFlag = False) -> int:
    """Compare the effective configuration that each site's records declare, and name what differs."""
    from dataclasses import asdict

    from host.locking import lock_in_force
    from registry.drift import compare_sites
    from registry.errors import DriftError

    _, registry = session.open_registry()
    found = compare_sites(lock_in_force(registry, trial), _runs(trial))
    rows = [
        (one.site, one.slot, one.field, one.found, one.expected or "no majority", one.run)
        for one in found.drifts
    ]
    lines = [f"{len(found.compared)} sites compared, {len(found.silent)} of the lock have no run here"]
    if rows:
        lines += table(("site", "slot", "field", "found", "expected", "run"), rows)
    show(asdict(found), lines, as_json=json)
    sites = sorted({one.site for one in found.drifts})
    if not sites:
        return conclude(None)
    return conclude(
        DriftError(
            f"trial {trial}: {', '.join(sites)} {'differs' if len(sites) == 1 else 'differ'} from the others",
            subject=trial,
            hint="the site imports the newest bundle and installs the same host and engine",
        )
    )


def _runs(trial: str) -> "list[TrialRun]":
    from registry.results import RUN_TYPES, trial_runs

    _, registry = session.open_registry()
    return trial_runs(registry.records(RUN_TYPES), registry.trial(trial).locks)


def _row(run: "TrialRun") -> dict[str, str]:
    started = run.started
    return {
        "subject": started.subject,
        "visit": started.visit,
        "slot": run.slot,
        "site": started.actor,
        "run": started.run,
        "release": started.release,
        "lock": started.lock or "",
    }
