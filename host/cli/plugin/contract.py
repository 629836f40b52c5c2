"""``assay plugin check``: a folder against the contract."""

from host.cli.answer import JsonFlag, show
from host.cli.plugin.options import FolderArgument


def check(folder: FolderArgument, json: JsonFlag = False) -> None:
    """Check a manifest and the files it names; runs nothing."""
    from host.builds import check_plugin

    manifest = check_plugin(folder)
    show(
        {"plugin": manifest.id, "version": manifest.version, "checked": True},
        [
            f"{manifest.id} {manifest.version}: {manifest.title}",
            f"  in   {', '.join(f'{port.name} ({port.kind})' for port in manifest.inputs)}",
            f"  out  {', '.join(f'{port.name} ({port.kind})' for port in manifest.outputs)}",
            f"  domain rules {len(manifest.domain)}, embedded tests {len(manifest.tests)}: fits the contract",
        ],
        as_json=json,
        next_command=f"assay plugin build {folder}",
    )
