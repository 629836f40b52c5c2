import json

import pytest

from host.errors import ArchiveError
from host.images.foreign import derived_config, read_config

LAYER, ADDED = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
# As `docker build` 20.10 writes it, shortened.
DOCKER = {
    "architecture": "amd64",
    "config": {
        "User": "1000:1000",
        "Env": ["PATH=/opt/bin:/usr/bin", "A=1", "A=2"],
        "Entrypoint": ["/usr/bin/tool"],
        "Cmd": ["--fast"],
        "Volumes": {"/data": {}},
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Labels": None,
        "OnBuild": None,
    },
    "container": "0123",
    "created": "2026-11-24T23:00:00.123456789Z",
    "docker_version": "20.10.24+dfsg1",
    "history": [{"created": "2026-11-24T23:00:00Z", "created_by": "/bin/sh -c #(nop) ADD"}],
    "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": [LAYER]},
}


def data(**changes):
    return json.dumps({**DOCKER, **changes}).encode()


def test_only_what_is_acted_on_is_read():
    config = read_config(data(), where="config")
    assert (config.architecture, config.os, config.user) == ("amd64", "linux", "1000:1000")
    assert config.command == ("/usr/bin/tool", "--fast")
    assert config.environment == {"PATH": "/opt/bin:/usr/bin", "A": "2"}
    assert config.volumes == ("/data",)
    assert config.diff_ids == (LAYER,)


def test_what_is_absent_is_empty():
    config = read_config(json.dumps({"rootfs": {"diff_ids": [LAYER]}}).encode(), where="config")
    assert (config.architecture, config.user, config.command, config.volumes) == ("", "", (), ())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"rootfs": {"diff_ids": []}}, r"rootfs\.diff_ids"),
        ({"rootfs": {"diff_ids": ["../../etc/passwd"]}}, r"rootfs\.diff_ids"),
        ({"rootfs": None}, "rootfs"),
        ({"config": {"Env": "PATH=/"}}, r"config\.Env"),
    ],
)
def test_a_config_that_names_no_usable_layers_is_one_clear_line(change, named):
    with pytest.raises(ArchiveError, match=f"the config: {named}"):
        read_config(data(**change), where="the config")


def test_a_key_given_twice_is_refused():
    with pytest.raises(ArchiveError, match="twice"):
        read_config(data().replace(b'"os"', b'"os": "plan9", "os"', 1), where="config")


def test_layers_on_top_keep_the_lower_image_and_lose_where_it_was_built():
    derived = derived_config(
        data(),
        added=[(ADDED, "adapter")],
        cmd=("/usr/bin/python3", "-m", "plugin_spec.runtime", "adapter"),
        environment={"PYTHONPATH": "/opt/assay"},
        labels={"title": "tool"},
    )
    document = json.loads(derived)
    assert document["rootfs"]["diff_ids"] == [LAYER, ADDED]
    assert [step["created_by"] for step in document["history"]] == ["/bin/sh -c #(nop) ADD", "adapter"]
    assert document["config"]["Env"] == ["A=2", "PATH=/opt/bin:/usr/bin", "PYTHONPATH=/opt/assay"]
    assert document["config"]["User"] == "1000:1000"
    assert "Entrypoint" not in document["config"]
    assert not {"container", "docker_version"} & set(document)
    assert read_config(derived, where="derived").command[-1] == "adapter"


def test_the_derived_config_does_not_depend_on_when_the_lower_image_was_built():
    later = data(created="2027-01-01T00:00:00Z", container="4567", docker_version="29")
    arguments = {"added": [(ADDED, "adapter")], "cmd": ("x",), "environment": {}, "labels": {}}
    assert derived_config(data(), **arguments) == derived_config(later, **arguments)
