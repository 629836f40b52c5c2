"""Images that come through a Docker daemon: built there from a Dockerfile, or held there already.

What the daemon gives is exported, and its identity computed from the exported bytes: the daemon's word for what it
built is compared, not believed.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from host.errors import BaseImageMissingError, ImageDigestError, PluginSourceError
from host.images.archive import save_archive
from host.images.build import build_base_image
from host.images.dockerfile import BASE_REPOSITORY, CERTIFICATES, Dockerfile, base_digest, read_dockerfile
from host.images.foreign_archive import ForeignImage, read_foreign_archive, require_declared
from host.images.image_rules import MAX_IMAGE_BYTES, require
from host.images.layer import Entry, write_layer
from host.images.store import LayerStore
from plugin_spec.faults import Fault
from plugin_spec.image import DockerfileImage, EngineImage
from plugin_spec.model import read_document

if TYPE_CHECKING:
    from host.engines.docker_images import DockerImages

Say = Callable[[str], None]
_CERTIFICATES_HERE = Path("/etc/ssl/certs/ca-certificates.crt")


def image_from_dockerfile(folder: Path, image: DockerfileImage, *, cache: Path, say: Say) -> ForeignImage:
    """Build a Dockerfile in a Docker daemon and take the image out of it.

    Parameters
    ----------
    folder : Path
        The plugin's folder.
    say : callable
        Told the builder's output, line by line.

    Raises
    ------
    ImageRuleError
        The Dockerfile starts from something that no digest pins, or asks for what the builder does not know.
    BaseImageMissingError
        The daemon does not hold an image it starts from; nothing is pulled.
    DockerBuildError
        A step failed.
    """
    context, dockerfile = _context_of(folder, image)
    data, read = checked_dockerfile(folder, image)
    with _daemon() as docker, tempfile.TemporaryDirectory(prefix="assay-context.") as scratch:
        for reference in read.images:
            _have(docker, reference, cache=cache)
        pinned = Path(scratch, "Dockerfile")
        pinned.write_bytes(data)
        certificates = read.wants_certificates and image.network
        entries = list(_context_entries(context, dockerfile, pinned, certificates=certificates))
        write_layer(entries, Path(scratch, "context.tar"))
        image_id = docker.build(Path(scratch, "context.tar"), dockerfile, network=image.network, say=say)
        return _exported(docker, image_id, cache=cache)


def checked_dockerfile(folder: Path, image: DockerfileImage) -> tuple[bytes, Dockerfile]:
    """Read a plugin's Dockerfile and check what it starts from; nothing is built.

    Raises
    ------
    ImageRuleError
        It breaks a rule of the I2xx.
    """
    context, dockerfile = _context_of(folder, image)
    data = read_document(context / dockerfile)
    read = read_dockerfile(data.decode("utf-8", errors="replace"))
    require(read.faults)
    return data, read


def image_from_engine(image: EngineImage, *, cache: Path) -> ForeignImage:
    """Take an image out of a Docker daemon that holds it.

    Raises
    ------
    ImageDigestError
        The name stands for another image than the manifest declares, or for none.
    """
    with _daemon() as docker:
        held = docker.resolve(image.name)
        if held is None:
            raise ImageDigestError(
                f"docker holds no image {image.name}",
                subject=image.name,
                hint=f"docker load or docker pull it first: Assay pulls nothing; declared is {image.image}; where runc "
                'holds it: assay plugin save FOLDER --out FILE, and image.source = "archive"',
            )
        require_declared(held, image.image, image.name)
        return _exported(docker, held, cache=cache)


def have_base(*, cache: Path) -> str:
    """Make Assay's base image, let the Docker daemon hold it, and return the name for a FROM line."""
    base = build_base_image(cache=cache)
    name = f"{BASE_REPOSITORY}:{base.image_id.removeprefix('sha256:')}"
    with _daemon() as docker:
        if docker.resolve(base.image_id) is None:
            with tempfile.TemporaryDirectory(prefix="assay-base.", dir=cache) as scratch:
                save_archive(base, Path(scratch, "base.tar"))
                docker.load(Path(scratch, "base.tar"))
        docker.tag(base.image_id, BASE_REPOSITORY, base.image_id.removeprefix("sha256:"))
        require_declared(str(docker.resolve(name)), base.image_id, name)
    return name


@contextmanager
def _daemon() -> "Iterator[DockerImages]":
    from host.engines.docker_images import connect_images

    docker = connect_images()
    try:
        yield docker
    finally:
        docker.close()


def _exported(docker: "DockerImages", image_id: str, *, cache: Path) -> ForeignImage:
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export.", dir=cache) as scratch:
        archive = Path(scratch, "image.tar")
        docker.export(image_id, archive)
        store = LayerStore(cache / "layers")
        return read_foreign_archive(archive, store, declared=image_id, bytes_max=MAX_IMAGE_BYTES)


def _have(docker: "DockerImages", reference: str, *, cache: Path) -> None:
    """Make sure that the daemon holds an image the build starts from, under this very name."""
    wanted = base_digest(reference)
    held = docker.resolve(reference)
    if wanted is not None and held != wanted and build_base_image(cache=cache).image_id == wanted:
        have_base(cache=cache)
        held = wanted
    if held is None or wanted not in {None, held}:
        found = "docker does not hold it" if held is None else f"docker holds {held} under this name"
        hint = "assay plugin base makes this host's base" if wanted else f"docker pull {reference}"
        raise BaseImageMissingError(f"FROM {reference}: {found}", subject=reference, hint=hint)
    if triggers := docker.triggers(reference):
        fix = "start from an image without ONBUILD, and write its steps into the Dockerfile, where they are read"
        message = f"{reference} adds steps of its own: {triggers[0][:80]}"
        require([Fault("I204", "image.file", message, fix)])


def _context_of(folder: Path, image: DockerfileImage) -> tuple[Path, str]:
    """Return the context, and the Dockerfile's path inside it."""
    root = folder.resolve()
    context, dockerfile = (root / image.context).resolve(), (root / image.file).resolve()
    if not context.is_relative_to(root) or not dockerfile.is_relative_to(context) or not context.is_dir():
        fix = "the context lies in the plugin's folder, and the Dockerfile in the context"
        message = f"{image.file} is not a file of the context {image.context}"
        require([Fault("I205", "image.file", message, fix)])
    return context, dockerfile.relative_to(context).as_posix()


def _context_entries(context: Path, dockerfile: str, pinned: Path, *, certificates: bool) -> Iterator[Entry]:
    from host.engines.docker_images import context_files

    if certificates:
        if not _CERTIFICATES_HERE.is_file():
            raise PluginSourceError(
                f"the Dockerfile names {CERTIFICATES}, but this machine has no certificate bundle",
                hint="as root: apt-get install ca-certificates",
            )
        yield Entry(CERTIFICATES, source=_CERTIFICATES_HERE.resolve())
    for name in context_files(context, _ignored(context), dockerfile):
        path = context / name
        if name == dockerfile:
            # The bytes that were read, whatever happens to the file meanwhile.
            yield Entry(name, source=pinned)
        elif path.is_symlink():
            yield Entry(name, target=os.readlink(path))
        elif path.is_dir():
            yield Entry(name)
        elif path.is_file():
            yield Entry(name, source=path, executable=os.access(path, os.X_OK))
        else:
            raise PluginSourceError(f"{path}: neither a file, a folder nor a link", subject=name)


def _ignored(context: Path) -> list[str]:
    path = context / ".dockerignore"
    if not path.is_file():
        return []
    lines = read_document(path).decode("utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
