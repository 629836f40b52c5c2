"""Spec files of the Container Device Interface: what is read, and what is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from host.errors import CdiSpecError
from host.gpu.cdi_spec import VERSIONS, parse_cdi
from tests.support.cdi_files import cdi_document, device

JSON = Path("vendor.json")
YAML = Path("vendor.yaml")
MOUNT = {"hostPath": "/a", "containerPath": "/a"}

# As `nvidia-ctk cdi generate` writes them, shortened.
GENERATED = b"""---
cdiVersion: 0.5.0
containerEdits:
  deviceNodes:
  - path: /dev/nvidiactl
  env:
  - NVIDIA_VISIBLE_DEVICES=void
  hooks:
  - args: [nvidia-cdi-hook, update-ldcache, --folder, /usr/lib64]
    hookName: createContainer
    path: /usr/bin/nvidia-cdi-hook
  mounts:
  - containerPath: /usr/lib64/libcuda.so.550.54
    hostPath: /usr/lib64/libcuda.so.550.54
    options: [ro, nosuid, nodev, bind]
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/nvidia0
      fileMode: 0666
  name: GPU-11111111-2222-3333-4444-555555555555
- containerEdits:
    deviceNodes:
    - hostPath: /dev/nvidia0
      path: /dev/nvidia0
  name: "0"
kind: nvidia.com/gpu
"""


def as_json(**changes: Any) -> bytes:
    return json.dumps(cdi_document(**changes)).encode()


def fault(data: bytes, path: Path = JSON) -> str:
    with pytest.raises(CdiSpecError) as caught:
        parse_cdi(data, path)
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith(str(path))
    return caught.value.message


def test_a_generated_yaml_file_is_read() -> None:
    spec = parse_cdi(GENERATED, YAML)
    assert spec.kind == "nvidia.com/gpu"
    assert [one.name for one in spec.devices] == ["GPU-11111111-2222-3333-4444-555555555555", "0"]
    assert spec.devices[0].container_edits.device_nodes[0].file_mode == 0o666
    assert spec.container_edits.hooks[0].args[1] == "update-ldcache"


def test_json_and_yaml_say_the_same() -> None:
    assert parse_cdi(as_json(), JSON) == parse_cdi(as_json(), YAML)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_released_version_is_read(version: str) -> None:
    assert parse_cdi(as_json(cdiVersion=version), JSON).cdi_version == version


@pytest.mark.parametrize("version", ["0.2.0", "1.2.0", "2.0.0", "", "one"])
def test_an_unknown_version_is_refused_and_the_known_ones_are_named(version: str) -> None:
    assert "known: 0.3.0" in fault(as_json(cdiVersion=version))


@pytest.mark.parametrize(
    ("version", "changes", "needed"),
    [
        ("0.3.0", {"devices": [device("a", mounts=[MOUNT | {"type": "bind"}])]}, "0.4.0"),
        ("0.4.0", {"devices": [device("0")]}, "0.5.0"),
        ("0.4.0", {"devices": [device("a", deviceNodes=[{"path": "/dev/a", "hostPath": "/dev/b"}])]}, "0.5.0"),
        ("0.5.0", {"annotations": {"a": "b"}}, "0.6.0"),
        ("0.5.0", {"kind": "vendor.example/gpu.whole"}, "0.6.0"),
        ("0.6.0", {"containerEdits": {"additionalGids": [44]}}, "0.7.0"),
    ],
)  # fmt: skip
def test_a_file_that_uses_more_than_its_version_has_is_refused(
    version: str, changes: dict[str, Any], needed: str
) -> None:
    assert f"it needs {needed}" in fault(as_json(cdiVersion=version, **changes))
    assert parse_cdi(as_json(cdiVersion=needed, **changes), JSON).cdi_version == needed


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"surprise": 1}, "surprise: unknown field"),
        ({"kind": "gpu"}, "kind"),
        ({"kind": "vendor.example/gpu=0"}, "kind"),
        ({"devices": []}, "devices"),
        ({"devices": [device("a"), device("a")]}, "appears twice"),
        ({"devices": [device("../a")]}, "devices.0.name"),
        ({"devices": [device("a", env=["NOEQUALS"])]}, "devices.0.containerEdits.env.0"),
        ({"devices": [device("a", deviceNodes=[{"path": "dev/a"}])]}, "deviceNodes.0.path"),
        ({"devices": [device("a", deviceNodes=[{"path": "/dev/../etc/a"}])]}, "deviceNodes.0.path"),
        ({"devices": [device("a", deviceNodes=[{"path": "/dev/a", "permissions": "x"}])]}, "permissions"),
        ({"devices": [device("a", deviceNodes=[{"path": "/dev/a", "major": -1}])]}, "major"),
        ({"devices": [device("a", deviceNodes=[{"path": "/dev/a", "type": "d"}])]}, "type"),
        ({"devices": [device("a", hooks=[{"hookName": "before", "path": "/bin/true"}])]}, "hookName"),
        ({"devices": [device("a", hooks=[{"hookName": "prestart", "path": "true"}])]}, "hooks.0.path"),
        ({"devices": [device("a", mounts=[{"hostPath": "/a"}])]}, "containerPath"),
        ({"cdiVersion": "1.1.0", "containerEdits": {"netDevices": [{"name": "eth0"}]}}, "netDevices"),
        ({"cdiVersion": "0.7.0", "containerEdits": {"intelRdt": {"closID": "a"}}}, "intelRdt"),
    ],
)
def test_what_does_not_fit_is_named_by_file_and_field(changes: dict[str, Any], named: str) -> None:
    assert named in fault(as_json(**changes))


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (b"{", JSON),
        (b'{"kind": "a/b", "kind": "c/d"}', JSON),
        (b"a: [", YAML),
        (b"kind: a/b\nkind: c/d\n", YAML),
        (b"a: &x [1]\nb: *x\n", YAML),
        (b"!!python/object/apply:os.system [echo]", YAML),
        (b"\xff\xfe", YAML),
        (b" " * (1024 * 1024 + 1), YAML),
        (b" " * (1024 * 1024 + 1), JSON),
        (b"just words", YAML),
        (b"", YAML),
    ],
)
def test_what_is_no_plain_document_is_refused(data: bytes, path: Path) -> None:
    fault(data, path)


@pytest.mark.parametrize(
    "data", [b"cdiVersion: 0x" + b"f" * 5000 + b"\n", b"2001-01-01: x\n"], ids=["huge number", "date as key"]
)
def test_yaml_that_is_no_json_is_a_fault_of_the_file(data: bytes) -> None:
    assert "no such thing stands in JSON" in fault(data, YAML)


def test_a_second_slash_makes_no_other_place() -> None:
    edits = {"mounts": [MOUNT | {"containerPath": "//a/./b//c"}]}
    spec = parse_cdi(as_json(devices=[device("a", **edits)]), JSON)
    assert spec.devices[0].container_edits.mounts[0].container_path == "/a/b/c"
