"""``assay plugin submit``: a build becomes a signed release."""

from typing import Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, show
from host.cli.plugin.options import FolderArgument


def submit(
    folder: FolderArgument,
    person: session.AsOption,
    reason: session.ReasonOption = "submission",
    commit: Annotated[
        str | None, typer.Option("--commit", help="Source commit the folder was taken from.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Sign the build as a release and log it: its image, manifest, weights and SBOM by digest."""
    from host.builds import read_build
    from host.check.plugin import check_for_submission
    from host.signing import typed
    from registry.policy import Action
    from registry.statements import Release

    home, registry = session.open_registry()
    made = read_build(home, check_for_submission(folder), folder)
    actor = session.act_as(home, registry, person, Action.PLUGIN_SUBMIT)
    record = registry.act(
        typed(
            Release,
            actor=actor.person,
            role=actor.role,
            at=session.stamp(),
            reason=reason,
            plugin=made.plugin,
            version=made.version,
            image=made.image,
            image_name=made.image_name,
            manifest=made.manifest,
            io_schema=made.io_schema,
            sbom=made.sbom,
            weights=made.weights,
            source_commit=commit,
        ),
        actor.signer,
        [("image", made.image), ("manifest", made.manifest), ("sbom", made.sbom)],
    )
    show(
        {"release": record.digest, "plugin": made.plugin, "version": made.version, "entry": record.sequence},
        [
            f"submitted {made.plugin} {made.version} by {actor.name}",
            f"  release {record.digest}, log entry {record.sequence}",
        ],
        as_json=json,
        next_command=f"assay validate {made.plugin}@{made.version} --kit KIT --as PERSON",
    )
