"""``assay catalogue``: what each release has earned, and what was decided about it. One module per group of verbs."""

import typer

from host.cli.catalogue import approval, listing, standing

app = typer.Typer(
    help="List, show, approve, suspend and recall releases.", no_args_is_help=True, rich_markup_mode=None
)
app.command("list")(listing.list_releases)
app.command("show")(listing.show_release)
app.command("approve")(approval.approve)
app.command("suspend")(standing.suspend)
app.command("reinstate")(standing.reinstate)
app.command("impact")(standing.impact)
app.command("recall")(standing.recall)
app.command("retire")(standing.retire)
