"""``assay kit``: from the folder of a kit's author to a registered protocol. One module per group of verbs."""

import typer

from host.cli.kit import (
    contract,
    deviation,
    registration,
    sample_size,
    scaffold,
    schema,
    self_test,
    shown,
    sources,
)
from host.cli.nouns import QuickGroup

app = typer.Typer(
    help="Check, show and register validation kits.", no_args_is_help=True, rich_markup_mode=None
)
# In the order an author needs them, which is the order of ``assay kit --help``.
app.command("new")(scaffold.new)
app.add_typer(sample_size.app, name="sample-size", cls=QuickGroup)
app.command("check")(contract.check)
app.command("schema")(schema.schema)
app.command("fetch")(sources.fetch)
app.command("show")(shown.show_kit)
app.command("register")(registration.register)
app.command("deviate")(deviation.deviate)
app.command("list")(registration.list_kits)
app.command("self-test")(self_test.self_test)
