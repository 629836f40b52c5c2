"""How a release is named on the command line, and what a list of them is narrowed by."""

from typing import Annotated, Literal

import typer

from host.cli.options import Capability

ReleaseArgument = Annotated[str, typer.Argument(help="PLUGIN@VERSION, or the release's digest.")]
AreaOption = Annotated[
    Literal["neurology", "oncology", "cardiology"] | None,
    typer.Option("--area", help="Therapeutic area; what is for every area is found too."),
]
CapabilityOption = Annotated[Capability | None, typer.Option("--capability", help="What its answer is.")]
StateOption = Annotated[
    Literal["submitted", "evaluated", "approved", "suspended", "recalled", "retired"] | None,
    typer.Option("--state", help="Where it stands."),
]
EvidenceOption = Annotated[
    Literal["patient", "derived", "phantom"] | None,
    typer.Option("--evidence", help="Class of a report that counts."),
]
ScopeOption = Annotated[
    Literal["demonstration", "exploratory", "endpoint"] | None,
    typer.Option("--scope", help="Approved for that or more."),
]
