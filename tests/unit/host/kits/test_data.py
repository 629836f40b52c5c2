"""Case files are used only under the digests of cases.csv, each time."""

import shutil

import pytest

from host.errors import KitDigestError
from host.kits.data import check_data, data_folder, ensure_data
from host.kits.kit import read_kit
from tests.support.tiny_host import TinyHost


def test_case_files_that_were_made_are_checked_and_not_made_again(host: TinyHost) -> None:
    said: list[str] = []
    assert ensure_data(host.home, host.kit, host.engine, say=said.append) == data_folder(host.home, host.kit)
    assert said == ["check the digests of 5 case files"]
    assert host.engine.ran == []


def test_one_flipped_bit_of_a_reference_is_found(host: TinyHost) -> None:
    path = data_folder(host.home, host.kit) / "reference" / "cube-2.nii"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(KitDigestError, match=r"reference/cube-2\.nii has digest") as refused:
        check_data(host.home, host.kit)
    assert "to make the files again" in refused.value.hint


def test_a_source_that_is_not_the_declared_one_makes_nothing(host: TinyHost) -> None:
    shutil.rmtree(data_folder(host.home, host.kit))
    (host.kit.path / "cubes.json").write_text("[]")
    with pytest.raises(KitDigestError, match="source cubes"):
        ensure_data(host.home, read_kit(host.kit.path), host.engine, say=lambda line: None)
    assert not data_folder(host.home, host.kit).exists()
    assert list(host.home.runs.iterdir()) == []
