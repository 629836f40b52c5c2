"""``assay catalogue list`` and ``show``: what each release has earned, as a projection of the log."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, show, table
from host.cli.catalogue.names import (
    AreaOption,
    CapabilityOption,
    EvidenceOption,
    ReleaseArgument,
    ScopeOption,
    StateOption,
)

if TYPE_CHECKING:
    from plugin_spec.manifest import Manifest
    from registry.catalogue import CatalogueEntry, Evaluation
    from registry.dossier import Dossier
    from registry.registry import Registry
    from registry.statements import Act


def list_releases(
    area: AreaOption = None,
    disease: Annotated[str | None, typer.Option(help="A disease, or a part of its name.")] = None,
    modality: Annotated[str | None, typer.Option(help="DICOM modality that it reads: MR, CT, PT.")] = None,
    capability: CapabilityOption = None,
    state: StateOption = None,
    evidence: EvidenceOption = None,
    scope: ScopeOption = None,
    json: JsonFlag = False,
) -> None:
    """List releases with their state and evidence; each option narrows the list."""
    _, registry = session.open_registry()
    entries = list(registry.catalogue().values())
    asked = {
        "area": area,
        "disease": disease,
        "modality": modality,
        "capability": capability,
        "state": state,
        "evidence": evidence,
        "scope": scope,
    }
    if any(value is not None for value in asked.values()):
        from host.catalogue_filter import Wanted, select
        from host.signing import typed

        entries = select(registry, entries, typed(Wanted, **asked))
    show(
        [_document(entry) for entry in entries],
        table(
            ("release", "state", "verdict", "evidence", "earned", "approved for", "digest"),
            [_row(entry) for entry in entries],
        ),
        as_json=json,
    )


def show_release(release: ReleaseArgument, json: JsonFlag = False) -> None:
    """Show a release's dossier: use, digests, every attempt, signatures, approvals, decisions and trials."""
    from host.installed import find_release, read_stored_manifest
    from registry.dossier import dossier

    _, registry = session.open_registry()
    found = dossier(registry, find_release(registry, release).digest)
    manifest = read_stored_manifest(registry, found.entry.release.manifest)
    show(
        {**_document(found.entry), "manifest": manifest, **_dossier_document(found)},
        [*_identity(found.entry, manifest), *_evidence(found, registry), *_decisions(found, registry)],
        as_json=json,
    )


def _row(entry: "CatalogueEntry") -> tuple[str, ...]:
    newest = entry.evaluations[-1].report if entry.evaluations else None
    return (
        f"{entry.release.plugin}@{entry.release.version}",
        str(entry.state),
        newest.verdict if newest else "",
        newest.evidence if newest else "",
        entry.earned if newest else "",
        ", ".join(sorted({one.scope for one in entry.approvals})),
        entry.digest[:19],
    )


def _identity(entry: "CatalogueEntry", manifest: "Manifest") -> list[str]:
    release = entry.release
    return [
        f"{manifest.title}  ({release.plugin} {release.version})",
        f"state       {entry.state}",
        f"for         {', '.join(f'{one.area}: {one.disease}' for one in manifest.indications)}",
        f"capability  {', '.join(manifest.capabilities)}; modality {', '.join(manifest.modalities)}",
        f"use         {manifest.attribution.intended_use}",
        f"not for     {manifest.attribution.not_for}",
        f"device      {manifest.attribution.device_status}",
        f"licence     {manifest.attribution.licence}; commercial use {manifest.attribution.commercial_use}",
        f"release     {entry.digest}",
        f"image       {release.image}  ({release.image_name})",
        f"manifest    {release.manifest}",
        *[f"weights     {one.digest}  ({one.name}, {one.bytes} bytes)" for one in release.weights],
        f"io schema   {release.io_schema}",
        f"sbom        {release.sbom}",
        f"source      {release.source_commit or 'no commit stated'}",
    ]


def _evidence(found: "Dossier", registry: "Registry") -> Iterator[str]:
    """Every attempt in the order it was started, then what counts, with the signatures that make it count."""
    from registry.esignature import describe

    yield _said(registry, found.entry.release, "submitted   ")
    for one in found.attempts:
        kit = f"{one.protocol.kit} {one.protocol.version}"
        yield (
            f"attempt     {one.started.attempt} on {kit}, {one.started.subset}, {one.started.cases} cases, "
            f"validation {one.started.validation} by {one.started.actor} at {one.started.at}: {one.ended}"
        )
    for evaluation in found.entry.evaluations:
        report = evaluation.report
        yield (
            f"evaluated   {report.verdict} on {report.evidence} evidence ({_earned(evaluation)}), "
            f"validation {report.validation}"
        )
        yield from (f"  signed    {describe(signature)}" for signature in evaluation.signatures)


def _decisions(found: "Dossier", registry: "Registry") -> Iterator[str]:
    """Approvals, what was decided after them, and the trials that locked the release."""
    entry = found.entry
    for one in entry.approvals:
        yield f"approved    {one.scope}: {one.context_of_use}"
        if one.context is not None:
            said = one.context
            tracer = f" with {said.tracer}" if said.tracer else ""
            yield (
                f"  context   {said.measurand} in {said.population}, {said.modality}{tracer}, "
                f"endpoint {said.endpoint_role}"
            )
        yield f"  evidence  {_earned(entry.evaluation(one.report))}, report {one.report}"
        yield _said(registry, one, "  signed    for approval by ")
    for change in entry.changes:
        yield _said(registry, change, f"{change.verb:<12}")
    if found.recalled is not None:
        lists = found.recalled
        yield (
            f"  concerns  trials {len(lists.trials)}, locks {len(lists.locks)}, sites {len(lists.sites)}, "
            f"runs {len(lists.runs)}, subjects {len(lists.subjects)}; list {lists.digest}"
        )
    for use in found.uses:
        yield (
            f"trial       {use.trial} ({use.scope}), lock {use.sequence} "
            f"{'in force' if use.in_force else 'not in force'}  {use.lock}"
        )


def _said(registry: "Registry", act: "Act", what: str) -> str:
    """Who did it, as signatures are shown (11.50): printed name, role, what it meant, when, and why."""
    name = registry.root.person(act.actor).name
    return f"{what}{name} ({act.role}) - {act.at} - {act.reason}"


def _document(entry: "CatalogueEntry") -> dict[str, object]:
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


def _dossier_document(found: "Dossier") -> dict[str, object]:
    return {
        "submitted": found.entry.release,
        "attempts": [
            {
                "started": one.started,
                "kit": one.protocol.kit,
                "kit_version": one.protocol.version,
                "report": one.report,
                "counts": one.counts,
                "ended": one.ended,
            }
            for one in found.attempts
        ],
        "signatures": [
            {"report": one.digest, "earned": one.earned, "signatures": one.signatures}
            for one in found.entry.evaluations
        ],
        "trials": [
            {
                "trial": one.trial,
                "title": one.title,
                "scope": one.scope,
                "sequence": one.sequence,
                "lock": one.lock,
                "in_force": one.in_force,
            }
            for one in found.uses
        ],
        "recalled": found.recalled,
    }


def _earned(evaluation: "Evaluation") -> str:
    """What the evaluation lets one say, in words that claim no more."""
    return "no claim" if evaluation.earned == "nothing" else evaluation.earned
