"""A kit as it was registered: its files from the blob store, each hashed before it is read."""

from pydantic import ValidationError

from host.errors import KitDigestError
from host.kits.kit import KitFolder, Listing, parse_kit
from plugin_spec.model import first_fault
from registry.registry import Registry
from registry.statements import Protocol


def stored_kit(registry: Registry, plan: Protocol) -> KitFolder:
    """The kit that a protocol, or a deviation from it, was registered with.

    Raises
    ------
    BlobMismatchError, MissingBlobError
        A stored file is not what was registered, or is gone.
    KitDigestError
        What was registered as the list of its files is none.
    """
    blobs = registry.blobs
    blobs.verify(plan.kit_digest)
    try:
        listing = Listing.model_validate_json(blobs.path(plan.kit_digest).read_bytes())
    except ValidationError as error:
        raise KitDigestError(f"the kit's list of files: {first_fault(error)}", subject=plan.kit) from error
    contents = {}
    for name, file_digest in listing.files.items():
        blobs.verify(file_digest)
        contents[name] = blobs.path(file_digest).read_bytes()
    return parse_kit(contents, blobs.path(plan.kit_digest).parent)


def store_kit(registry: Registry, folder: KitFolder) -> None:
    """Keep a kit's files, so that it can be read as it is registered now."""
    for data in (folder.listing, *folder.contents.values()):
        registry.blobs.put_bytes(data)


def other_files_changed(before: KitFolder, after: KitFolder) -> list[str]:
    """The files beside ``protocol.toml`` in which two states of a kit differ."""
    names = (before.contents.keys() | after.contents.keys()) - {"protocol.toml"}
    return sorted(name for name in names if before.contents.get(name) != after.contents.get(name))
