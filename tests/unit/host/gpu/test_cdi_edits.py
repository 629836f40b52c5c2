"""Container edits on an OCI runtime spec: what is added, and that nothing of the engine's is covered."""

import copy
import json
from typing import Any

import pytest

from host.errors import GpuUnavailableError
from host.gpu.cdi_edits import with_edits
from host.gpu.cdi_spec import ContainerEdits

OCI: dict[str, Any] = {
    "process": {"env": ["PATH=/bin", "COMMON=old"], "user": {"uid": 65534, "gid": 65534}},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
        {"destination": "/assay/in", "type": "bind", "source": "/x", "options": ["rbind", "ro"]},
    ],
    "linux": {"resources": {"devices": [{"allow": False, "access": "rwm"}]}},
}
NODE = {"path": "/dev/gpu0", "type": "c", "major": 195, "minor": 0}


def edited(**edits: Any) -> dict[str, Any]:
    before = copy.deepcopy(OCI)
    made = with_edits(OCI, ContainerEdits.model_validate_json(json.dumps(edits)))
    assert before == OCI, "the given spec is not modified"
    return made


def test_no_edit_changes_nothing() -> None:
    assert edited() == OCI


def test_a_variable_set_twice_has_the_value_of_the_edit_once() -> None:
    assert edited(env=["COMMON=new", "A=b=c"])["process"]["env"] == ["PATH=/bin", "COMMON=new", "A=b=c"]


def test_a_device_node_is_made_for_the_containers_user_and_allowed_after_the_ban_on_all() -> None:
    made = edited(deviceNodes=[NODE | {"fileMode": 0o660}])["linux"]
    assert made["devices"] == [NODE | {"fileMode": 0o660, "uid": 65534, "gid": 65534}]
    assert made["resources"]["devices"] == [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "major": 195, "minor": 0, "access": "rwm"},
    ]


def test_an_owner_and_permissions_that_are_said_stay() -> None:
    made = edited(deviceNodes=[NODE | {"uid": 0, "gid": 44, "permissions": "rw"}])["linux"]
    assert (made["devices"][0]["uid"], made["devices"][0]["gid"]) == (0, 44)
    assert made["resources"]["devices"][-1]["access"] == "rw"


def test_a_node_named_twice_is_made_once() -> None:
    made = edited(deviceNodes=[NODE, NODE | {"minor": 1}])["linux"]
    assert [(one["path"], one["minor"]) for one in made["devices"]] == [("/dev/gpu0", 1)]


def test_a_pipe_has_no_numbers_and_needs_no_rule() -> None:
    made = edited(deviceNodes=[{"path": "/dev/pipe", "type": "p"}])["linux"]
    assert "major" not in made["devices"][0]
    assert len(made["resources"]["devices"]) == 1


def test_mounts_are_bound_and_the_shallow_come_before_the_deep() -> None:
    deep = {
        "hostPath": "/usr/lib/deep/x.so",
        "containerPath": "/usr/lib/deep/x.so",
        "options": ["ro", "bind"],
    }
    made = edited(mounts=[deep, {"hostPath": "/opt/gpu", "containerPath": "/opt"}])["mounts"]
    assert made[:3] == OCI["mounts"]
    assert made[3:] == [
        {"destination": "/opt", "source": "/opt/gpu", "type": "bind", "options": ["rbind"]},
        {"destination": "/usr/lib/deep/x.so", "source": "/usr/lib/deep/x.so", "type": "bind",
         "options": ["ro", "bind"]},
    ]  # fmt: skip


def test_hooks_go_to_their_stage() -> None:
    hook = {
        "hookName": "createContainer",
        "path": "/bin/true",
        "args": ["true", "x"],
        "env": ["A=1"],
        "timeout": 5,
    }
    made = edited(hooks=[hook, {"hookName": "prestart", "path": "/bin/true"}])["hooks"]
    assert made == {
        "createContainer": [{"path": "/bin/true", "args": ["true", "x"], "env": ["A=1"], "timeout": 5}],
        "prestart": [{"path": "/bin/true"}],
    }


def test_groups_are_added_once_and_never_roots() -> None:
    made = edited(additionalGids=[44, 0, 109, 44])["process"]["user"]
    assert made["additionalGids"] == [44, 109]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/assay/in", "/assay"),
        ("/assay/out/result.json", "/assay"),
        ("/assay", "/assay"),
        ("/scratch/x", "/scratch"),
        ("/", "/proc"),
        ("/dev", "/dev"),
    ],
)
def test_a_mount_covers_nothing_that_the_engine_put_there(path: str, place: str) -> None:
    with pytest.raises(GpuUnavailableError, match=f"would cover {place}") as caught:
        edited(mounts=[{"hostPath": "/etc", "containerPath": path}])
    assert caught.value.subject == path


def test_a_device_node_covers_nothing_either() -> None:
    with pytest.raises(GpuUnavailableError, match="/assay/out/x"):
        edited(deviceNodes=[NODE | {"path": "/assay/out/x"}])
    with pytest.raises(GpuUnavailableError, match="/proc"):
        edited(deviceNodes=[NODE | {"path": "/proc"}])


@pytest.mark.parametrize("path", ["//assay/in", "//proc", "/assay//in", "//assay"])
def test_no_spelling_of_a_place_of_the_engines_is_covered(path: str) -> None:
    with pytest.raises(GpuUnavailableError, match="would cover"):
        edited(mounts=[{"hostPath": "/etc", "containerPath": path}])


def test_no_spelling_of_a_mount_of_the_engines_is_a_node() -> None:
    with pytest.raises(GpuUnavailableError, match="would cover"):
        edited(deviceNodes=[NODE | {"path": "//proc"}])
