"""``assay plugin schema``: the contract as JSON Schema, for editors and programs in other languages."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, show, table


def schema(
    name: Annotated[str | None, typer.Argument(help="One schema; all of them unless given.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write NAME.schema.json files to.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the contract's JSON Schemas, print one, or write them to a folder."""
    from host.errors import OptionError
    from plugin_spec.files import write_atomic
    from plugin_spec.schema_export import EXPORTED, schema_bytes, schema_of

    chosen = [one for one in EXPORTED if name in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in EXPORTED)
        raise OptionError(f"there is no schema {name!r}", subject=str(name), hint=f"one of: {known}")
    if out is not None:
        if not out.is_dir():
            raise OptionError(f"--out {out}: no such folder", subject=str(out), hint="make it first")
        for one in chosen:
            write_atomic(out / one.file_name, schema_bytes(one))
        written = [str(out / one.file_name) for one in chosen]
        show({"written": written}, [f"wrote {path}" for path in written], as_json=json)
    elif name is not None:
        show(schema_of(chosen[0]), [schema_bytes(chosen[0]).decode().rstrip("\n")], as_json=json)
    else:
        rows = [(one.name, one.id, one.title) for one in chosen]
        listed = [{"name": one.name, "id": one.id, "title": one.title} for one in chosen]
        show(
            listed,
            table(("name", "$id", "title"), rows),
            as_json=json,
            next_command="assay plugin schema NAME",
        )
