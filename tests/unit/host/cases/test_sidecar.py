"""BIDS sidecars: scalars are read, everything doubtful is refused in one line."""

import json

import pytest

from host.cases.errors import SidecarError
from host.cases.sidecar import SIDECAR_BYTES_MAX, read_sidecar, sidecar_path


@pytest.mark.parametrize("name", ["sub-01_T1w.nii", "sub-01_T1w.nii.gz"])
def test_scalars_of_the_file_with_the_same_name_are_read(tmp_path, name):
    document = {"Manufacturer": "Siemens", "EchoTime": 0.003, "Slices": 176, "Nonlinear": True}
    (tmp_path / "sub-01_T1w.json").write_text(
        json.dumps({**document, "ImageType": ["ORIGINAL"], "Note": None})
    )
    assert read_sidecar(tmp_path / name) == document


def test_only_the_ending_of_a_name_is_replaced(tmp_path):
    assert sidecar_path(tmp_path / "a.nii.b.nii.gz").name == "a.nii.b.json"


def test_an_image_without_sidecar_has_no_tags(tmp_path):
    assert read_sidecar(tmp_path / "scan.nii.gz") == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"[1]", "not a JSON object"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b'{"A": 1, "A": 2}', "'A' stands twice"),
        (b'{"A": NaN}', "A is nan"),
        (b'{"A": -Infinity}', "A is -inf"),
        (b'{"A": 1e999}', "A is inf"),
        (b'{"A": "' + b"x" * 5000 + b'"}', "A is longer"),
        (b'{"A": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"A": ' + b"[" * 100_000, "not valid JSON"),
        (b" " * (SIDECAR_BYTES_MAX + 1), "larger than"),
    ],
    ids=range(12),
)
def test_a_doubtful_sidecar_is_refused_in_one_line(tmp_path, content, words):
    path = tmp_path / "scan.json"
    path.write_bytes(content)
    with pytest.raises(SidecarError) as caught:
        read_sidecar(tmp_path / "scan.nii.gz")
    assert caught.value.message.startswith(f"{path}: ")
    assert words in caught.value.message
    assert "\n" not in caught.value.message


def test_a_folder_in_place_of_a_sidecar_is_refused(tmp_path):
    (tmp_path / "scan.json").mkdir()
    with pytest.raises(SidecarError, match="not a file"):
        read_sidecar(tmp_path / "scan.nii")
