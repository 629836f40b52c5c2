"""Read a manifest and write its card."""

from hashlib import sha256
from pathlib import Path

from host.card.compose import compose
from host.card.model import Card
from plugin_spec.errors import ContractError
from plugin_spec.manifest import Manifest
from plugin_spec.model import parse_toml, read_document
from plugin_spec.review import REVIEW
from plugin_spec.rules import faults_of


def read_card(path: Path) -> Card:
    """The card of a ``plugin.toml``.

    Raises
    ------
    ContractError
        It is no manifest; one line with file, field and fault.
    """
    data = read_document(path, error=ContractError)
    manifest = parse_toml(data, path, Manifest, error=ContractError)
    return compose(manifest, digest=f"sha256:{sha256(data).hexdigest()}", remarks=faults_of(manifest, REVIEW))
