"""``assay catalogue list`` and ``show``: what each release has earned, as a projection of the log."""

from typing import TYPE_CHECKING

from host.cli import session
from host.cli.answer import JsonFlag, show, table
from host.cli.catalogue.names import ReleaseArgument

if TYPE_CHECKING:
    from registry.catalogue import Evaluation


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
                entry.earned if newest else "",
                ", ".join(sorted({one.scope for one in entry.approvals})),
                entry.digest[:19],
            )
        )
    show(
        [_document(entry) for entry in entries.values()],
        table(("release", "state", "verdict", "evidence", "earned", "approved for", "digest"), rows),
        as_json=json,
    )


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
            f"evaluated   {report.verdict} on {report.evidence} evidence ({_earned(one)}), "
            f"validation {report.validation}"
        )
        lines += [f"  signed    {describe(signature)}" for signature in one.signatures]
    for approval in entry.approvals:
        lines.append(
            f"approved    {approval.scope}: {approval.context_of_use} (by {approval.actor} at {approval.at})"
        )
    lines += [
        f"{change.verb:<11} by {change.actor} ({change.role}) at {change.at}: {change.reason}"
        for change in entry.changes
    ]
    show({**_document(entry), "manifest": manifest}, lines, as_json=json)


def _document(entry: object) -> dict[str, object]:
    from registry.catalogue import CatalogueEntry

    assert isinstance(entry, CatalogueEntry)  # noqa: S101 - only called with projections
    return {
        "release": entry.digest,
        "plugin": entry.release.plugin,
        "version": entry.release.version,
        "state": str(entry.state),
        "earned": entry.earned,
        "evaluations": [one.report for one in entry.evaluations],
        "approvals": list(entry.approvals),
        "changes": [{"decision": one.verb, **one.model_dump(mode="json")} for one in entry.changes],
    }


def _earned(evaluation: "Evaluation") -> str:
    """What the evaluation lets one say, in words that claim no more."""
    return "no claim" if evaluation.earned == "nothing" else evaluation.earned
