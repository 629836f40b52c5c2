"""``assay gpu``: the GPUs of this machine and who holds them."""

import typer

from host.cli.answer import JsonFlag, say, show, table

app = typer.Typer(help="The GPUs of this machine.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keep ``list`` a verb: typer would take a single command for the noun itself."""


@app.command("list")
def list_gpus(json: JsonFlag = False) -> None:
    """List GPUs and MIG instances with who holds them, or say why there are none."""
    from host.gpu.inventory import take_inventory
    from host.gpu.lease import holder_of
    from plugin_spec.resources import MIB

    found = take_inventory()
    holders = {device.uuid: holder_of(device) for device in found.devices}
    rows = [
        (
            one.uuid,
            one.model,
            f"{one.vram_bytes // MIB} MiB",
            one.driver,
            one.compute_capability,
            holders[one.uuid] or "free",
        )
        for one in found.devices
    ]
    document = [
        {
            "uuid": one.uuid,
            "vendor": one.vendor,
            "model": one.model,
            "vram_bytes": one.vram_bytes,
            "driver": one.driver,
            "compute_capability": one.compute_capability,
            "parent": one.parent,
            "requested_as": one.request_id,
            "held_by": holders[one.uuid],
        }
        for one in found.devices
    ]
    show(
        {"devices": document, "reasons": found.reasons},
        table(("uuid", "model", "memory", "driver", "capability", "held by"), rows),
        as_json=json,
    )
    for reason in found.reasons:
        say(reason)
