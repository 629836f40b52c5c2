"""Devices by their Container Device Interface names: spec files read, names resolved, edits applied.

Invariants
----------
* A spec file can give a container any device or file of the host, so it is read only if it and its folder belong
  to root or to the user Assay runs as, and nobody else may write to them.
* Its hooks run on the host with the runtime's rights: they are taken only from files, folders and programs that
  belong to root and that nobody else may write to.
* A file that cannot be used hides its own devices and no others; who asks for one of them is told why.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host.errors import CdiSpecError, GpuUnavailableError
from host.gpu.cdi_edits import with_edits
from host.gpu.cdi_spec import CdiHook, CdiSpec, ContainerEdits, DeviceNode, parse_cdi
from plugin_spec.model import MAX_DOCUMENT_BYTES

# Later folders win, as in every other reader; ASSAY_CDI_FOLDERS (separated by colons) replaces them.
DEFAULT_FOLDERS = (Path("/etc/cdi"), Path("/var/run/cdi"))
FOLDERS_VARIABLE = "ASSAY_CDI_FOLDERS"
_ENDINGS = {".json", ".yaml"}
_HINT = (
    "list the devices: assay gpu list; make the spec files: nvidia-ctk cdi generate, or amd-ctk cdi generate"
)


@dataclass(frozen=True)
class CdiSource:
    """A spec file and whether its hooks may run."""

    path: Path
    spec: CdiSpec
    of_root: bool


@dataclass(frozen=True)
class CdiDevices:
    """Everything the spec folders offer, by qualified name (``vendor/class=name``).

    ``conflicts`` are names that two files of the same folder claim: they name nothing. ``faults`` are the files
    that cannot be used, with one line each.
    """

    sources: Mapping[str, CdiSource] = field(default_factory=dict)
    conflicts: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    faults: Mapping[Path, str] = field(default_factory=dict)


def spec_folders() -> tuple[Path, ...]:
    """Where this machine keeps its spec files."""
    named = os.environ.get(FOLDERS_VARIABLE)
    return tuple(Path(one) for one in named.split(":") if one) if named else DEFAULT_FOLDERS


def apply_cdi(
    oci_spec: dict[str, Any], names: Sequence[str], folders: Sequence[Path] | None = None
) -> dict[str, Any]:
    """Return a copy of an OCI runtime spec with the named devices in it.

    Parameters
    ----------
    oci_spec : dict
        config.json as the engine would start it.
    names : sequence of str
        Qualified device names, ``vendor/class=device``.
    folders : sequence of Path, optional
        Spec folders, later ones win; `spec_folders` by default.

    Raises
    ------
    GpuUnavailableError
        A name that no spec file has or that two claim, a device node that is not there, a hook that must not run,
        or an edit that would cover a mount of the engine's.
    """
    devices = read_devices(spec_folders() if folders is None else folders)
    return with_edits(oci_spec, completed(resolve(devices, names)))


def read_devices(folders: Sequence[Path]) -> CdiDevices:
    """Read the spec files of every folder; a folder that does not exist holds none."""
    sources: dict[str, CdiSource] = {}
    conflicts: dict[str, tuple[Path, ...]] = {}
    faults: dict[Path, str] = {}
    for folder in folders:
        found: dict[str, list[CdiSource]] = {}
        for path in _spec_files(folder, faults):
            try:
                source = _read(folder, path)
            except CdiSpecError as fault:
                faults[path] = fault.message
                continue
            for device in source.spec.devices:
                found.setdefault(f"{source.spec.kind}={device.name}", []).append(source)
        for name, claims in found.items():
            sources.pop(name, None)
            conflicts.pop(name, None)
            if len(claims) > 1:
                conflicts[name] = tuple(one.path for one in claims)
            else:
                sources[name] = claims[0]
    return CdiDevices(sources, conflicts, faults)


def resolve(devices: CdiDevices, names: Sequence[str]) -> ContainerEdits:
    """Return the edits of the named devices, those common to a file's devices once and first.

    Raises
    ------
    GpuUnavailableError
        A name that means nothing or two things, or a hook that must not run.
    """
    parts: list[ContainerEdits] = []
    seen: set[Path] = set()
    for name in dict.fromkeys(names):
        source = _source(devices, name)
        wanted = name.partition("=")[2]
        own = [one.container_edits for one in source.spec.devices if one.name == wanted]
        if source.path not in seen:
            own.insert(0, source.spec.container_edits)
        seen.add(source.path)
        for hook in (hook for edits in own for hook in edits.hooks):
            _require_trusted_hook(hook, source)
        parts += own
    return ContainerEdits.model_construct(
        env=tuple(one for part in parts for one in part.env),
        device_nodes=tuple(one for part in parts for one in part.device_nodes),
        mounts=tuple(one for part in parts for one in part.mounts),
        hooks=tuple(one for part in parts for one in part.hooks),
        additional_gids=tuple(one for part in parts for one in part.additional_gids),
    )


def completed(edits: ContainerEdits) -> ContainerEdits:
    """Fill in from the host's own nodes what the device nodes leave open: type, major and minor."""
    return edits.model_copy(update={"device_nodes": tuple(_completed(one) for one in edits.device_nodes)})


