"""What the verbs of ``assay plugin`` have in common: the folder, and the engine."""

from pathlib import Path
from typing import Annotated

import typer

FolderArgument = Annotated[Path, typer.Argument(help="The plugin's folder, with plugin.toml.")]
EngineOption = Annotated[str, typer.Option("--engine", help="Container engine.")]
