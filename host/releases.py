"""A release as the host runs it: the parsed manifest, and the digests of everything that will run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plugin_spec.manifest import Manifest
from registry.statements import FileRef, LockSlot, Release


@dataclass(frozen=True)
class InstalledRelease:
    """What a run needs to know of a release.

    Attributes
    ----------
    manifest : Manifest
        Parsed from the bytes that ``manifest_digest`` names.
    image : str
        Config digest of the image: its identity in every engine and archive.
    image_name : str
        What people call the image; never what is run.
    weights : mapping of str to Path
        Name to local file, digest-checked.
    record : str
        Payload digest of the signed release; empty for a build that was never submitted.
    """

    manifest: Manifest
    manifest_digest: str
    image: str
    image_name: str
    weights: Mapping[str, Path]
    weight_refs: tuple[FileRef, ...]
    record: str = ""

    @property
    def title(self) -> str:
        """Plugin and version, for people."""
        return f"{self.manifest.id} {self.manifest.version}"


def installed(
    record: Release | LockSlot, manifest: Manifest, weights: Mapping[str, Path], *, digest: str
) -> InstalledRelease:
    """Bring a signed release (or a lock's slot) together with its local files."""
    return InstalledRelease(
        manifest=manifest,
        manifest_digest=record.manifest,
        image=record.image,
        image_name=record.image_name,
        weights=dict(weights),
        weight_refs=record.weights,
        record=digest,
    )
