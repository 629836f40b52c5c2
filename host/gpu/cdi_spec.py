"""What a Container Device Interface spec file may say, versions 0.3.0 to 1.1.0 of the CNCF's specification.

Closed models: an unknown field is a fault, as the specification demands of every reader. What Assay's containers
must not be given is refused by name: network devices (they have no network) and cache allocation (intelRdt).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationError

from host.errors import CdiSpecError
from plugin_spec.model import MAX_DOCUMENT_BYTES, StrictModel, first_fault
from registry.canonical import parse_json
from registry.errors import MalformedJsonError

VERSIONS = ("0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0")
HookName = Literal["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]


def _plain_path(path: str) -> str:
    parts = path.split("/")
    if not path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError("an absolute path without '..' is needed")
    # Spelt one way: a second slash must not make another place of one that is the engine's.
    return "/" + "/".join(part for part in parts if part not in {"", "."})


def _known_version(version: str) -> str:
    if version.removeprefix("v") not in VERSIONS:
        raise ValueError(f"version {version!r} is not known here; known: {', '.join(VERSIONS)}")
    return version.removeprefix("v")


AbsolutePath = Annotated[str, AfterValidator(_plain_path)]
Variable = Annotated[str, StringConstraints(pattern=r"^[^=\x00]+=[^\x00]*$")]
DeviceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?$")]
Kind = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?/[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"
    ),
]


class CdiModel(StrictModel):
    """Read by the names of the file format, used by ours."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_by_name=False)


class DeviceNode(CdiModel):
    """A device node to make in the container; what is not said is read from the host's node."""

    path: AbsolutePath
    host_path: AbsolutePath | None = Field(default=None, alias="hostPath")
    type: Literal["b", "c", "u", "p"] | None = None
    major: int | None = Field(default=None, ge=0)
    minor: int | None = Field(default=None, ge=0)
    file_mode: int | None = Field(default=None, alias="fileMode", ge=0, le=0o7777)
    permissions: Annotated[str, StringConstraints(pattern=r"^([rwm]{1,3}|none)?$")] = ""
    uid: int | None = Field(default=None, ge=0, lt=2**32)
    gid: int | None = Field(default=None, ge=0, lt=2**32)


class CdiMount(CdiModel):
    """A file or folder of the host to show in the container."""

    host_path: AbsolutePath = Field(alias="hostPath")
    container_path: AbsolutePath = Field(alias="containerPath")
    type: str = ""
    options: tuple[str, ...] = ()


class CdiHook(CdiModel):
    """A program of the host that the runtime starts, with the runtime's rights."""

    hook_name: HookName = Field(alias="hookName")
    path: AbsolutePath
    args: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    timeout: int | None = Field(default=None, gt=0)


class ContainerEdits(CdiModel):
    """What one device, or every device of a file, changes in a container."""

    env: tuple[Variable, ...] = ()
    device_nodes: tuple[DeviceNode, ...] = Field(default=(), alias="deviceNodes")
    mounts: tuple[CdiMount, ...] = ()
    hooks: tuple[CdiHook, ...] = ()
    additional_gids: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field(
        default=(), alias="additionalGids"
    )
    intel_rdt: dict[str, object] | None = Field(default=None, alias="intelRdt")
    net_devices: tuple[dict[str, object], ...] = Field(default=(), alias="netDevices")


class CdiDevice(CdiModel):
    """A device by its name within the file's kind."""

    name: DeviceName
    annotations: dict[str, str] = {}
    container_edits: ContainerEdits = Field(alias="containerEdits")


class CdiSpec(CdiModel):
    """One spec file."""

    cdi_version: Annotated[str, AfterValidator(_known_version)] = Field(alias="cdiVersion")
    kind: Kind
    annotations: dict[str, str] = {}
    devices: tuple[CdiDevice, ...] = Field(min_length=1)
    container_edits: ContainerEdits = Field(default=ContainerEdits(), alias="containerEdits")

    def all_edits(self) -> Iterator[ContainerEdits]:
        """The edits common to all devices, then those of each."""
        yield self.container_edits
        for device in self.devices:
            yield device.container_edits