def _spec_files(folder: Path, faults: dict[Path, str]) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in _ENDINGS)
    except FileNotFoundError:
        return []
    except OSError as fault:
        faults[folder] = f"{folder}: {fault.strerror}"
        return []


def _read(folder: Path, path: Path) -> CdiSource:
    """Read a file of a folder that was opened before it was judged, so that neither can be exchanged between."""
    try:
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            file_fd = os.open(path.name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=folder_fd)
            with open(file_fd, "rb") as stream:
                owned = os.fstat(folder_fd), os.fstat(file_fd)
                if not stat.S_ISREG(owned[1].st_mode):
                    raise CdiSpecError(f"{path}: not a regular file", subject=str(path))
                data = stream.read(MAX_DOCUMENT_BYTES + 1)
        finally:
            os.close(folder_fd)
    except OSError as fault:
        raise CdiSpecError(f"{path}: {fault.strerror}", subject=str(path)) from fault
    for what, status in zip((folder, path), owned, strict=True):
        _require_own(what, status)
    return CdiSource(path, parse_cdi(data, path), all(_only_roots(status) for status in owned))


def _require_own(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        raise CdiSpecError(
            f"{path}: belongs to user {status.st_uid}, not to root or to whom Assay runs as",
            subject=str(path),
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CdiSpecError(f"{path}: others may write to it (chmod go-w {path})", subject=str(path))


def _only_roots(status: os.stat_result) -> bool:
    return status.st_uid == 0 and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _source(devices: CdiDevices, name: str) -> CdiSource:
    if name in devices.conflicts:
        claims = " and ".join(str(path) for path in devices.conflicts[name])
        raise GpuUnavailableError(
            f"the CDI device {name} is claimed by {claims}", subject=name, hint="remove one of the files"
        )
    if name not in devices.sources:
        unusable = "".join(f"; unusable: {fault}" for fault in devices.faults.values())
        raise GpuUnavailableError(
            f"no CDI spec file of this machine has the device {name}{unusable}", subject=name, hint=_HINT
        )
    return devices.sources[name]


def _require_trusted_hook(hook: CdiHook, source: CdiSource) -> None:
    with suppress(OSError):
        program = Path(hook.path).resolve(strict=True)
        if source.of_root and _only_roots(program.stat()) and _only_roots(program.parent.stat()):
            return
    raise GpuUnavailableError(
        f"{source.path}: the hook {hook.path} would run on the host and is not root's alone",
        subject=hook.path,
        hint="the spec file, its folder and the hook's program must belong to root and be writable by nobody else",
    )


def _completed(node: DeviceNode) -> DeviceNode:
    if node.type == "p" or (node.type is not None and node.major):
        return node.model_copy(update={"minor": node.minor or 0})
    path = node.host_path or node.path
    try:
        status = os.stat(path)
    except OSError as fault:
        raise GpuUnavailableError(
            f"the device node {path}, which a CDI spec file names, cannot be used: {fault.strerror}",
            subject=path,
            hint="load the device's driver, or make the spec files anew",
        ) from fault
    kind = "b" if stat.S_ISBLK(status.st_mode) else "c" if stat.S_ISCHR(status.st_mode) else ""
    # "u" is a character device without a buffer, which the kernel does not tell apart.
    if not kind or {"u": "c"}.get(node.type or kind, node.type or kind) != kind:
        raise GpuUnavailableError(
            f"{path} is no device node of type {node.type or 'b or c'}, as a CDI spec file says", subject=path
        )
    return node.model_copy(
        update={
            "type": node.type or kind,
            "major": os.major(status.st_rdev),
            "minor": os.minor(status.st_rdev),
        }
    )
