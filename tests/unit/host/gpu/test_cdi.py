"""Names to devices: folders and their order, conflicts, whose files are believed, and whose hooks may run."""

import os
from pathlib import Path

import pytest

from host.errors import GpuUnavailableError
from host.gpu.cdi import apply_cdi, completed, read_devices, resolve, spec_folders
from host.gpu.cdi_spec import ContainerEdits, DeviceNode
from tests.support.cdi_files import device, write_cdi

ONE, TWO = "vendor.example/gpu=one", "vendor.example/gpu=two"
HOOK = {"hookName": "createContainer", "path": "/bin/true"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make files of other users")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "etc", tmp_path / "run"


def test_a_named_device_is_applied_with_what_all_devices_share(folders: tuple[Path, Path]) -> None:
    write_cdi(folders[0])
    made = apply_cdi({"process": {"user": {"uid": 65534}}}, [ONE, TWO, ONE], folders)
    assert made["process"]["env"] == ["COMMON=1", "SEEN_one=1", "SEEN_two=1"]
    null = os.stat("/dev/null").st_rdev
    assert made["linux"]["devices"] == [
        {"path": "/dev/null", "type": "c", "major": os.major(null), "minor": os.minor(null), "uid": 65534}
    ]


def test_without_folders_no_name_means_anything(folders: tuple[Path, Path]) -> None:
    with pytest.raises(
        GpuUnavailableError, match=f"no CDI spec file of this machine has the device {ONE}"
    ) as caught:
        apply_cdi({}, [ONE], folders)
    assert "nvidia-ctk cdi generate" in caught.value.hint


def test_the_later_folder_wins(folders: tuple[Path, Path]) -> None:
    write_cdi(folders[0], devices=[device("one", env=["FROM=etc"]), device("two", env=["FROM=etc"])])
    write_cdi(folders[1], devices=[device("one", env=["FROM=run"])], containerEdits={})
    assert resolve(read_devices(folders), [ONE]).env == ("FROM=run",)
    assert resolve(read_devices(folders), [TWO]).env == ("COMMON=1", "FROM=etc")
    assert resolve(read_devices(folders[::-1]), [ONE]).env == ("COMMON=1", "FROM=etc")


def test_a_name_that_two_files_of_a_folder_claim_means_nothing(folders: tuple[Path, Path]) -> None:
    first, second = write_cdi(folders[0]), write_cdi(folders[0], "other.yaml", devices=[device("one")])
    found = read_devices(folders)
    with pytest.raises(GpuUnavailableError) as caught:
        resolve(found, [ONE])
    assert str(first) in caught.value.message
    assert str(second) in caught.value.message
    assert resolve(found, [TWO]).env == ("COMMON=1", "SEEN_two=1")


def test_a_later_folder_settles_a_conflict(folders: tuple[Path, Path]) -> None:
    write_cdi(folders[0])
    write_cdi(folders[0], "other.json", devices=[device("one")])
    write_cdi(folders[1], devices=[device("one", env=["FROM=run"])], containerEdits={})
    assert resolve(read_devices(folders), [ONE]).env == ("FROM=run",)


def test_a_file_that_cannot_be_used_hides_only_its_own_devices_and_is_named(
    folders: tuple[Path, Path],
) -> None:
    write_cdi(folders[0])
    bad = write_cdi(folders[0], "bad.json", kind="other.example/npu", cdiVersion="9.0.0")
    (folders[0] / "notes.txt").write_text("not a spec file")
    found = read_devices(folders)
    assert resolve(found, [ONE]).env == ("COMMON=1", "SEEN_one=1")
    with pytest.raises(GpuUnavailableError, match="unusable") as caught:
        resolve(found, ["other.example/npu=one"])
    assert str(bad) in caught.value.message
    assert "cdiVersion" in caught.value.message


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_is_not_believed(folders: tuple[Path, Path], mode: int) -> None:
    write_cdi(folders[0]).chmod(mode)
    with pytest.raises(GpuUnavailableError, match="others may write to it"):
        resolve(read_devices(folders), [ONE])


def test_a_folder_that_others_may_write_is_not_believed(folders: tuple[Path, Path]) -> None:
    write_cdi(folders[0])
    folders[0].chmod(0o777)
    with pytest.raises(GpuUnavailableError, match="others may write to it"):
        resolve(read_devices(folders), [ONE])


@as_root
def test_a_file_of_another_user_is_not_believed(folders: tuple[Path, Path]) -> None:
    os.chown(write_cdi(folders[0]), 1234, 1234)
    with pytest.raises(GpuUnavailableError, match="belongs to user 1234"):
        resolve(read_devices(folders), [ONE])


def test_a_spec_that_is_no_regular_file_is_a_fault_and_blocks_nothing(folders: tuple[Path, Path]) -> None:
    write_cdi(folders[0])
    os.mkfifo(folders[0] / "pipe.json")
    found = read_devices(folders)
    assert "not a regular file" in found.faults[folders[0] / "pipe.json"]
    assert ONE in found.sources


@as_root
def test_a_hook_of_roots_alone_is_taken(folders: tuple[Path, Path]) -> None:
    write_cdi(folders[0], devices=[device("one", hooks=[HOOK])])
    assert apply_cdi({}, [ONE], folders)["hooks"]["createContainer"] == [{"path": "/bin/true"}]


@as_root
@pytest.mark.parametrize("whose", ["program", "program's folder", "missing program"])
def test_a_hook_whose_program_others_could_exchange_is_refused(
    folders: tuple[Path, Path], tmp_path: Path, whose: str
) -> None:
    program = tmp_path / "hooks" / "hook"
    program.parent.mkdir(mode=0o755)
    if whose != "missing program":
        program.write_text("#!/bin/sh\n")
        program.chmod(0o775 if whose == "program" else 0o755)
    if whose == "program's folder":
        program.parent.chmod(0o777)
    write_cdi(folders[0], devices=[device("one", hooks=[HOOK | {"path": str(program)}]), device("two")])
    with pytest.raises(GpuUnavailableError, match="would run on the host") as caught:
        apply_cdi({}, [ONE], folders)
    assert str(program) in caught.value.message
    assert apply_cdi({}, [TWO], folders), "a device without the hook is usable"


@as_root
def test_a_spec_file_that_is_not_roots_brings_no_hook(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(write_cdi(folders[0], devices=[device("one", hooks=[HOOK]), device("two")]), 1234, 1234)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    with pytest.raises(GpuUnavailableError, match="would run on the host"):
        apply_cdi({}, [ONE], folders)
    assert apply_cdi({}, [TWO], folders)


def test_a_device_node_that_is_not_there_is_named(folders: tuple[Path, Path]) -> None:
    write_cdi(folders[0], devices=[device("one", deviceNodes=[{"path": "/dev/no-such-gpu"}])])
    with pytest.raises(GpuUnavailableError, match="/dev/no-such-gpu"):
        apply_cdi({}, [ONE], folders)


def node(**fields: object) -> DeviceNode:
    return DeviceNode.model_validate(fields)


def test_a_complete_node_needs_no_look_at_the_host() -> None:
    edits = ContainerEdits.model_construct(device_nodes=(node(path="/dev/x", type="c", major=195),))
    (made,) = completed(edits).device_nodes
    assert (made.type, made.major, made.minor) == ("c", 195, 0)


def test_a_node_is_looked_up_under_its_host_path() -> None:
    edits = ContainerEdits.model_construct(device_nodes=(node(path="/dev/x", hostPath="/dev/zero"),))
    (made,) = completed(edits).device_nodes
    zero = os.stat("/dev/zero").st_rdev
    assert (made.path, made.type, made.major, made.minor) == ("/dev/x", "c", os.major(zero), os.minor(zero))


@pytest.mark.parametrize("fields", [{"path": "/etc/hostname"}, {"path": "/dev/null", "type": "b"}])
def test_a_node_of_another_type_than_said_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(GpuUnavailableError, match="no device node of type"):
        completed(ContainerEdits.model_construct(device_nodes=(node(**fields),)))


def test_the_folders_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_CDI_FOLDERS", raising=False)
    assert spec_folders() == (Path("/etc/cdi"), Path("/var/run/cdi"))
    monkeypatch.setenv("ASSAY_CDI_FOLDERS", "/a:/b")
    assert spec_folders() == (Path("/a"), Path("/b"))
