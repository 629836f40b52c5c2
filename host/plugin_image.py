"""From a manifest's ``[image]`` to an image as files, whichever of the ways it takes.

Nothing here is believed of an image because of its name: every way ends in a config whose digest is the identity, and
in layers with the digests that the config names.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from plugin_spec.command import Command
from plugin_spec.errors import ContractError
from plugin_spec.image import ArchiveImage, DockerfileImage, ImageSource, PackagesImage
from plugin_spec.manifest import Manifest

if TYPE_CHECKING:
    from host.images.build import BuiltImage, PluginSource
    from host.images.debian_lock import DebianLock


def plugin_image(folder: Path, manifest: Manifest, *, cache: Path) -> "BuiltImage":
    """Make, or find, the image that a manifest declares.

    Parameters
    ----------
    folder : Path
        The plugin's folder.
    cache : Path
        Holds packages, wheels and layers; made when absent.

    Raises
    ------
    InputError, ContractError, TrustError
        What is wrong, in one line.
    """
    from host.images.build import build_plugin_image

    if not isinstance(manifest.image, PackagesImage):
        raise ContractError(
            f"{folder / 'plugin.toml'}: this host builds images from packages only", subject=manifest.id
        )
    return build_plugin_image(_packages_source(folder, manifest, manifest.image), cache=cache)


def labels_of(manifest: Manifest) -> dict[str, str]:
    """Return what an image says about itself, for people."""
    return {
        "org.opencontainers.image.title": manifest.id,
        "org.opencontainers.image.version": manifest.version,
        "org.opencontainers.image.licenses": manifest.attribution.licence,
    }


def image_files(image: ImageSource) -> list[str]:
    """Return the files of the plugin's folder that an image is made from, by name."""
    match image:
        case PackagesImage():
            return [image.debian_lock] if image.debian_lock else []
        case DockerfileImage():
            return [image.file]
        case ArchiveImage():
            return [image.path]
        case _:
            return []


def lock_files(manifest: Manifest) -> set[str]:
    """Return the files that ``assay plugin lock`` writes."""
    image = manifest.image
    named = (manifest.runtime.requirements, image.debian_lock if isinstance(image, PackagesImage) else None)
    return {name for name in named if name is not None}


def program_of(command: Command) -> str:
    """Return the program of a tool's command, as the manifest writes it."""
    return next(command.words())


def _packages_source(folder: Path, manifest: Manifest, image: PackagesImage) -> "PluginSource":
    from host.images.base_lock import read_base_lock
    from host.images.build import PluginSource

    runtime = manifest.runtime
    adapter = folder / runtime.adapter if runtime.adapter else None
    return PluginSource(
        base_lock=read_base_lock(),
        requirements=folder / runtime.requirements if runtime.requirements else None,
        adapter_files={adapter.name: adapter} if adapter else {},
        entry=adapter.stem if adapter else None,
        command=(program_of(runtime.command),) if runtime.command else (),
        debian=_debian_lock(folder, image),
        labels=labels_of(manifest),
    )


def _debian_lock(folder: Path, image: PackagesImage) -> "DebianLock | None":
    from host.images.base_lock import read_base_lock
    from host.images.debian_lock import read_debian_lock

    if image.debian_lock is None:
        return None
    return read_debian_lock(folder / image.debian_lock, names=image.debian, base=read_base_lock())
