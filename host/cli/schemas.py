"""How a noun shows its JSON Schemas: listed, printed, or written to a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import show, table

if TYPE_CHECKING:
    from plugin_spec.schema_export import Exported

NameArgument = Annotated[str | None, typer.Argument(help="One schema; all of them unless given.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder to write NAME.schema.json files to.")]


def show_schemas(
    exported: "Sequence[Exported]", name: str | None, out: Path | None, *, noun: str, as_json: bool
) -> None:
    """Answer ``assay NOUN schema``.

    Parameters
    ----------
    exported : sequence of Exported
    name : str or None
        One of them.
    out : Path or None
        A folder to write to.
    noun : str
        Whose command it is.
    as_json : bool

    Raises
    ------
    OptionError
        There is no such schema, or no such folder.
    """
    from host.errors import OptionError
    from plugin_spec.files import write_atomic
    from plugin_spec.schema_export import schema_bytes, schema_of

    chosen = [one for one in exported if name in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in exported)
        raise OptionError(f"there is no schema {name!r}", subject=str(name), hint=f"one of: {known}")
    if out is not None:
        if not out.is_dir():
            raise OptionError(f"--out {out}: no such folder", subject=str(out), hint="make it first")
        for one in chosen:
            write_atomic(out / one.file_name, schema_bytes(one))
        written = [str(out / one.file_name) for one in chosen]
        show({"written": written}, [f"wrote {path}" for path in written], as_json=as_json)
    elif name is not None:
        show(schema_of(chosen[0]), [schema_bytes(chosen[0]).decode().rstrip("\n")], as_json=as_json)
    else:
        rows = [(one.name, one.id, one.title) for one in chosen]
        listed = [{"name": one.name, "id": one.id, "title": one.title} for one in chosen]
        following = f"assay {noun} schema NAME"
        show(listed, table(("name", "$id", "title"), rows), as_json=as_json, next_command=following)
