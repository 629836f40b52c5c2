"""``assay catalogue``: what each release has earned, as a projection of the log."""

from typing import Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, show, table

app = typer.Typer(help="List, show and approve releases.", no_args_is_help=True, rich_markup_mode=None)

ReleaseArgument = Annotated[str, typer.Argument(help="PLUGIN@VERSION, or the release's digest.")]


@app.command("list")
def list_releases(json: JsonFlag = False) -> None:
    """List releases with their state and evidence."""
    _, registry = session.open_registry()
    entries = registry.catalogue()
    rows = []
    for entry in entries.values():
        newest = entry.evaluations[-1].report if entry.evaluations else None
        rows.append(
            (
                f"{entry.release.plugin}@{entry.release.version}",
                str(entry.state),
                newest.verdict if newest else "",
                newest.evidence if newest else "",
                ", ".join(sorted({one.scope for one in entry.approvals})),
                entry.digest[:19],
            )
        )
    show(
        [_document(entry) for entry in entries.values()],
        table(("release", "state", "verdict", "evidence", "approved for", "digest"), rows),
        as_json=json,
    )


@app.command("show")
def show_release(release: ReleaseArgument, json: JsonFlag = False) -> None:
    """Show a release's dossier: digests, evaluations, signatures and approvals."""
    from host.installed import find_release, read_stored_manifest
    from registry.esignature import describe

    _, registry = session.open_registry()
    entry = registry.catalogue()[find_release(registry, release).digest]
    manifest = read_stored_manifest(registry, entry.release.manifest)
    lines = [
        f"{manifest.title}  ({entry.release.plugin} {entry.release.version})",
        f"state       {entry.state}",
        f"for         {', '.join(f'{one.area}: {one.disease}' for one in manifest.indications)}",
        f"capability  {', '.join(manifest.capabilities)}; modality {', '.join(manifest.modalities)}",
        f"use         {manifest.attribution.intended_use}",
        f"not for     {manifest.attribution.not_for}",
        f"licence     {manifest.attribution.licence}; commercial use {manifest.attribution.commercial_use}",
        f"image       {entry.release.image}",
        f"manifest    {entry.release.manifest}",
        f"sbom        {entry.release.sbom}",
        f"submitted   by {entry.release.actor} at {entry.release.at}",
    ]
    for one in entry.evaluations:
        report = one.report
        lines.append(
            f"evaluated   {report.verdict} on {report.evidence} evidence, validation {report.validation}"
        )
        lines += [f"  signed    {describe(signature)}" for signature in one.signatures]
    for approval in entry.approvals:
        lines.append(
            f"approved    {approval.scope}: {approval.context_of_use} (by {approval.actor} at {approval.at})"
        )
    show({**_document(entry), "manifest": manifest}, lines, as_json=json)


@app.command()
def approve(
    release: ReleaseArgument,
    report: Annotated[str, typer.Option(help="Id of the validation whose signed report supports this.")],
    scope: Annotated[str, typer.Option(help="demonstration, exploratory or endpoint.")],
    use: Annotated[str, typer.Option(help="Context of use that is approved.")],
    person: session.AsOption,
    reason: session.ReasonOption = "approval",
    json: JsonFlag = False,
) -> None:
    """Approve a release for a scope and a context of use; the author and the executor may not."""
    from host.cli.report import find_report
    from host.installed import find_release
    from host.reports.recheck import recheck
    from host.signing import read_scope, typed
    from registry.policy import Action
    from registry.statements import CatalogueDecision

    home, registry = session.open_registry()
    found, evidence = find_release(registry, release), find_report(registry, report)
    recheck(registry, evidence)
    actor = session.act_as(home, registry, person, Action.CATALOGUE_APPROVE)
    record = registry.act(
        typed(
            CatalogueDecision,
            actor=actor.person,
            role=actor.role,
            at=session.stamp(),
            reason=reason,
            release=found.digest,
            decision="approve",
            scope=read_scope(scope),
            context_of_use=use,
            report=evidence.digest,
        ),
        actor.signer,
        [("release", found.digest), ("report", evidence.digest)],
    )
    show(
        {"decision": record.digest, "release": found.digest, "scope": scope},
        [
            f"approved {release} for {scope} by {actor.name}",
            f"  log entry {record.sequence}, {record.logged_at}",
        ],
        as_json=json,
        next_command="assay trial create TRIAL --title TEXT --scope " + f"{scope} --as PERSON",
    )


def _document(entry: object) -> dict[str, object]:
    from registry.catalogue import CatalogueEntry

    assert isinstance(entry, CatalogueEntry)  # noqa: S101 - only called with projections
    return {
        "release": entry.digest,
        "plugin": entry.release.plugin,
        "version": entry.release.version,
        "state": str(entry.state),
        "evaluations": [one.report for one in entry.evaluations],
        "approvals": list(entry.approvals),
    }
