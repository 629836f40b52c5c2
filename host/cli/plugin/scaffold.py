"""``assay plugin new``: a plugin that works, to be changed into one's own."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, show
from host.cli.options import Capability
from host.cli.targets import check_target


def new(
    name: Annotated[str, typer.Argument(help="Identifier of the plugin, and name of the folder to make.")],
    capability: Annotated[Capability, typer.Option(help="What the plugin does.")],
    tool: Annotated[
        bool, typer.Option("--tool", help="Wrap the command of a tool that is not Python; no adapter.")
    ] = False,
    into: Annotated[Path, typer.Option(help="Folder to make it in.")] = Path(),
    json: JsonFlag = False,
) -> None:
    """Write a new plugin that passes check, build, test and run as it stands."""
    folder = into / name
    check_target(folder, "NAME", new=True)
    from host.scaffold.folder import write_plugin

    files = write_plugin(into, name, capability, tool=tool)
    show(
        {"plugin": name, "folder": str(folder), "files": files},
        [
            f"wrote {folder}: a plugin for {capability} that works as it stands",
            *[f"  {one}" for one in files],
            'Replace the example by your algorithm, and every text that begins with "FILL IN:".',
        ],
        as_json=json,
        next_command=f"assay plugin check {folder}",
    )
