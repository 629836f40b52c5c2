import json

from host.images.identity import image_id, plugin_config, runtime_command

LAYER = f"sha256:{'a' * 64}"


def config(**changes):
    given = {
        "cmd": runtime_command("adapter"),
        "diff_ids": (LAYER,),
        "steps": ("base",),
        "labels": {},
        "env": {},
    }
    return plugin_config(**{**given, **changes})


def test_the_config_says_what_the_container_wall_promises():
    document = json.loads(config(env={"OMP_NUM_THREADS": "1"}, labels={"b": "2", "a": "1"}).to_bytes())
    assert document["created"] == "1970-01-01T00:00:00Z"
    assert (document["os"], document["architecture"]) == ("linux", "amd64")
    assert document["rootfs"] == {"diff_ids": [LAYER], "type": "layers"}
    assert document["config"] == {
        "Cmd": ["python3", "-m", "plugin_spec.runtime", "adapter"],
        "Env": [
            "HOME=/scratch",
            "LANG=C.UTF-8",
            "OMP_NUM_THREADS=1",
            "PATH=/usr/bin",
            "PYTHONDONTWRITEBYTECODE=1",
            "PYTHONPATH=/opt/assay:/opt/site",
            "TMPDIR=/scratch",
        ],
        "Labels": {"a": "1", "b": "2"},
        "User": "65534:65534",
        "WorkingDir": "/scratch",
    }


def test_the_identity_is_the_sha256_of_the_config():
    # FIPS 180-2, appendix B.1
    assert image_id(b"abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_identity_changes_with_every_input_and_not_with_the_order_of_labels():
    same = image_id(config(labels={"a": "1", "b": "2"}).to_bytes())
    assert image_id(config(labels={"b": "2", "a": "1"}).to_bytes()) == same
    changes = [
        {"cmd": runtime_command("other")},
        {"diff_ids": (f"sha256:{'b' * 64}",)},
        {"env": {"X": "1"}},
        {"labels": {"a": "2"}},
    ]
    assert len({image_id(config(**change).to_bytes()) for change in changes} | {same}) == 5
