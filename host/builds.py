"""From a plugin folder to a build: image, manifest, weights and SBOM, each under its digest.

A build is local and unsigned. ``submit`` turns it into a release record that names the same digests.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from host.check.plugin import check_plugin
from host.declared_image import rules_of
from host.engines.interface import Engine
from host.errors import BuildMissingError, ImageRuleError, WeightsError
from host.home import Home
from host.leftovers import clear_dead
from host.releases import InstalledRelease
from plugin_spec.files import write_atomic
from plugin_spec.manifest import Manifest
from plugin_spec.model import Identifier, RelativePath, Sha256, StrictModel, first_fault
from registry.blobs import BlobStore
from registry.canonical import canonical_json, digest
from registry.statements import FileRef

if TYPE_CHECKING:
    from host.images.build import BuiltImage

Say = Callable[[str], None]


class Build(StrictModel):
    """What ``plugin build`` made.

    Attributes
    ----------
    way : str
        Where the image came from: the manifest's ``image.source``.
    source_image : str or None
        Identity of the image that others built, where an adapter was put on top of it.
    checks : tuple of str
        Numbers of the rules the image was checked against, all of which hold.
    python : str
        Version of the image's Python as it answered; empty for a tool without an adapter.
    sources : mapping of str to str
        Digest of each file of the folder that the image was made from, by its name in the manifest.
    """

    contract: str = "assay.build/1"
    plugin: Identifier
    version: str
    image: Sha256
    image_name: str
    manifest: Sha256
    io_schema: Sha256
    sbom: Sha256
    weights: tuple[FileRef, ...]
    layers: tuple[Sha256, ...]
    layer_bytes: int
    way: Literal["packages", "dockerfile", "archive", "engine"] = "packages"
    source_image: Sha256 | None = None
    checks: tuple[str, ...] = ()
    python: str = ""
    sources: dict[RelativePath, Sha256] = {}


def io_schema(manifest: Manifest) -> bytes:
    """The canonical bytes of what goes in and what comes out."""
    ports = {
        "contract": "assay.io-schema/1",
        "inputs": [port.model_dump(mode="json") for port in manifest.inputs],
        "outputs": [port.model_dump(mode="json") for port in manifest.outputs],
        "parameters": [one.model_dump(mode="json") for one in manifest.parameters],
    }
    return canonical_json(ports)


def build(home: Home, folder: Path, engine: Engine, *, say: Say) -> Build:
    """Build a plugin and keep every piece in the home's blob store.

    Parameters
    ----------
    home : Home
    folder : Path
        The plugin's folder.
    engine : Engine
        The image is loaded here, so that it can be run.
    say : callable
        Told each step in one line.
    """
    from host.plugin_image import plugin_image

    manifest = check_plugin(folder)
    sources = {name: digest((folder / name).read_bytes()) for name in _source_files(manifest)}
    with home.running():
        clear_dead(home, engine)
        blobs = BlobStore(home.path / "blobs")
        weights = tuple(_keep_weights(home, blobs, folder, manifest, say))
        say(f"build the image of {manifest.id} {manifest.version} from {manifest.image.source}")
        image = plugin_image(folder, manifest, cache=home.cache, say=say)
        name = f"assay/{manifest.id}:{manifest.version}"
        python = _load_and_start(home, image.built, manifest, engine, say)
        engine.tag(image.built.image_id, name)
        say("keep image, manifest and SBOM by digest")
        made = Build(
            plugin=manifest.id,
            version=manifest.version,
            image=_keep_image(blobs, image.built),
            image_name=name,
            manifest=blobs.put_file(folder / "plugin.toml").digest,
            io_schema=blobs.put_bytes(io_schema(manifest)).digest,
            sbom=blobs.put_bytes(image.built.sbom_bytes).digest,
            weights=weights,
            layers=tuple(layer.diff_id for layer in image.built.layers),
            layer_bytes=image.built.size_bytes,
            way=manifest.image.source,
            source_image=image.source_image,
            checks=rules_of(manifest),
            python=python,
            sources=sources,
        )
        document = canonical_json(made.model_dump(mode="json")) + b"\n"
        write_atomic(_build_file(home, made.plugin, made.version), document)
    for note in image.built.notes:
        say(f"note: {note}")
    return made


def _load_and_start(home: Home, built: "BuiltImage", manifest: Manifest, engine: Engine, say: Say) -> str:
    """Have the engine hold an image that starts, and return the version of its Python.

    An image that does not start is not left behind.
    """
    from host.images.load import load_image
    from host.start_check import check_start

    new = not engine.holds(built.image_id)
    if new:
        say(f"load it into {engine.name}")
        load_image(engine, built.image_id, built, home.runs)
    try:
        say("start it once")
        work = home.runs / f"start-{built.image_id.removeprefix('sha256:')[:16]}"
        return check_start(engine, built, manifest, work, say=say).python
    except ImageRuleError:
        if new:
            engine.remove(built.image_id)
        raise


def _keep_image(blobs: BlobStore, built: "BuiltImage") -> str:
    """Store an image's layers, then the config that names them, and return its digest."""
    for layer in built.layers:
        if not blobs.has(layer.diff_id):
            blobs.put_file(layer.path)
    return blobs.put_bytes(built.config_bytes).digest


