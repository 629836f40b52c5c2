"""How a release is named on the command line."""

from typing import Annotated

import typer

ReleaseArgument = Annotated[str, typer.Argument(help="PLUGIN@VERSION, or the release's digest.")]
