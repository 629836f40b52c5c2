"""``assay plugin``: from an author's folder to a submitted release. One module per group of verbs."""

import typer

from host.cli.plugin import card, case, contract, embedded, exchange, image, release, scaffold, schema

app = typer.Typer(
    help="Check, build, test, run and submit a plugin.", no_args_is_help=True, rich_markup_mode=None
)
# In the order an author needs them, which is the order of ``assay plugin --help``.
app.command("new")(scaffold.new)
app.command("check")(contract.check)
app.command("explain")(card.explain)
app.command("schema")(schema.schema)
app.command("lock")(image.lock)
app.command("build")(image.build)
app.command("digest")(image.digest)
app.command("save")(image.save)
app.command("base")(image.base)
app.command("test")(embedded.test)
app.command("run")(case.run)
app.command("submit")(release.submit)
app.add_typer(exchange.imports, name="import")
app.add_typer(exchange.exports, name="export")
