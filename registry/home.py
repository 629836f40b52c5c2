"""The folder of one registry: where its parts lie, and the small file that says what it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from plugin_spec.files import write_atomic
from plugin_spec.model import Identifier, StrictModel, first_fault
from registry.canonical import Digest, canonical_json, parse_json
from registry.errors import RegistryStateError, ValueRefusedError

if TYPE_CHECKING:
    from registry.database import Database, Place

DATABASE = "registry.db"
NODE_KEY = "node.key"
DESCRIPTION = "registry.json"
URL_OPTIONS = frozenset({"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"})


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    _ = parts.port  # raises where it is no number
    if parts.scheme != "postgresql" or not parts.username or not parts.path.strip("/"):
        raise ValueError("write it as postgresql://ROLE@HOST/DATABASE")
    if parts.password is not None:
        raise ValueError("leave the pass word out: it comes from PGPASSWORD or .pgpass")
    if unknown := {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} - URL_OPTIONS:
        raise ValueError(
            f"{', '.join(sorted(unknown))}: only {', '.join(sorted(URL_OPTIONS))} may follow the ?"
        )
    return url


DatabaseUrl = Annotated[str, AfterValidator(_checked_url)]


class HomeDescription(StrictModel):
    """What ``registry.json`` says.

    ``trust_root`` is the pinned digest, None before a site's first import; ``database`` is where the log is, None for
    the file beside it.
    """

    contract: Literal["assay.registry/1"] = "assay.registry/1"
    kind: Literal["sponsor", "site"]
    node_id: Identifier
    origin: str
    organisation: str | None
    trust_root: Digest | None
    database: DatabaseUrl | None = Field(default=None, exclude_if=lambda url: url is None)


def prepare(home: Path) -> None:
    """Make the empty folders of a new home. Raises `RegistryStateError` where something is there already."""
    for name in (DESCRIPTION, DATABASE, NODE_KEY):
        if (home / name).exists():
            raise RegistryStateError(
                f"{home / name}: exists already", subject=str(home), hint="choose an empty folder"
            )
    try:
        for folder in (home, home / "blobs", home / "keys"):
            folder.mkdir(parents=True, exist_ok=True)
        (home / "keys").chmod(0o700)
    except OSError as error:
        raise RegistryStateError(f"{home}: {error.strerror}", subject=str(home)) from error


def describe(home: Path, description: HomeDescription) -> None:
    """Write ``registry.json``."""
    write_atomic(home / DESCRIPTION, canonical_json(description.model_dump(mode="json")) + b"\n")


def read(home: Path) -> HomeDescription:
    """Read ``registry.json``. Raises `RegistryStateError`."""
    path = home / DESCRIPTION
    try:
        raw = parse_json(path.read_bytes(), where=str(path), limit=64 * 1024)
        return HomeDescription.model_validate_json(canonical_json(raw))
    except FileNotFoundError as error:
        raise RegistryStateError(
            f"{home}: no registry here", subject=str(home), hint="assay trust init"
        ) from error
    except OSError as error:
        raise RegistryStateError(f"{path}: {error.strerror}", subject=str(path)) from error
    except ValidationError as error:
        raise RegistryStateError(f"{path}: {first_fault(error)}", subject=str(path)) from error


def place_of(home: Path, description: HomeDescription) -> "Place":
    """Where the log of a home is: a file in it, or a URL."""
    return description.database or home / DATABASE


def database_of(home: Path, admin: str | None = None) -> "Database":
    """The database of a home, whatever its schema. Raises `RegistryStateError`."""
    from registry.database import Database

    return Database.open_any(place_of(home, read(home)), checked_url(admin))


def checked_url(url: str | None) -> str | None:
    """A database URL from outside, as it is. Raises `ValueRefusedError`."""
    try:
        return None if url is None else TypeAdapter(DatabaseUrl).validate_python(url)
    except ValidationError as error:
        # Not the URL itself: it may hold a pass word.
        raise ValueRefusedError(f"database URL: {first_fault(error)}", subject="database") from None
