"""Build a plugin image: base, Python packages, the contract's runtime, the adapter.

Invariants
----------
* The image ID depends on the inputs alone: not on caches, folders, clocks, umask or the machine's own Python.
* What is in the image is listed from what was put in, never from what was asked for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from host.errors import PluginSourceError
from host.images.apt import Apt
from host.images.base_lock import BaseLock, read_base_lock
from host.images.debian_lock import DebianLock
from host.images.identity import BASE_ENVIRONMENT, image_id, plugin_config, runtime_command
from host.images.layer import Layer
from host.images.requirements import read_requirements
from host.images.sbom import spdx_document
from host.images.workshop import Workshop

_ADAPTER_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = ("plugin_spec", "pluggy")


@dataclass(frozen=True)
class PluginSource:
    """Everything an image is made from.

    Attributes
    ----------
    requirements : Path or None
        Hashed requirements file; None for an adapter that needs only the standard library.
    adapter_files : mapping of str to Path
        Path below ``/opt/assay`` to the file on this machine.
    entry : str or None
        The adapter's module, for example ``adapter``; None for a tool that is started by its own command.
    command : tuple of str
        With no entry: what the image starts by itself; the host gives the arguments of each case.
    debian : DebianLock or None
        The plugin's own Debian packages.
    environment : mapping of str to str
        Variables besides the ones every plugin image has.
    """

    base_lock: BaseLock
    requirements: Path | None
    adapter_files: Mapping[str, Path]
    entry: str | None
    command: tuple[str, ...] = ()
    debian: DebianLock | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.adapter_files:
            if not _ADAPTER_FILE.fullmatch(name) or name.split("/")[0].removesuffix(".py") in _RESERVED:
                raise PluginSourceError(
                    f"adapter file {name!r}: not a plain relative path, or a reserved name"
                )
        for name in self.environment:
            if not _VARIABLE.fullmatch(name) or name in BASE_ENVIRONMENT:
                raise PluginSourceError(
                    f"environment {name!r}: not a variable name, or one that the image sets itself"
                )
        if self.entry is None:
            if not self.command:
                raise PluginSourceError("neither an adapter nor a command: the image would start nothing")
            return
        module = self.entry.replace(".", "/")
        if not _MODULE.fullmatch(self.entry) or not {f"{module}.py", f"{module}/__init__.py"} & set(
            self.adapter_files
        ):
            raise PluginSourceError(
                f"entry {self.entry!r}: no adapter file is that module",
                subject=self.entry,
                hint=f"add {module}.py to the adapter's files, or name the module that holds the hooks",
            )


@dataclass(frozen=True)
class BuiltImage:
    """An image as files: enough to write its archive (``host.images.archive``).

    Attributes
    ----------
    image_id : str
        Digest of ``config_bytes``.
    layers : tuple of Layer
        Lowest first: base, Debian packages and Python packages if any, runtime and adapter if any.
    sbom_bytes : bytes
        SPDX 2.3 JSON.
    notes : tuple of str
        What the author should know: scripts that were not run, for example.
    """

    image_id: str
    config_bytes: bytes
    layers: tuple[Layer, ...]
    sbom_bytes: bytes
    notes: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Uncompressed size of all layers."""
        return sum(layer.size_bytes for layer in self.layers)


def build_plugin_image(source: PluginSource, *, cache: Path, apt: Apt | None = None) -> BuiltImage:
    """Build, or find in the cache, every layer of a plugin image.

    Parameters
    ----------
    cache : Path
        Holds packages, wheels and layers; made when absent. With everything in it, no network is used.
    apt : Apt, optional
        How Debian packages are had; the machine's own commands by default.

    Raises
    ------
    InputError
        A package or wheel cannot be had, or an adapter file cannot be read.
    TrustError
        A wheel or a cached layer is not the one its digest names.
    """
    with Workshop(cache, apt or Apt()) as workshop:
        base = workshop.base(source.base_lock)
        made = [base]
        if source.debian is not None:
            made.append(workshop.debian(source.debian, base=base.layer))
        if source.requirements is not None:
            made.append(workshop.packages(read_requirements(source.requirements), base=base.layer))
        if source.entry is not None:
            made += [workshop.runtime(base=base.layer), workshop.adapter(source.adapter_files)]
    config = plugin_config(
        cmd=source.command if source.entry is None else runtime_command(source.entry),
        diff_ids=tuple(one.layer.diff_id for one in made),
        steps=tuple(one.step for one in made),
        labels=source.labels,
        env=source.environment,
    ).to_bytes()
    identity = image_id(config)
    components = [component for one in made for component in one.components]
    return BuiltImage(
        identity,
        config,
        tuple(one.layer for one in made),
        spdx_document(identity, components),
        tuple(note for one in made for note in one.notes),
    )


def build_base_image(*, cache: Path, apt: Apt | None = None) -> BuiltImage:
    """Build an image of the base layer alone, for Dockerfiles to start from without a hub."""
    with Workshop(cache, apt or Apt()) as workshop:
        base = workshop.base(read_base_lock())
    config = plugin_config(
        cmd=("python3",), diff_ids=(base.layer.diff_id,), steps=(base.step,), labels={}, env={}
    ).to_bytes()
    identity = image_id(config)
    return BuiltImage(identity, config, (base.layer,), spdx_document(identity, base.components))
