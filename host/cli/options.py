"""Options that several nouns share."""

from typing import Annotated, Literal

import typer

JobsOption = Annotated[
    int,
    typer.Option("--jobs", min=1, max=64, help="Cases at a time, where CPUs, memory and GPUs allow it."),
]
Capability = Literal["detection", "segmentation", "classification", "quantification", "prediction"]
