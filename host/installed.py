"""Find a submitted release, or a lock's slot, and bring it together with its local files."""

from host.errors import ReleaseUnknownError
from host.releases import InstalledRelease, installed
from plugin_spec.manifest import Manifest, read_manifest
from registry.log import Record
from registry.registry import Registry
from registry.statements import LockSlot, Release


def find_release(registry: Registry, name: str) -> Record:
    """The release record that ``PLUGIN@VERSION`` or a payload digest names.

    Raises
    ------
    ReleaseUnknownError
        No such release was submitted, or two were: then only the digest says which is meant.
    """
    found = []
    for record in registry.records(Release.predicate_type):
        release = record.statement.read(Release)
        if name in (f"{release.plugin}@{release.version}", record.digest):
            found.append(record)
    if len(found) != 1:
        count = "no release" if not found else f"{len(found)} releases"
        raise ReleaseUnknownError(
            f"{count} {name!r} in this registry",
            subject=name,
            hint="assay catalogue list; a digest names exactly one",
        )
    return found[0]


def install(registry: Registry, record: Record) -> InstalledRelease:
    """A submitted release, ready to run: its manifest and weights from the blob store, digests checked."""
    release = record.statement.read(Release)
    return _install(registry, release, record.digest)


def install_slot(registry: Registry, slot: LockSlot) -> InstalledRelease:
    """A locked release, ready to run."""
    return _install(registry, slot, slot.release)


def read_stored_manifest(registry: Registry, digest: str) -> Manifest:
    """Read a manifest from the blob store; its bytes are hashed first."""
    registry.blobs.verify(digest)
    return read_manifest(registry.blobs.path(digest))


def _install(registry: Registry, source: Release | LockSlot, digest: str) -> InstalledRelease:
    for ref in source.weights:
        registry.blobs.verify(ref.digest)
    weights = {ref.name: registry.blobs.path(ref.digest) for ref in source.weights}
    return installed(source, read_stored_manifest(registry, source.manifest), weights, digest=digest)
