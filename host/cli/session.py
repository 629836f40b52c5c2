"""What most commands start with: the home, its registry, and the person who acts."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import say
from host.errors import OptionError, PassphraseMissingError
from host.home import Home, now, random_bytes

if TYPE_CHECKING:
    from host.series import Series
    from registry.keys import Signer
    from registry.policy import Action
    from registry.registry import Registry
    from registry.trust_root import TrustRoot

PERSON_ID = re.compile(r"[a-z0-9][a-z0-9-]{1,62}")
# The series that gave the id to the command that runs; None where the id was given with it.
_continued: "ContextVar[Series | None]" = ContextVar("continued", default=None)


def _of_the_series() -> str:
    """The id given at the first signing of the open series, for a command without ``--as``.

    Raises
    ------
    OptionError
        No series is open in this login.
    """
    from host.series import find

    home = Home.from_environment()
    series = find(home.path, now())
    if series is None:
        raise OptionError(
            "--as PERSON is needed: no series of signings is open here",
            hint="a series begins with id and pass phrase, and ends some minutes after its last signing",
        )
    _continued.set(series)
    return series.person


AsOption = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="PERSON",
        help="Enrolled id of who acts; their key signs. May be left out within a series of signings.",
        default_factory=_of_the_series,
        show_default=False,
    ),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept in the record.")]


@dataclass(frozen=True)
class Actor:
    """An enrolled person acting in a role, with their key unlocked."""

    person: str
    name: str
    role: str
    signer: "Signer"
    authentication: str = "key file and passphrase"


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
    return _secret(person, "ASSAY_PASSPHRASE_", f"pass phrase of {person}", twice=new)


def _secret(person: str, prefix: str, prompt: str, *, twice: bool) -> str:
    variable = prefix + person.upper().replace("-", "_")
    given = os.environ.get(variable)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise PassphraseMissingError(
            f"the {prompt} is needed", subject=person, hint=f"run in a terminal, or set {variable}"
        )
    answer: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
    return answer


def new_passphrase(person: str) -> str:
    """The pass phrase to change to: from ``ASSAY_NEW_PASSPHRASE_<ID>``, or asked for twice on a terminal."""
    return _secret(person, "ASSAY_NEW_PASSPHRASE_", f"new pass phrase of {person}", twice=True)


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
    """Open a person's key wherever they are: at a registry attempts are counted, elsewhere nobody could."""
    from registry.keys import load_private

    path = enrolled_file(home, person, *roots, used=used)
    if home.is_registry:
        return unlock_here(home, open_registry()[1], person, path=path)
    return load_private(path, passphrase(person))


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
    from registry.policy import ALLOWED, Action

    enrolled = registry.root.person(person)
    allowed = [role for role in enrolled.roles if role in ALLOWED.get(action, frozenset())]
    # An aged pass phrase signs nothing but its own change.
    signer = unlock_here(home, registry, person, ageing=action != Action.PASSPHRASE_CHANGE)
    role = str((allowed or list(enrolled.roles))[0])
    return Actor(person, enrolled.name, role, signer, _authenticated(home, registry, person))


def unlock_here(
    home: Home, registry: "Registry", person: str, *, ageing: bool = True, path: Path | None = None
) -> "Signer":
    """Open a person's key at a registry: attempts are counted in its log, and the age of the pass phrase is looked at.

    Raises
    ------
    WrongPassphraseError, SigningLockedError, PassphraseExpiredError
        Logged as refusals. The first breaks the series of signings.
    """
    from host.series import end
    from registry.access import SIGNING, check_age, check_open
    from registry.errors import WrongPassphraseError
    from registry.keys import load_private

    with registry.refusals_logged(SIGNING, person):
        lately = check_open(registry, person)
    path, given = path or enrolled_file(home, person, registry.root), passphrase(person)
    try:
        signer = load_private(path, given)
    except WrongPassphraseError as error:
        end(home.path)
        with registry.refusals_logged(SIGNING, person):
            # The record names the person, not a path of this machine.
            raise WrongPassphraseError(
                f"the pass phrase of {person} is wrong", subject=person, hint=error.hint
            ) from error
    with registry.refusals_logged(SIGNING, person):
        if ageing and signer.public in registry.root.keys().values():
            warning = check_age(registry, person, signer.public.keyid)
            if warning:
                say(f"warning: {warning}")
    if lately:
        say(
            f"warning: {len(lately)} wrong pass phrases in the name of {person}, last {lately[0].isoformat()}"
        )
    return signer


def _authenticated(home: Home, registry: "Registry", person: str) -> str:
    """What the person gave for this signing, as signatures record it; the series begins or goes on."""
    from host.series import keep
    from registry.esignature import FIRST_OF_SERIES, within_series

    series = keep(home.path, person, now(), registry.root.signing_policy.series_minutes)
    return FIRST_OF_SERIES if _continued.get() is None else within_series(series.begun)


def stamp() -> str:
    """The present as records write it."""
    return now().isoformat(timespec="milliseconds")
