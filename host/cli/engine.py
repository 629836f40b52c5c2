"""``assay engine``: the container engines of this machine and the images they hold."""

from typing import Annotated

import typer

from host.cli.answer import JsonFlag, show, table
from host.cli.engines import EngineOption, connected

app = typer.Typer(
    help="The container engines of this machine, and their images.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("list")
def list_engines(json: JsonFlag = False) -> None:
    """List the engines, what each is here, and why one cannot be used."""
    from host.diagnosis import look_at_engines

    found = look_at_engines()
    show(
        [vars(one) for one in found],
        table(("engine", "", "found"), [(one.check, one.verdict, one.found) for one in found]),
        as_json=json,
    )


@app.command()
def images(engine: EngineOption = "auto", json: JsonFlag = False) -> None:
    """List the images an engine holds, by the digest of their configs, with their names."""
    found = connected(engine).held()
    show(
        [{"image": image_id, "names": names} for image_id, names in found.items()],
        table(("image", "names"), [(image_id, " ".join(names)) for image_id, names in found.items()]),
        as_json=json,
    )


@app.command()
def tag(
    image: Annotated[str, typer.Argument(help="The image's digest (sha256:...).")],
    name: Annotated[str, typer.Argument(help="REPOSITORY:TAG")],
    engine: EngineOption = "auto",
    json: JsonFlag = False,
) -> None:
    """Let a name stand for an image. Names are for people: what runs is named by digest."""
    chosen = connected(engine)
    chosen.tag(image, name)
    show(
        {"image": image, "name": name, "engine": chosen.name},
        [f"{name} names {image} in {chosen.name}"],
        as_json=json,
    )


@app.command()
def remove(
    image: Annotated[str, typer.Argument(help="The image's digest (sha256:...).")],
    engine: EngineOption = "auto",
    json: JsonFlag = False,
) -> None:
    """Forget an image and its names, to free the disk; importing or building again brings it back."""
    chosen = connected(engine)
    chosen.remove(image)
    show({"image": image, "engine": chosen.name}, [f"{chosen.name} holds {image} no more"], as_json=json)
