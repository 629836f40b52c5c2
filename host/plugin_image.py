"""From a manifest's ``[image]`` to an image as files, whichever of the ways it takes.

Nothing here is believed of an image because of its name: every way ends in a config whose digest is the identity, and
in layers with the digests that the config names.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from host.declared_image import program_of
from host.images.base_lock import read_base_lock
from host.images.build import BuiltImage, PluginSource, build_plugin_image
from host.images.debian_lock import DebianLock, read_debian_lock
from host.images.docker_source import image_from_dockerfile, image_from_engine
from host.images.foreign_archive import read_foreign_archive
from host.images.foreign_image import Adapter, finish_image
from host.images.image_rules import MAX_IMAGE_BYTES
from host.images.store import LayerStore
from plugin_spec.image import ArchiveImage, DockerfileImage, PackagesImage
from plugin_spec.manifest import Manifest

Say = Callable[[str], None]


@dataclass(frozen=True)
class PluginImage:
    """What a plugin runs in.

    Attributes
    ----------
    source_image : str or None
        Identity of the image that others built, before an adapter was put on top; None for one made from packages.
    """

    built: BuiltImage
    source_image: str | None = None


def plugin_image(folder: Path, manifest: Manifest, *, cache: Path, say: Say) -> PluginImage:
    """Make, or find, the image that a manifest declares.

    Parameters
    ----------
    folder : Path
        The plugin's folder.
    cache : Path
        Holds packages, wheels and layers; made when absent.
    say : callable
        Told what a Docker daemon says while it builds.

    Raises
    ------
    InputError, ContractError, TrustError
        What is wrong, in one line.
    """
    image = manifest.image
    if isinstance(image, PackagesImage):
        return PluginImage(build_plugin_image(_packages_source(folder, manifest, image), cache=cache))
    match image:
        case DockerfileImage():
            foreign = image_from_dockerfile(folder, image, cache=cache, say=say)
        case ArchiveImage():
            foreign = read_foreign_archive(
                folder / image.path,
                LayerStore(cache / "layers"),
                declared=image.image,
                bytes_max=MAX_IMAGE_BYTES,
            )
        case _:
            foreign = image_from_engine(image, cache=cache)
    command = manifest.runtime.command
    finished = finish_image(
        foreign,
        program=None if command is None else program_of(command),
        adapter=_adapter(folder, manifest),
        cache=cache,
    )
    return PluginImage(finished, source_image=foreign.image_id)


def labels_of(manifest: Manifest) -> dict[str, str]:
    """Return what an image says about itself, for people."""
    return {
        "org.opencontainers.image.title": manifest.id,
        "org.opencontainers.image.version": manifest.version,
        "org.opencontainers.image.licenses": manifest.attribution.licence,
    }


def _packages_source(folder: Path, manifest: Manifest, image: PackagesImage) -> PluginSource:
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


def _adapter(folder: Path, manifest: Manifest) -> Adapter | None:
    if manifest.runtime.adapter is None:
        return None
    path = folder / manifest.runtime.adapter
    return Adapter(files={path.name: path}, entry=path.stem, labels=labels_of(manifest))


def _debian_lock(folder: Path, image: PackagesImage) -> DebianLock | None:
    if image.debian_lock is None:
        return None
    return read_debian_lock(folder / image.debian_lock, names=image.debian, base=read_base_lock())
