"""``assay catalogue approve``."""

from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, show
from host.cli.catalogue.names import ReleaseArgument

if TYPE_CHECKING:
    from registry.statements import ContextOfUse


def approve(
    release: ReleaseArgument,
    report: Annotated[str, typer.Option(help="Id of the validation whose signed report supports this.")],
    scope: Annotated[str, typer.Option(help="demonstration, exploratory or endpoint.")],
    use: Annotated[str, typer.Option(help="Context of use that is approved, in words.")],
    person: session.AsOption,
    measurand: Annotated[str | None, typer.Option(help="What is measured; needed for endpoints.")] = None,
    population: Annotated[str | None, typer.Option(help="In whom; needed for endpoints.")] = None,
    modality: Annotated[str | None, typer.Option(help="On which images: MR, CT, PT.")] = None,
    tracer: Annotated[str | None, typer.Option(help="With which tracer or contrast.")] = None,
    endpoint_role: Annotated[
        str | None, typer.Option(help="As which endpoint: primary, secondary, exploratory or none.")
    ] = None,
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

    fields = {
        "measurand": measurand,
        "population": population,
        "modality": modality,
        "tracer": tracer,
        "endpoint_role": endpoint_role,
    }
    context = _context({name: text for name, text in fields.items() if text is not None})
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
            context=context,
        ),
        actor.signer,
        [("release", found.digest), ("report", evidence.digest)],
    )
    entry = registry.catalogue()[found.digest]
    show(
        {"decision": record.digest, "release": found.digest, "scope": scope, "earned": entry.earned},
        [
            f"approved {release} for {scope} by {actor.name}",
            f"  evidence  {entry.evaluation(evidence.digest).earned}",
            f"  log entry {record.sequence}, {record.logged_at}",
        ],
        as_json=json,
        next_command="assay trial create TRIAL --title TEXT --scope " + f"{scope} --as PERSON",
    )


def _context(given: dict[str, str]) -> "ContextOfUse | None":
    """The context in fields, or none at all; what is missing of it is named."""
    from host.errors import OptionError
    from host.signing import typed
    from registry.statements import ContextOfUse

    if not given:
        return None
    missing = {"measurand", "population", "modality", "endpoint_role"} - set(given)
    if missing:
        option = "--" + sorted(missing)[0].replace("_", "-")
        raise OptionError(f"a context of use needs {option} too", subject=option)
    return typed(ContextOfUse, **given)
