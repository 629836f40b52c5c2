"""What most commands start with: the home, its registry, and the person who acts."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.errors import PassphraseMissingError
from host.home import Home, now

if TYPE_CHECKING:
    from registry.keys import Signer
    from registry.policy import Action
    from registry.registry import Registry

AsOption = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Enrolled id of who acts; their key signs.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the record.")]


@dataclass(frozen=True)
class Actor:
    """An enrolled person acting in a role, with their key unlocked."""

    person: str
    name: str
    role: str
    signer: "Signer"


def open_registry() -> "tuple[Home, Registry]":
    """Open the registry in ASSAY_HOME and verify its trust root."""
    from registry.registry import Registry

    home = Home.from_environment()
    home.require_registry()
    return home, Registry.open(home.path, now)


def key_file(home: Home, person: str) -> Path:
    """Where a person's encrypted key lies in this home."""
    return home.keys / f"{person}.key"


def passphrase(person: str, *, new: bool = False) -> str:
    """A person's pass phrase: from ``ASSAY_PASSPHRASE_<ID>``, or asked for on a terminal.

    Raises
    ------
    PassphraseMissingError
        There is neither.
    """
    variable = "ASSAY_PASSPHRASE_" + person.upper().replace("-", "_")
    given = os.environ.get(variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise PassphraseMissingError(
            f"the pass phrase of {person} is needed",
            subject=person,
            hint=f"run in a terminal, or set {variable}",
        )
    answer: str = typer.prompt(f"pass phrase of {person}", hide_input=True, confirmation_prompt=new, err=True)
    return answer


def unlock(home: Home, person: str) -> "Signer":
    """Open a person's key in this home."""
    from registry.keys import load_private

    return load_private(key_file(home, person), passphrase(person))


def act_as(home: Home, registry: "Registry", person: str, action: "Action") -> Actor:
    """Open a person's key and find the role in which they may do this.

    A person without any such role acts in their first one: the registry refuses, and logs the refusal.
    """
    from registry.policy import ALLOWED

    enrolled = registry.root.person(person)
    allowed = [role for role in enrolled.roles if role in ALLOWED.get(action, frozenset())]
    return Actor(person, enrolled.name, str((allowed or list(enrolled.roles))[0]), unlock(home, person))


def stamp() -> str:
    """The present as records write it."""
    return now().isoformat(timespec="milliseconds")
