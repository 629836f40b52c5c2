"""Finished layers on disk, so that images with the same base share it.

Invariants
----------
* A layer lies under its digest, ``<folder>/<hex of diff_id>.tar``; whoever copies it out digests it again.
* A record, ``<folder>/records/<hex of recipe>.json``, says which layer a recipe gave: the same inputs are not
  built twice. Losing any of it costs time only.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from host.images.layer import Entry, Layer, write_layer
from plugin_spec.files import sync_folder, write_atomic
from plugin_spec.model import Sha256, StrictModel
from registry.canonical import canonical_json


class Component(StrictModel):
    """A Debian package or a wheel whose files are in a layer."""

    kind: Literal["debian", "wheel"]
    name: str
    version: str
    architecture: str = ""
    file_name: str = ""
    sha256: Sha256


class LayerRecord(StrictModel):
    """What a recipe gave."""

    contract: Literal["assay.layer-record/1"] = "assay.layer-record/1"
    diff_id: Sha256
    size_bytes: int = Field(ge=0)
    components: tuple[Component, ...] = ()


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

    def find(self, recipe: str) -> tuple[Layer, tuple[Component, ...]] | None:
        """Return the layer that a recipe (a digest of all its inputs) gave earlier, if it is still whole."""
        try:
            record = LayerRecord.model_validate_json(self._record(recipe).read_bytes())
            path = self._blob(record.diff_id)
            if path.stat().st_size != record.size_bytes:
                return None
        except (OSError, ValidationError):
            return None
        return Layer(record.diff_id, record.size_bytes, path), record.components

    def add(self, entries: Iterable[Entry], *, recipe: str, components: tuple[Component, ...] = ()) -> Layer:
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
        record = LayerRecord(diff_id=written.diff_id, size_bytes=written.size_bytes, components=components)
        write_atomic(self._record(recipe), canonical_json(record.model_dump(mode="json")))
        return Layer(written.diff_id, written.size_bytes, path)

    def _blob(self, diff_id: str) -> Path:
        return self._folder / f"{diff_id.removeprefix('sha256:')}.tar"

    def _record(self, recipe: str) -> Path:
        return self._records / f"{recipe.removeprefix('sha256:')}.json"
