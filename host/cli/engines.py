"""The engine a command uses, and the line on stderr that says which one ``auto`` is here and why."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import say

if TYPE_CHECKING:
    from host.engines.interface import Engine

EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help="docker, runc, runc-rootless, or auto: docker where its daemon answers and runc where not.",
    ),
]


def connected(name: str, allowed: Collection[str] | None = None) -> "Engine":
    """Connect to the engine called ``name``, ``auto`` included; see `host.engine_choice.choose`."""
    from host.engine_choice import AUTO, choose

    chosen = choose(name, allowed=allowed)
    if name == AUTO:
        say(f"engine: {chosen.engine.name} ({chosen.reason})")
    return chosen.engine
