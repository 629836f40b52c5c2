"""What the verbs of ``assay plugin`` have in common: the folder."""

from pathlib import Path
from typing import Annotated

import typer

FolderArgument = Annotated[Path, typer.Argument(help="The plugin's folder, with plugin.toml.")]
