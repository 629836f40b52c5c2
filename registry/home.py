"""The folder of one registry: where its parts lie, and the small file that says what it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from plugin_spec.files import write_atomic
from plugin_spec.model import Identifier, StrictModel, first_fault
from registry.canonical import Digest, canonical_json, parse_json
from registry.errors import RegistryStateError

if TYPE_CHECKING:
    from registry.database import Database

DATABASE = "registry.db"
NODE_KEY = "node.key"
DESCRIPTION = "registry.json"


class HomeDescription(StrictModel):
    """What ``registry.json`` says; ``trust_root`` is the pinned digest, None before a site's first import."""

    contract: Literal["assay.registry/1"] = "assay.registry/1"
    kind: Literal["sponsor", "site"]
    node_id: Identifier
    origin: str
    organisation: str | None
    trust_root: Digest | None


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


def database_of(home: Path) -> "Database":
    """The database of a home, whatever its schema. Raises `RegistryStateError`."""
    from registry.database import Database

    read(home)
    return Database.open_any(home / DATABASE)
