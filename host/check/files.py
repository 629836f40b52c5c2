"""Rules on the files that make a plugin: requirements, image sources, weights and licences."""

from pathlib import Path

from host.check.folder import PluginFolder
from host.errors import DebianLockError, RequirementsError
from plugin_spec.faults import Found
from plugin_spec.image import ArchiveImage, DockerfileImage, PackagesImage
from plugin_spec.review import NOT_STATED, licences_of


def requirements_are_hashed(plugin: PluginFolder) -> Found:
    """C503: the requirements file is there, and pins each package with its hashes.

    Fix: assay plugin lock FOLDER, or uv pip compile --generate-hashes.
    """
    name = plugin.manifest.runtime.requirements
    if name is None:
        return
    from host.images.requirements import parse_requirements

    text = plugin.text(name)
    fix = "write it with uv pip compile --generate-hashes"
    if text is None:
        what = "is no text of at most 1 MiB" if plugin.file(name).exists() else "is not there"
        yield "runtime.requirements", f"names {name}, which {what}", f"assay plugin lock {plugin.path}"
        return
    try:
        parse_requirements(text, where=name)
    except RequirementsError as error:
        yield "runtime.requirements", error.message, error.hint or fix


def image_files_are_there(plugin: PluginFolder) -> Found:
    """C507: the Dockerfile and its context, the archive, or the lock of the Debian packages is there.

    Fix: add it (assay plugin lock FOLDER writes a lock), or correct its name.
    """
    image, fix = plugin.manifest.image, "add it, or correct its name"
    if isinstance(image, PackagesImage) and image.debian_lock is not None:
        if not plugin.file(image.debian_lock).is_file():
            lock = f"assay plugin lock {plugin.path}"
            yield "image.debian_lock", f"names {image.debian_lock}, which is not there", lock
    elif isinstance(image, DockerfileImage):
        if not plugin.file(image.file).is_file():
            yield "image.file", f"names {image.file}, which is not there", fix
        if not plugin.file(image.context).is_dir():
            yield "image.context", f"names {image.context}, which is no folder", fix
    elif isinstance(image, ArchiveImage):
        path = plugin.file(image.path)
        if not path.is_file():
            yield "image.path", f"names {image.path}, which is not there", fix
        elif not _is_tar(path):
            yield (
                "image.path",
                f"{image.path} is no tar archive",
                "write it with docker save, or as an OCI layout in a tar",
            )


def weights_can_be_fetched(plugin: PluginFolder) -> Found:
    """C508: a weights uri is one Assay can fetch; a file of the folder is there with the declared size.

    Fix: write local:PATH inside the folder, package:NAME==VERSION@sha256:WHEEL!MEMBER, or url:https://….
    """
    fix = "write local:PATH inside the folder, package:NAME==VERSION@sha256:WHEEL!MEMBER, or url:https://…"
    for number, one in enumerate(plugin.manifest.weights):
        from host.sources.pinned import uri_fault

        path = f"weights.{number}.uri"
        if not one.uri.startswith("local:"):
            if fault := uri_fault(one.uri):
                yield path, fault, fix
            continue
        found = (plugin.path / one.uri.removeprefix("local:")).resolve()
        if not found.is_relative_to(plugin.path.resolve()) or not found.is_file():
            yield path, f"{one.uri}: no such file inside the folder", fix
        elif found.stat().st_size != one.bytes:
            message = f"{one.uri} has {found.stat().st_size} bytes, the manifest declares {one.bytes}"
            yield path, message, "correct bytes and sha256: sha256sum FILE"


def licences_are_known(plugin: PluginFolder) -> Found:
    """C509: the licences of code and weights are SPDX expressions.

    Fix: name one of the SPDX licence list, or LicenseRef-NAME for a licence that is not on it.
    """
    fix = "name one of the SPDX licence list, or LicenseRef-NAME for a licence that is not on it"
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    for path, licence in licences_of(plugin.manifest):
        if licence == NOT_STATED:
            continue  # a warning, and a refusal at submission
        try:
            canonicalize_license_expression(licence)
        except InvalidLicenseExpression:
            yield path, f"{licence!r} is no SPDX licence", fix


def dockerfiles_fetch_what_is_pinned(plugin: PluginFolder) -> Found:
    """C510: a Dockerfile fetches nothing but what a digest pins, as the rules I201 to I204 of images say.

    Fix: FROM NAME@sha256:DIGEST, and files from the context or as weights.
    """
    image = plugin.manifest.image
    text = plugin.text(image.file) if isinstance(image, DockerfileImage) else None
    if text is None:
        return
    from host.images.dockerfile import read_dockerfile

    for one in read_dockerfile(text).faults:
        yield "image.file", f"{one.path}: {one.message} [{one.rule}]", one.fix


def debian_locks_answer(plugin: PluginFolder) -> Found:
    """C511: the lock of the Debian packages answers to what the manifest asks for, and to this host's base image.

    Fix: assay plugin lock FOLDER.
    """
    image = plugin.manifest.image
    if not isinstance(image, PackagesImage) or image.debian_lock is None:
        return
    path = plugin.file(image.debian_lock)
    if not path.is_file():
        return
    from host.images.base_lock import read_base_lock
    from host.images.debian_lock import read_debian_lock

    try:
        read_debian_lock(path, names=image.debian, base=read_base_lock())
    except DebianLockError as error:
        message = error.message.replace(str(path), image.debian_lock)
        yield "image.debian_lock", message, f"assay plugin lock {plugin.path}"


def _is_tar(path: Path) -> bool:
    import tarfile

    return tarfile.is_tarfile(path)
