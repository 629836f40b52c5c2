"""Read what somebody gives about a person or a site to be enrolled."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from host.errors import EnrolmentError
from plugin_spec.model import first_fault
from registry.algorithms import Algorithm
from registry.keys import PublicKey
from registry.trust_root import NODES, Person, Role, SigningPolicy

MAX_KEY_FILE_BYTES = 4096


def read_public_key(path: Path) -> PublicKey:
    """Read the public key file that ``assay trust join`` wrote.

    Raises
    ------
    EnrolmentError
        No such file, or not such a key.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_KEY_FILE_BYTES)
        return PublicKey.model_validate_json(data)
    except OSError as error:
        raise EnrolmentError(f"{path}: {error.strerror}", subject=str(path)) from error
    except ValidationError as error:
        raise EnrolmentError(
            f"{path}: not a public key file: {first_fault(error)}", subject=str(path)
        ) from error


def read_algorithm(word: str) -> Algorithm:
    """Read what a new key is to be for. Raises `EnrolmentError`."""
    known: tuple[Algorithm, ...] = get_args(Algorithm)
    for one in known:
        if word == one:
            return one
    raise EnrolmentError(f"--algorithm {word!r}: one of {', '.join(known)}", subject=word)


def read_thresholds(words: Sequence[str]) -> dict[Role, int]:
    """Read thresholds such as ``root=2``.

    Raises
    ------
    EnrolmentError
        No such role, no number, or one role twice.
    """
    found: dict[Role, int] = {}
    for word in words:
        role, _, count = word.partition("=")
        if role not in set(Role) or not count.isdecimal() or Role(role) in found:
            raise EnrolmentError(
                f"--threshold {word!r}: a role and how many of its persons, once each, as in root=2",
                subject=word,
            )
        found[Role(role)] = int(count)
    return found


def read_signing(policy: SigningPolicy, words: Sequence[str]) -> SigningPolicy | None:
    """Read changes of the signing policy such as ``attempts=3``; None where there are none.

    Raises
    ------
    EnrolmentError
        No such part of it, no number, or one out of its range.
    """
    if not words:
        return None
    given = dict(word.partition("=")[::2] for word in words)
    try:
        changed = {name: int(count) for name, count in given.items()}
        return SigningPolicy.model_validate({**policy.model_dump(), **changed})
    except ValidationError as error:
        raise EnrolmentError(f"--signing {first_fault(error)}", subject="signing") from error
    except ValueError as error:
        raise EnrolmentError(
            f"--signing {' '.join(words)!r}: name=number, as in attempts=3", subject="signing"
        ) from error


def new_person(person_id: str, name: str, roles: Sequence[str], key: PublicKey) -> Person:
    """Check a person's id, name and roles.

    Raises
    ------
    EnrolmentError
        One of them is not allowed; the field is named.
    """
    try:
        return Person.model_validate(
            {"id": person_id, "name": name, "roles": tuple(roles), "keys": (key,)}, strict=False
        )
    except ValidationError as error:
        raise EnrolmentError(f"{person_id}: {first_fault(error)}", subject=person_id) from error


def with_key(person: Person, key: PublicKey) -> Person:
    """The person with one key in place of all they had. Raises `EnrolmentError` for a key that cannot be theirs."""
    return new_person(person.id, person.name, person.roles, key)


def check_person(person: Person) -> None:
    """Refuse to make a key here for a log or a site. Raises `EnrolmentError`."""
    if NODES & set(person.roles):
        raise EnrolmentError(
            f"{person.id} is a {', '.join(person.roles)}: it makes its own key",
            subject=person.id,
            hint="at the site: assay trust join --site ID --out FILE; here: --public-key FILE",
        )