def read_build(home: Home, manifest: Manifest, folder: Path) -> Build:
    """The build of a plugin folder as it lies there now.

    Raises
    ------
    BuildMissingError
        Never built here, or the manifest or a file it names for the image was changed since.
    """
    path = _build_file(home, manifest.id, manifest.version)
    hint = f"assay plugin build {folder}"
    try:
        made = Build.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise BuildMissingError(f"{manifest.id} {manifest.version} was not built here", hint=hint) from error
    except ValidationError as error:
        raise BuildMissingError(f"{path}: {first_fault(error)}", hint=hint) from error
    for name, built in {"plugin.toml": made.manifest, **made.sources}.items():
        if not (folder / name).is_file() or digest((folder / name).read_bytes()) != built:
            raise BuildMissingError(f"{folder / name} was changed after the build", subject=name, hint=hint)
    return made


def _source_files(manifest: Manifest) -> list[str]:
    """The files of the folder, besides the manifest, whose change makes another image.

    What a Dockerfile copies is not followed, and an archive is pinned by the manifest itself.
    """
    named = [manifest.runtime.adapter, manifest.runtime.requirements]
    if manifest.image.source == "packages":
        named.append(manifest.image.debian_lock)
    if manifest.image.source == "dockerfile":
        named.append(manifest.image.file)
    return [name for name in named if name is not None]


def as_release(home: Home, made: Build, manifest: Manifest) -> InstalledRelease:
    """A build as something that can be run."""
    blobs = BlobStore(home.path / "blobs")
    return InstalledRelease(
        manifest=manifest,
        manifest_digest=made.manifest,
        image=made.image,
        image_name=made.image_name,
        weights={ref.name: blobs.path(ref.digest) for ref in made.weights},
        weight_refs=made.weights,
    )


def have_built_image(home: Home, engine: Engine, release: InstalledRelease, *, say: Say) -> None:
    """Let an engine hold a build's image, which may have been built for another. Hold ``Home.running``.

    Raises
    ------
    ImageMissingError, BlobMismatchError, MissingBlobError, LayerDigestError
        What the build kept is not all there, or not as it was.
    """
    if engine.holds(release.image):
        return
    from host.images.load import have_image  # seldom needed, so not before

    have_image(engine, release, BlobStore(home.path / "blobs"), work=home.runs, say=say)


def _keep_weights(home: Home, blobs: BlobStore, folder: Path, manifest: Manifest, say: Say) -> list[FileRef]:
    from host.sources.pinned import Pinned
    from host.sources.store import SourceStore

    store = SourceStore(home, say=say)
    kept = []
    for one in manifest.weights:
        if not blobs.has(one.sha256):
            say(f"fetch the weights {one.name}")
            target = home.runs / f"weights-{one.sha256[7:23]}"
            pinned = Pinned(f"weights {one.name}", one.uri, one.sha256, one.bytes, folder, WeightsError)
            try:
                store.copy(pinned, target)
                blobs.take_file(target)
            finally:
                target.unlink(missing_ok=True)
        kept.append(FileRef(name=one.name, digest=one.sha256, bytes=one.bytes))
    return kept


def _build_file(home: Home, plugin: str, version: str) -> Path:
    return home.builds / f"{plugin}-{version}.json"
