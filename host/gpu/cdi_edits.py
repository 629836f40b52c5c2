"""Container edits of the Container Device Interface applied to an OCI runtime spec. Pure.

The order of things is that of the reference implementation: environment, device nodes, mounts, hooks, groups. One
rule is stricter: an edit may add to a container and never takes the place of what the engine gave it, so no spec
file can show another folder under ``/assay`` or hide a mount of the engine's.
"""

import copy
from pathlib import PurePosixPath
from typing import Any

from host.errors import GpuUnavailableError
from host.gpu.cdi_spec import CdiHook, CdiMount, ContainerEdits, DeviceNode

OWN_PLACES = ("/assay", "/scratch")


def with_edits(oci_spec: dict[str, Any], edits: ContainerEdits) -> dict[str, Any]:
    """Return a copy of an OCI runtime spec (config.json) with ``edits`` applied.

    Parameters
    ----------
    oci_spec : dict
        As the engine would start it; not modified.
    edits : ContainerEdits
        With complete device nodes: type, major and minor are known (`host.gpu.cdi.completed`).

    Raises
    ------
    GpuUnavailableError
        A mount or device node would cover what the engine put there.
    """
    spec = copy.deepcopy(oci_spec)
    process, linux = spec.setdefault("process", {}), spec.setdefault("linux", {})
    if edits.env:
        process["env"] = _environment(process.get("env") or [], edits.env)
    mounts = spec.setdefault("mounts", [])
    engine_places = [str(mount["destination"]) for mount in mounts]
    for node in edits.device_nodes:
        _add_node(linux, node, process.get("user") or {}, engine_places)
    for mount in sorted(edits.mounts, key=lambda one: len(PurePosixPath(one.container_path).parts)):
        _require_free(mount.container_path, engine_places)
        mounts[:] = [one for one in mounts if one["destination"] != mount.container_path]
        mounts.append(_oci_mount(mount))
    for hook in edits.hooks:
        spec.setdefault("hooks", {}).setdefault(hook.hook_name, []).append(_oci_hook(hook))
    if groups := [gid for gid in edits.additional_gids if gid]:
        user = process.setdefault("user", {})
        present = list(user.get("additionalGids") or [])
        user["additionalGids"] = present + sorted(set(groups) - set(present))
    return spec


def _environment(present: list[str], added: tuple[str, ...]) -> list[str]:
    """A variable that is set twice keeps its last value."""
    new = dict(entry.split("=", 1) for entry in added)
    kept = [entry for entry in present if entry.split("=", 1)[0] not in new]
    return kept + [f"{name}={value}" for name, value in new.items()]


def _add_node(
    linux: dict[str, Any], node: DeviceNode, user: dict[str, Any], engine_places: list[str]
) -> None:
    _require_outside_own_places(node.path)
    if node.path in engine_places:
        raise _covered(node.path, node.path)
    device: dict[str, Any] = {"path": node.path, "type": node.type}
    if node.type != "p":
        device |= {"major": node.major, "minor": node.minor}
    if node.file_mode is not None:
        device["fileMode"] = node.file_mode
    for name, given in (("uid", node.uid), ("gid", node.gid)):
        # A node without an owner belongs to whom the container runs as: it has no capability to open another's.
        owner = given if given is not None else user.get(name) or None
        if owner is not None:
            device[name] = owner
    devices = linux.setdefault("devices", [])
    devices[:] = [one for one in devices if one["path"] != node.path] + [device]
    if node.type in {"b", "c"}:
        rules = linux.setdefault("resources", {}).setdefault("devices", [])
        access = {"": "rwm", "none": ""}.get(node.permissions, node.permissions)
        rules.append(
            {"allow": True, "type": node.type, "major": node.major, "minor": node.minor, "access": access}
        )


def _oci_mount(mount: CdiMount) -> dict[str, Any]:
    options = list(mount.options)
    if not mount.type and not {"bind", "rbind"}.intersection(options):
        options.append("rbind")
    return {
        "destination": mount.container_path,
        "source": mount.host_path,
        "type": mount.type or "bind",
        "options": options,
    }


def _oci_hook(hook: CdiHook) -> dict[str, Any]:
    made: dict[str, Any] = {"path": hook.path}
    if hook.args:
        made["args"] = list(hook.args)
    if hook.env:
        made["env"] = list(hook.env)
    if hook.timeout is not None:
        made["timeout"] = hook.timeout
    return made


def _require_free(path: str, engine_places: list[str]) -> None:
    _require_outside_own_places(path)
    wanted = PurePosixPath(path)
    for place in engine_places:
        if PurePosixPath(place).is_relative_to(wanted):
            raise _covered(path, place)


def _require_outside_own_places(path: str) -> None:
    for place in OWN_PLACES:
        if PurePosixPath(path).is_relative_to(place):
            raise _covered(path, place)


def _covered(path: str, place: str) -> GpuUnavailableError:
    return GpuUnavailableError(
        f"a CDI edit puts {path} into the container, where it would cover {place}",
        subject=path,
        hint="correct the spec file: an edit may add to a container and never replaces what Assay mounts",
    )
