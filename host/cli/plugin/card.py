"""``assay plugin explain``: a manifest in words."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, say, show
from host.cli.targets import check_target, write_target
from host.paragraphs import terminal_width


def explain(
    plugin: Annotated[Path, typer.Argument(help="The plugin's folder, or its plugin.toml.")],
    html: Annotated[Path | None, typer.Option(help="Write the card as a page to this file.")] = None,
    json: JsonFlag = False,
) -> None:
    """Tell what a plugin declares, in words: for whom, what goes in and out, when it refuses, what it needs."""
    if html is not None:
        check_target(html, "--html")
    from host.card.read import read_card

    card = read_card(plugin / "plugin.toml" if plugin.is_dir() else plugin)
    if html is not None:
        from host.card.html import card_page

        write_target(html, card_page(card))
        show({"written": html}, [f"wrote {html}"], as_json=json)
        return
    from dataclasses import asdict

    from host.card.text import card_lines

    show(asdict(card), card_lines(card, width=terminal_width()), as_json=json)
    if not json:
        say(f"next: assay plugin check {plugin if plugin.is_dir() else plugin.parent}")
