"""``assay plugin schema``: the contract as JSON Schema, for editors and programs in other languages."""

from host.cli.answer import JsonFlag
from host.cli.schemas import NameArgument, OutOption, show_schemas


def schema(name: NameArgument = None, out: OutOption = None, json: JsonFlag = False) -> None:
    """List the contract's JSON Schemas, print one, or write them to a folder."""
    from plugin_spec.schema_export import EXPORTED

    show_schemas(EXPORTED, name, out, noun="plugin", as_json=json)
