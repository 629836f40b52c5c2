"""The documents of a kit as JSON Schema (draft 2020-12), as `plugin_spec.schema_export` has those of a plugin."""

from typing import Final

from host.kits.declaration import CURRENT, Kit
from host.validation.protocol import Protocol
from plugin_spec.schema_export import Exported

EXPORTED: Final = (
    Exported("kit", CURRENT, "Declarations of a validation kit (kit.toml)", Kit, has_null=False),
    Exported(
        "protocol",
        "assay.protocol/2",
        "Pre-registered plan of a validation kit (protocol.toml)",
        Protocol,
        has_null=False,
    ),
)
