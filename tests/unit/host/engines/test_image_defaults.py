import json

import pytest

from host.engines.image_defaults import (
    image_defaults,
    require_no_volumes,
    require_plain_working_folder,
)
from host.errors import EngineRefusedError, ImageLoadError

ROOTFS = {"type": "layers", "diff_ids": [f"sha256:{'ab' * 32}"]}


def config(**container: object) -> bytes:
    return json.dumps(
        {"architecture": "amd64", "config": container, "rootfs": ROOTFS, "os": "linux"}
    ).encode()


def test_entrypoint_and_command_are_one_argv() -> None:
    assert image_defaults(config(Entrypoint=["/tool"], Cmd=["--help"]), subject="x").argv == (
        "/tool",
        "--help",
    )


def test_nulls_of_foreign_tools_are_nothing() -> None:
    found = image_defaults(
        config(Entrypoint=None, Cmd=None, Env=None, Volumes=None, WorkingDir="", User="root"), subject="x"
    )
    assert (found.argv, found.working_folder, found.volumes) == ((), "/", ())


def test_an_image_without_a_path_gets_dockers() -> None:
    found = image_defaults(config(Env=["A=1=2"]), subject="x")
    assert found.environment == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "A": "1=2",
    }
    assert image_defaults(config(Env=["PATH=/opt"]), subject="x").environment == {"PATH": "/opt"}


def test_a_config_without_container_defaults_is_one() -> None:
    bare = json.dumps({"architecture": "amd64", "rootfs": ROOTFS}).encode()
    assert image_defaults(bare, subject="x").argv == ()


@pytest.mark.parametrize("data", [b"{}", b"[]", b"\xff", config(Cmd="a shell line")])
def test_what_is_no_config_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(ImageLoadError, match=r"tool\.tar: the image's config"):
        image_defaults(data, subject="tool.tar")


def test_a_config_in_which_two_readers_could_see_two_images_is_refused() -> None:
    data = config().replace(b'"architecture"', b'"architecture": "arm64", "architecture"', 1)
    with pytest.raises(ImageLoadError, match="twice"):
        image_defaults(data, subject="tool.tar")


def test_volumes_are_refused_by_name() -> None:
    volumes = image_defaults(config(Volumes={"/data": {}, "/a": {}}), subject="x").volumes
    with pytest.raises(EngineRefusedError, match="/a, /data"):
        require_no_volumes(volumes, image_id="sha256:ab")


@pytest.mark.parametrize(
    ("given", "meant"), [("work", "/work"), ("/a/../b/", "/b"), ("//x", "/x"), ("", "/")]
)
def test_a_working_folder_is_absolute(given: str, meant: str) -> None:
    assert image_defaults(config(WorkingDir=given), subject="x").working_folder == meant


@pytest.mark.parametrize(
    "folder", ["/proc/self/fd/7", "/x/../proc/self/fd/7", "proc/1/cwd", "/sys", "/dev/fd"]
)
def test_a_working_folder_of_the_kernels_is_refused(folder: str) -> None:
    found = image_defaults(config(WorkingDir=folder), subject="x").working_folder
    with pytest.raises(EngineRefusedError, match="working folder"):
        require_plain_working_folder(found, image_id="sha256:ab")
