"""``assay kit schema``: the documents of a kit as JSON Schema, for editors."""

from host.cli.answer import JsonFlag
from host.cli.schemas import NameArgument, OutOption, show_schemas


def schema(name: NameArgument = None, out: OutOption = None, json: JsonFlag = False) -> None:
    """List the JSON Schemas of kit.toml and protocol.toml, print one, or write them to a folder."""
    from host.kits.schema_export import EXPORTED

    show_schemas(EXPORTED, name, out, noun="kit", as_json=json)
