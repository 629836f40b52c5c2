"""``assay gpu list``: what the machine has, who holds it, and why there is nothing."""

from pathlib import Path

import pytest

from host.gpu.lease import Wanted, lease
from host.gpu.lease_files import FOLDER_VARIABLE, Holder
from tests.support.cli import Cli
from tests.support.gpus import A100, L4, a_gpu
from tests.support.nvml_library import DRIVER_NOT_LOADED, Card, NvmlLibrary, installed

HOLDER = Holder(pid=1, run="0123456789abcdef", engine="docker")


@pytest.fixture(autouse=True)
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "leases"))
    return tmp_path / "leases"


def test_gpus_are_listed_with_who_holds_them(nowhere: Cli) -> None:
    cards = (Card(A100), Card(L4, "NVIDIA L4", 24 * 1024**3, (8, 9)))
    with installed(NvmlLibrary(cards)), lease(Wanted(candidates=(a_gpu(),), count=1), HOLDER):
        lines = nowhere.do("gpu", "list").out.splitlines()
    assert lines[0].split() == ["uuid", "model", "memory", "driver", "capability", "held", "by"]
    assert f"{A100}  NVIDIA A100-PCIE-40GB  40960 MiB  550.54.15  8.0" in lines[1]
    assert "process 1 (run 0123456789abcdef, engine docker)" in lines[1]
    assert lines[2].endswith("8.9         free")


def test_where_there_is_none_the_reason_is_said(nowhere: Cli) -> None:
    with installed(NvmlLibrary(init_answer=DRIVER_NOT_LOADED)):
        answer = nowhere.do("gpu", "list")
    assert answer.out.splitlines() == ["(none)"]
    assert "nvidia: the driver does not answer" in answer.err
    assert "amd:" in answer.err


def test_the_same_is_one_document(nowhere: Cli) -> None:
    with installed(NvmlLibrary((Card(A100, instances=(0,)),))):
        document = nowhere.do("gpu", "list", "--json").document
    (device,) = document["devices"]
    assert (device["parent"], device["held_by"], device["vendor"]) == (A100, "", "nvidia")
    assert device["requested_as"] == device["uuid"]


def test_listing_makes_no_folder(nowhere: Cli, leases: Path) -> None:
    with installed(NvmlLibrary((Card(A100),))):
        nowhere.do("gpu", "list")
    assert not leases.exists()
