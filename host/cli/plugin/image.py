"""``assay plugin build`` and ``digest``: from a folder to an image."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, say, show
from host.cli.engines import EngineOption, connected
from host.cli.plugin.options import FolderArgument


def lock(
    folder: FolderArgument,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest Python packages; else those locked stay.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Pin what the image is made from: Debian packages with all they need, and hashed Python requirements."""
    from host.home import Home
    from host.plugin_locks import lock_plugin
    from plugin_spec.manifest import read_manifest

    manifest = read_manifest(folder / "plugin.toml")
    locked = lock_plugin(folder, manifest, cache=Home.from_environment().cache, upgrade=upgrade)
    lines = [f"{manifest.id} {manifest.version}: the manifest names nothing to lock"] if not locked else []
    for one in locked:
        lines.append(f"wrote {folder / one.file}: {one.packages} packages, {len(one.changes)} changed")
        lines += [f"  {change}" for change in one.changes]
    show(
        {"locked": [vars(one) for one in locked]},
        lines,
        as_json=json,
        next_command=f"assay plugin build {folder}",
    )


def build(folder: FolderArgument, engine: EngineOption = "auto", json: JsonFlag = False) -> None:
    """Build the image, reproducibly, and keep every piece by digest."""
    from host import builds
    from host.home import Home

    made = builds.build(Home.from_environment(), folder, connected(engine), say=say)
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


def digest(
    folder: FolderArgument,
    cache: Annotated[Path, typer.Option(help="Cache folder to use; an empty one builds from nothing.")],
    json: JsonFlag = False,
) -> None:
    """Build the image alone and print its config digest, to show that a build is reproducible."""
    from host.builds import check_plugin
    from host.plugin_image import plugin_image

    built = plugin_image(folder, check_plugin(folder), cache=cache)
    show({"image": built.image_id}, [built.image_id], as_json=json)
