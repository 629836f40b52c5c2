"""``assay plugin lock``, ``build``, ``digest``, ``save`` and ``base``: from a folder to an image, and where it goes."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, say, show
from host.cli.engines import EngineOption, connected
from host.cli.plugin.options import FolderArgument
from host.cli.targets import check_target


def lock(
    folder: FolderArgument,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Take the newest Python packages; else those locked stay.")
    ] = False,
    json: JsonFlag = False,
) -> None:
    """Pin what the image is made from: Debian packages with all they need, and hashed Python requirements."""
    from host.check.plugin import check_manifest
    from host.home import Home
    from host.plugin_locks import lock_plugin

    manifest = check_manifest(folder)
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
            f"built {made.plugin} {made.version} from {made.way}",
            f"  image     {made.image}  ({made.layer_bytes / 1e6:.0f} MB in {len(made.layers)} layers)",
            *([f"  on        {made.source_image}"] if made.source_image not in {None, made.image} else []),
            f"  manifest  {made.manifest}",
            f"  sbom      {made.sbom}",
            f"  checks    {' '.join(made.checks)}{f', Python {made.python}' if made.python else ''}",
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
    from host.check.plugin import check_plugin
    from host.plugin_image import plugin_image

    built = plugin_image(folder, check_plugin(folder), cache=cache, say=say).built
    show({"image": built.image_id}, [built.image_id], as_json=json)


def save(
    folder: FolderArgument,
    out: Annotated[Path, typer.Option(help="New file to write: a docker archive.")],
    json: JsonFlag = False,
) -> None:
    """Write the built image as a docker archive, to carry it elsewhere; the same image gives the same bytes."""
    check_target(out, "--out", new=True)
    from host.builds import read_build
    from host.check.plugin import check_plugin
    from host.home import Home
    from host.images.archive import save_archive
    from host.images.stored import stored_image
    from registry.blobs import BlobStore

    home = Home.from_environment()
    made = read_build(home, check_plugin(folder), folder)
    save_archive(stored_image(BlobStore(home.path / "blobs"), made.image), out)
    show(
        {"image": made.image, "archive": str(out), "bytes": out.stat().st_size},
        [f"wrote {out}: {made.image}, {out.stat().st_size / 1e6:.0f} MB"],
        as_json=json,
        next_command=f"docker load -i {out}",
    )


def base(json: JsonFlag = False) -> None:
    """Let docker hold this host's base image, and print its name, which a Dockerfile's FROM takes."""
    from host.home import Home
    from host.images.docker_source import have_base

    name = have_base(cache=Home.from_environment().cache)
    show({"name": name}, [name], as_json=json)