def parse_cdi(data: bytes, path: Path) -> CdiSpec:
    """Read a spec file: YAML by its ending, else JSON.

    Raises
    ------
    CdiSpecError
        Too large, malformed, of an unknown version, or using what its version or Assay does not have.
    """
    document = _yaml_document(data, path) if path.suffix == ".yaml" else _json_document(data, path)
    try:
        spec = CdiSpec.model_validate_json(json.dumps(document, default=str))
    except ValidationError as fault:
        raise CdiSpecError(f"{path}: {first_fault(fault)}", subject=str(path)) from fault
    except (TypeError, ValueError) as fault:
        # YAML knows keys that are dates, and numbers of any length.
        raise CdiSpecError(f"{path}: no such thing stands in JSON: {fault}", subject=str(path)) from fault
    _check_names(spec, path)
    _check_version(spec, path)
    for edits in spec.all_edits():
        if edits.net_devices or edits.intel_rdt is not None:
            field = "netDevices" if edits.net_devices else "intelRdt"
            raise CdiSpecError(
                f"{path}: containerEdits.{field}: Assay's containers are given no such thing",
                subject=str(path),
            )
    return spec


def _json_document(data: bytes, path: Path) -> object:
    try:
        return parse_json(data, where=str(path), limit=MAX_DOCUMENT_BYTES)
    except MalformedJsonError as fault:
        raise CdiSpecError(fault.message, subject=str(path)) from fault


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases, which can make a small file endless, and without a key said twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "an alias is not allowed", None)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = Counter(key.value if isinstance(key.value, str) else "" for key, _ in node.value)
        for key, count in keys.items():
            if count > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} appears twice", node.start_mark
                )
        made: dict[object, object] = super().construct_mapping(node, deep)
        return made


def _yaml_document(data: bytes, path: Path) -> object:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise CdiSpecError(f"{path}: larger than {MAX_DOCUMENT_BYTES} bytes", subject=str(path))
    try:
        return yaml.load(data, _PlainLoader)  # noqa: S506 - a SafeLoader, made stricter
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as fault:
        said = " ".join(str(fault).split())
        raise CdiSpecError(f"{path}: not valid YAML: {said}", subject=str(path)) from fault


def _check_names(spec: CdiSpec, path: Path) -> None:
    names = [device.name for device in spec.devices]
    for name in names:
        if names.count(name) > 1:
            raise CdiSpecError(
                f"{path}: devices: the name {name!r} appears twice", subject=f"{spec.kind}={name}"
            )


def _check_version(spec: CdiSpec, path: Path) -> None:
    needed, why = _version_needed(spec)
    if VERSIONS.index(needed) > VERSIONS.index(spec.cdi_version):
        raise CdiSpecError(
            f"{path}: cdiVersion: {spec.cdi_version} has no {why}; it needs {needed}", subject=str(path)
        )


def _version_needed(spec: CdiSpec) -> tuple[str, str]:
    """The lowest version that has everything the file uses, and what in the file needs it."""
    edits = tuple(spec.all_edits())
    uses = (
        ("1.1.0", "netDevices", any(one.net_devices for one in edits)),
        ("0.7.0", "additionalGids", any(one.additional_gids for one in edits)),
        ("0.7.0", "intelRdt", any(one.intel_rdt is not None for one in edits)),
        ("0.6.0", "annotations", bool(spec.annotations) or any(one.annotations for one in spec.devices)),
        ("0.6.0", "dot in a class", "." in spec.kind.partition("/")[2]),
        ("0.5.0", "device name that starts with a digit", any(_digit(one.name) for one in spec.devices)),
        ("0.5.0", "hostPath of a node", any(node.host_path for one in edits for node in one.device_nodes)),
        ("0.4.0", "type of a mount", any(mount.type for one in edits for mount in one.mounts)),
    )
    return next(((version, why) for version, why, used in uses if used), ("0.3.0", ""))


def _digit(name: str) -> bool:
    return re.match(r"[0-9]", name) is not None
