"""``assay kit new``: a kit that works, to be changed into one's own."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, show
from host.cli.options import Capability
from host.cli.targets import check_target


def new(
    name: Annotated[str, typer.Argument(help="Identifier of the kit, and name of the folder to make.")],
    capability: Annotated[Capability, typer.Option(help="What the plugins it judges do.")],
    into: Annotated[Path, typer.Option(help="Folder to make it in.")] = Path(),
    json: JsonFlag = False,
) -> None:
    """Write a new kit that checks as it stands, and judges what ``assay plugin new`` writes for the same capability."""
    folder = into / name
    check_target(folder, "NAME", new=True)
    from host.scaffold.folder import write_kit

    files = write_kit(into, name, capability)
    show(
        {"kit": name, "folder": str(folder), "files": files},
        [
            f"wrote {folder}: a kit for {capability} whose five cases are phantoms, no person's",
            *[f"  {one}" for one in files],
            'Replace the phantoms by your cases, and every text that begins with "FILL IN:".',
        ],
        as_json=json,
        next_command=f"assay kit check {folder}",
    )
