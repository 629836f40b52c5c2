"""``assay plugin``: from an author's folder to a submitted release."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, conclude, say, show, table
from host.cli.targets import check_target

if TYPE_CHECKING:
    from host.embedded_tests import TestOutcome

app = typer.Typer(
    help="Check, build, test, run and submit a plugin.", no_args_is_help=True, rich_markup_mode=None
)

FolderArgument = Annotated[Path, typer.Argument(help="The plugin's folder, with plugin.toml.")]
EngineOption = Annotated[str, typer.Option("--engine", help="Container engine.")]


@app.command()
def check(folder: FolderArgument, json: JsonFlag = False) -> None:
    """Check a manifest and the files it names; runs nothing."""
    from host.builds import check_plugin

    manifest = check_plugin(folder)
    show(
        {"plugin": manifest.id, "version": manifest.version, "checked": True},
        [
            f"{manifest.id} {manifest.version}: {manifest.title}",
            f"  in   {', '.join(f'{port.name} ({port.kind})' for port in manifest.inputs)}",
            f"  out  {', '.join(f'{port.name} ({port.kind})' for port in manifest.outputs)}",
            f"  domain rules {len(manifest.domain)}, embedded tests {len(manifest.tests)}: fits the contract",
        ],
        as_json=json,
        next_command=f"assay plugin build {folder}",
    )


@app.command()
def build(folder: FolderArgument, engine: EngineOption = "docker", json: JsonFlag = False) -> None:
    """Build the image, reproducibly, and keep every piece by digest."""
    from host import builds, extensions
    from host.home import Home

    made = builds.build(Home.from_environment(), folder, extensions.connect(engine), say=say)
    show(
        made,
        [
            f"built {made.plugin} {made.version}",
            f"  image     {made.image}  ({made.layer_bytes / 1e6:.0f} MB in {len(made.layers)} layers)",
            f"  manifest  {made.manifest}",
            f"  sbom      {made.sbom}",
            *[f"  weights   {one.digest}  {one.name}" for one in made.weights],
        ],
        as_json=json,
        next_command=f"assay plugin test {folder}",
    )


@app.command()
def digest(
    folder: FolderArgument,
    cache: Annotated[Path, typer.Option(help="Cache folder to use; an empty one builds from nothing.")],
    json: JsonFlag = False,
) -> None:
    """Build the image alone and print its config digest, to show that a build is reproducible."""
    from host.builds import build_image, check_plugin

    built = build_image(folder, check_plugin(folder), cache=cache)
    show({"image": built.image_id}, [built.image_id], as_json=json)


@app.command()
def test(folder: FolderArgument, engine: EngineOption = "docker", json: JsonFlag = False) -> int:
    """Run the manifest's embedded tests in the built image; nothing is recorded."""
    from host import embedded_tests, extensions
    from host.errors import EmbeddedTestError
    from host.home import Home

    outcomes = embedded_tests.run_all(Home.from_environment(), folder, extensions.connect(engine), say=say)
    failed = [one for one in outcomes if one.fault]
    show({"tests": [vars(one) for one in outcomes], "failed": len(failed)}, _lines(outcomes), as_json=json)
    if failed:
        message = f"{len(failed)} of {len(outcomes)} embedded tests do not hold"
        return conclude(EmbeddedTestError(message, subject=failed[0].name))
    if not json:
        say(f"next: assay plugin submit {folder} --as PERSON")
    return 0


@app.command()
def run(
    folder: FolderArgument,
    inputs: Annotated[list[str], typer.Option("--input", metavar="PORT=FILE", help="One per input port.")],
    out: Annotated[Path, typer.Option(help="New folder for the outputs.")],
    parameter: Annotated[list[str] | None, typer.Option("--parameter", metavar="NAME=VALUE")] = None,
    engine: EngineOption = "docker",
    json: JsonFlag = False,
) -> int:
    """Run the built plugin on one case, for its author; nothing is recorded and nothing is evidence."""
    check_target(out, "--out", new=True)
    from host import extensions, workbench
    from host.cli.values import parse_pairs, parse_parameters
    from host.home import Home

    answer = workbench.run_once(
        Home.from_environment(),
        folder,
        extensions.connect(engine),
        inputs={port: Path(path) for port, path in parse_pairs(inputs, "--input").items()},
        parameters=parse_parameters(parameter or []),
        out=out,
    )
    rows = [(one.port, one.column, f"{one.value}", one.unit or "") for one in answer.measured]
    show(
        {
            "outcome": answer.execution.outcome,
            "reason_code": answer.execution.reason_code,
            "message": answer.execution.message,
            "measured": answer.measured,
            "outputs": answer.files,
        },
        [
            f"{answer.execution.outcome} {answer.execution.reason_code} {answer.execution.message}".rstrip(),
            *table(("port", "column", "value", "unit"), rows),
            *[f"wrote {path}" for path in answer.files],
        ],
        as_json=json,
    )
    return conclude(answer.fault())


@app.command()
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
    from host.builds import check_plugin, read_build
    from host.signing import typed
    from registry.policy import Action
    from registry.statements import Release

    home, registry = session.open_registry()
    made = read_build(home, check_plugin(folder), folder)
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


def _lines(outcomes: "tuple[TestOutcome, ...]") -> list[str]:
    return table(
        ("test", "expected", "outcome", "result"),
        [(one.name, one.expected, one.outcome, one.fault or "holds") for one in outcomes],
    )
