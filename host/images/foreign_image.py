"""An image that others built, checked and made ready: its packages listed, and an adapter's layers put on top.

Invariants
----------
* Without an adapter the image goes on as it came: the same config bytes, the same layers.
* With one, the contract's runtime and the adapter are two layers more, and the author changes nothing in the image.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host.images.apt import Apt
from host.images.base_lock import read_base_lock
from host.images.build import BuiltImage
from host.images.foreign import ForeignConfig, derived_config, read_config
from host.images.foreign_archive import ForeignImage
from host.images.found_packages import FoundPackages, find_packages
from host.images.identity import image_id, runtime_command
from host.images.image_rules import (
    DEFAULT_PATH,
    config_faults,
    find_python,
    program_faults,
    python_faults,
    require,
    size_faults,
)
from host.images.inventory import take_inventory
from host.images.sbom import spdx_document
from host.images.store import LayerStore
from host.images.workshop import Workshop


@dataclass(frozen=True)
class Adapter:
    """What is put on top of an image: the author's adapter.

    Attributes
    ----------
    files : mapping of str to Path
        Path below ``/opt/assay`` to the file on this machine.
    entry : str
        The adapter's module.
    """

    files: Mapping[str, Path]
    entry: str
    labels: Mapping[str, str]


def finish_image(
    image: ForeignImage, *, program: str | None, adapter: Adapter | None, cache: Path
) -> BuiltImage:
    """Check an image and make of it what a plugin runs.

    Parameters
    ----------
    program : str or None
        What a tool's command starts; ``None`` for an adapter.
    adapter : Adapter or None
        Put on top, with the contract's runtime.
    cache : Path
        As for `build_plugin_image`: the runtime's layer is shared with images made from packages.

    Raises
    ------
    ImageRuleError
        It breaks rules, all of which are named.
    ArchiveError
        A layer cannot be read.
    """
    config = read_config(image.config_bytes, where="the image's config")
    require([*config_faults(config), *size_faults(sum(layer.size_bytes for layer in image.layers))])
    inventory = take_inventory(image.layers)
    search = config.environment.get("PATH") or DEFAULT_PATH
    if program is not None:
        require([*program_faults(inventory, program, search)])
    store = LayerStore(cache / "layers")
    ours = {number: store.components_of(layer.diff_id) for number, layer in enumerate(image.layers)}
    found = find_packages(inventory, {number: listed for number, listed in ours.items() if listed})
    if adapter is None:
        return _listed(image, found)
    python = find_python(inventory, search)
    require([*python_faults(python, search)])
    assert python is not None  # noqa: S101 - a missing Python has been refused
    return _with_adapter(image, config, found, adapter, python=python, cache=cache)


def _listed(image: ForeignImage, found: FoundPackages) -> BuiltImage:
    sbom = spdx_document(image.image_id, found.components, remark=found.remark)
    return BuiltImage(image.image_id, image.config_bytes, image.layers, sbom, _notes(found.remark))


def _with_adapter(
    image: ForeignImage,
    config: ForeignConfig,
    found: FoundPackages,
    adapter: Adapter,
    *,
    python: str,
    cache: Path,
) -> BuiltImage:
    with Workshop(cache, Apt()) as workshop:
        base = workshop.base(read_base_lock())
        added = (workshop.runtime(base=base.layer), workshop.adapter(adapter.files))
    earlier = config.environment.get("PYTHONPATH", "")
    paths = ["/opt/assay", *(path for path in earlier.split(":") if path not in {"", "/opt/assay"})]
    data = derived_config(
        image.config_bytes,
        added=[(one.layer.diff_id, one.step) for one in added],
        cmd=runtime_command(adapter.entry, python=python),
        environment={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(paths)},
        labels=adapter.labels,
    )
    components = [*found.components, *(component for one in added for component in one.components)]
    identity = image_id(data)
    sbom = spdx_document(identity, components, remark=found.remark)
    layers = (*image.layers, *(one.layer for one in added))
    return BuiltImage(identity, data, layers, sbom, _notes(found.remark))


def _notes(remark: str) -> tuple[str, ...]:
    return (remark,) if remark else ()
