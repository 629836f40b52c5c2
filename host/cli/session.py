"""What most commands start with: the home, its registry, and the person who acts."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.errors import OptionError, PassphraseMissingError
from host.home import Home, now, random_bytes

if TYPE_CHECKING:
    from registry.keys import Signer
    from registry.policy import Action
    from registry.registry import Registry
    from registry.trust_root import TrustRoot

PERSON_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
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
    """Where a person's encrypted key lies in this home.

    Raises
    ------
    OptionError
        The id cannot be one, and so must not become a path.
    """
    if not PERSON_ID.fullmatch(person):
        raise OptionError(
            f"{person!r} is no id", subject=person, hint="2 to 63 lower-case letters, digits and hyphens"
        )
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


@contextmanager
def new_key(
    home: Home, person: str, algorithm: str = "ed25519", *, following: bool = False
) -> "Iterator[Signer]":
    """Make a person's key and store it under a new pass phrase; it is removed if the block fails.

    The key is on disk before anything is logged that names it, so that no logged key can be without its file. One that
    follows another has its id in the file's name: the one before stays until the trust root has changed.
    """
    from host.enrolment import read_algorithm
    from registry.keys import generate, save_private

    path, signer = key_file(home, person), generate(random_bytes, read_algorithm(algorithm))
    if following:
        path = following_file(home, person, signer.public.keyid)
    save_private(path, signer, passphrase(person, new=True))
    try:
        yield signer
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def following_file(home: Home, person: str, keyid: str) -> Path:
    """Where a key lies that replaced a person's first one."""
    return key_file(home, person).with_name(f"{person}.{keyid[:16]}.key")


def enrolled_file(home: Home, person: str, *roots: "TrustRoot", used: frozenset[str] = frozenset()) -> Path:
    """The file of a key under which a person is enrolled, and not used yet; their first where no other is."""
    for root in roots:
        for one in root.people:
            for key in one.keys if one.id == person else ():
                path = following_file(home, person, key.keyid)
                if key.keyid not in used and path.exists():
                    return path
    return key_file(home, person)


def unlock(home: Home, person: str, *roots: "TrustRoot", used: frozenset[str] = frozenset()) -> "Signer":
    """Open the key in this home under which a person is enrolled."""
    from registry.keys import load_private

    return load_private(enrolled_file(home, person, *roots, used=used), passphrase(person))


@contextmanager
def refusals_logged(home: Home, attempted: str, by: str) -> "Iterator[None]":
    """Log what is refused inside the block where this home has a registry; a holder's own machine may have none."""
    if not home.is_registry:
        yield
        return
    _, registry = open_registry()
    with registry.refusals_logged(attempted, by):
        yield


def act_as(home: Home, registry: "Registry", person: str, action: "Action") -> Actor:
    """Open a person's key and find the role in which they may do this.

    A person without any such role acts in their first one: the registry refuses, and logs the refusal.
    """
    from registry.policy import ALLOWED

    enrolled = registry.root.person(person)
    allowed = [role for role in enrolled.roles if role in ALLOWED.get(action, frozenset())]
    signer = unlock(home, person, registry.root)
    return Actor(person, enrolled.name, str((allowed or list(enrolled.roles))[0]), signer)


def stamp() -> str:
    """The present as records write it."""
    return now().isoformat(timespec="milliseconds")
