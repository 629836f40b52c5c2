"""``assay plugin import`` and ``export``: descriptors of other platforms."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import JsonFlag, show
from host.cli.targets import check_target, write_target

if TYPE_CHECKING:
    from host.descriptors.draft import Draft

imports = typer.Typer(
    help="Draft a plugin from another platform's descriptor; lists what a human must still type.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
exports = typer.Typer(
    help="Describe a plugin in another platform's terms.", no_args_is_help=True, rich_markup_mode=None
)

OutOption = Annotated[Path, typer.Option("--out", help="New folder for the draft.")]
ImageOption = Annotated[
    str, typer.Option("--image", help="The image that runs there, name@sha256:… if known.")
]


@imports.command()
def boutiques(
    descriptor: Annotated[Path, typer.Argument(help="Boutiques descriptor (JSON, schema 0.5).")],
    out: OutOption,
    json: JsonFlag = False,
) -> None:
    """Draft a plugin with a command from a Boutiques descriptor."""
    from host.descriptors.boutiques import draft_boutiques
    from host.descriptors.boutiques_model import Descriptor
    from host.errors import DescriptorError
    from plugin_spec.model import read_json

    check_target(out, "--out", new=True)
    _write(draft_boutiques(read_json(descriptor, Descriptor, error=DescriptorError)), out, as_json=json)


@imports.command()
def grand_challenge(
    document: Annotated[Path, typer.Argument(help="inputs.json, or the algorithm's template context.")],
    out: OutOption,
    output_socket: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SLUG[:KIND[:PATH]]", help="What the algorithm writes; inputs.json does not say."
        ),
    ] = None,
    image: ImageOption = "",
    json: JsonFlag = False,
) -> None:
    """Draft a plugin that runs a Grand Challenge algorithm as it is."""
    from host.descriptors.grand_challenge import draft_grand_challenge, read_algorithm, socket_of

    check_target(out, "--out", new=True)
    algorithm = read_algorithm(document, tuple(socket_of(one) for one in output_socket or []))
    _write(draft_grand_challenge(algorithm, image=image), out, as_json=json)


@imports.command()
def bids_app(
    descriptor: Annotated[Path, typer.Argument(help="The app's Boutiques descriptor.")],
    out: OutOption,
    suffix: Annotated[list[str], typer.Option(help="BIDS suffix of an image it needs, for example T1w.")],
    json: JsonFlag = False,
) -> None:
    """Draft a plugin that lays out a dataset of one subject and runs a BIDS-App on it."""
    from host.descriptors.bids_app import draft_bids_app
    from host.descriptors.boutiques_model import Descriptor
    from host.errors import DescriptorError
    from plugin_spec.model import read_json

    check_target(out, "--out", new=True)
    found = read_json(descriptor, Descriptor, error=DescriptorError)
    _write(draft_bids_app(found, tuple(suffix)), out, as_json=json)


@imports.command()
def monai_map(
    folder: Annotated[Path, typer.Argument(help="Folder with the package's app.json and pkg.json.")],
    out: OutOption,
    name: Annotated[str, typer.Option(help="What the package is called.")],
    image: ImageOption = "",
    json: JsonFlag = False,
) -> None:
    """Draft a plugin with a command from a MONAI Application Package."""
    from host.descriptors.monai_map import draft_map, read_package

    check_target(out, "--out", new=True)
    application, package = read_package(folder)
    _write(draft_map(application, package, name=name, image=image), out, as_json=json)


@exports.command("boutiques")
def export_boutiques(
    folder: Annotated[Path, typer.Argument(help="The plugin's folder, with plugin.toml.")],
    out: Annotated[Path, typer.Option("--out", help="New file for the descriptor.")],
    json: JsonFlag = False,
) -> None:
    """Write a Boutiques descriptor that calls the plugin through `assay plugin run`."""
    from host.check.plugin import check_for_submission
    from host.descriptors.boutiques_export import boutiques_descriptor

    check_target(out, "--out", new=True)
    data = boutiques_descriptor(check_for_submission(folder), folder=folder)
    write_target(out, data)
    show({"descriptor": out, "bytes": len(data)}, [f"wrote {out}"], as_json=json)


def _write(draft: "Draft", out: Path, *, as_json: bool) -> None:
    from host.descriptors.draft import write_draft

    written = write_draft(draft, out)
    show(
        {
            "files": written,
            "to_type": [vars(one) for one in draft.questions],
            "no_place": draft.notes,
        },
        [
            f"drafted {draft.document['id']} from {draft.source}",
            *[f"  wrote {path}" for path in written],
            f"a human must still type {len(draft.questions)} things:",
            *[f"  {one.field}: {one.ask}" for one in draft.questions],
            *(["no place in the contract for:"] if draft.notes else []),
            *[f"  {one}" for one in draft.notes],
        ],
        as_json=as_json,
        next_command=f"assay plugin check {out}",
    )
