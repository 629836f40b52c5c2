"""Finished layers on disk, so that images with the same base share it.

Invariants
----------
* A layer lies under its digest, ``<folder>/<hex of diff_id>.tar``; whoever copies it out digests it again.
* A record, ``<folder>/records/<hex of recipe>.json``, says which layer a recipe gave: the same inputs are not
  built twice. Losing any of it costs time only.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from host.errors import LayerDigestError
from host.images.layer import Entry, Layer, write_layer
from plugin_spec.files import sync_folder, write_atomic
from plugin_spec.model import Sha256, StrictModel
from registry.canonical import canonical_json


class Component(StrictModel):
    """A package whose files are in a layer: put there by Assay, or found in an image that others built.

    Attributes
    ----------
    kind : str
        ``debian`` and ``wheel`` are what Assay installs; ``python`` is an installed distribution, whatever it
        came from.
    distribution : str
        Identifier and version of the system a found package belongs to (``alpine-3.19``); empty for Assay's own.
    sha256 : str or None
        Of the downloaded file; ``None`` for a found package, whose file nobody has.
    """

    kind: Literal["debian", "wheel", "python", "apk", "conda"]
    name: str
    version: str
    architecture: str = ""
    file_name: str = ""
    distribution: str = ""
    sha256: Sha256 | None


class LayerRecord(StrictModel):
    """What a recipe gave."""

    contract: Literal["assay.layer-record/1"] = "assay.layer-record/1"
    diff_id: Sha256
    size_bytes: int = Field(ge=0)
    components: tuple[Component, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoredLayer:
    """A layer in the store, and what its record says of it."""

    layer: Layer
    components: tuple[Component, ...] = ()
    notes: tuple[str, ...] = ()


class LayerStore:
    """A folder of layers.

    Parameters
    ----------
    folder : Path
        Made when absent. Several processes may use it at once.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records = folder / "records"
        self._records.mkdir(parents=True, exist_ok=True)

    def find(self, recipe: str) -> StoredLayer | None:
        """Return the layer that a recipe (a digest of all its inputs) gave earlier, if it is still whole."""
        try:
            record = LayerRecord.model_validate_json(self._record(recipe).read_bytes())
            path = self._blob(record.diff_id)
            if path.stat().st_size != record.size_bytes:
                return None
        except (OSError, ValidationError):
            return None
        return StoredLayer(Layer(record.diff_id, record.size_bytes, path), record.components, record.notes)

    def components_of(self, diff_id: str) -> tuple[Component, ...]:
        """Return what Assay put into a layer of this digest, made here; empty for any other layer."""
        for path in sorted(self._records.glob("*.json")):
            try:
                record = LayerRecord.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                continue
            if record.diff_id == diff_id and record.components:
                return record.components
        return ()

    def add(
        self,
        entries: Iterable[Entry],
        *,
        recipe: str,
        components: tuple[Component, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> StoredLayer:
        """Write a layer and remember the recipe that gave it.

        Raises
        ------
        LayerContentError
            An entry that no layer can hold.
        """
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".layer.")
        os.close(descriptor)
        temporary = Path(name)
        try:
            written = write_layer(entries, temporary)
            path = self._blob(written.diff_id)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(self._folder)
        record = LayerRecord(
            diff_id=written.diff_id, size_bytes=written.size_bytes, components=components, notes=notes
        )
        write_atomic(self._record(recipe), canonical_json(record.model_dump(mode="json")))
        return StoredLayer(Layer(written.diff_id, written.size_bytes, path), components, notes)

    def keep(self, parts: Iterable[bytes], *, expected: str) -> Layer:
        """Keep a finished layer's bytes, if they have the digest that is expected of them.

        Raises
        ------
        LayerDigestError
            They have another one; nothing is kept.
        """
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".layer.")
        temporary = Path(name)
        sha256, size = hashlib.sha256(), 0
        try:
            with os.fdopen(descriptor, "wb") as stream:
                for part in parts:
                    sha256.update(part)
                    size += stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
            if f"sha256:{sha256.hexdigest()}" != expected:
                raise LayerDigestError(
                    f"a layer has the digest sha256:{sha256.hexdigest()}, its image's config promises {expected}",
                    subject=expected,
                    hint="the image is damaged or was altered: get it again",
                )
            path = self._blob(expected)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(self._folder)
        return Layer(expected, size, path)

    def _blob(self, diff_id: str) -> Path:
        return self._folder / f"{diff_id.removeprefix('sha256:')}.tar"

    def _record(self, recipe: str) -> Path:
        return self._records / f"{recipe.removeprefix('sha256:')}.json"
