"""Arguments that several verbs of ``assay kit`` take."""

from pathlib import Path
from typing import Annotated

import typer

FolderArgument = Annotated[Path, typer.Argument(help="The kit's folder, with kit.toml.")]
