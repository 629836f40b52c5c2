"""A manifest that is to hang the host, or to fill its memory, is one line."""

from pathlib import Path

import pytest

from plugin_spec.errors import ContractError
from plugin_spec.manifest import read_manifest

BOMBS = {
    "larger than any manifest": b"#" * (1024 * 1024 + 1),
    "arrays in arrays": b"plugin = " + b"[" * 100_000 + b"]" * 100_000,
    "tables in tables": b"[" + b"a." * 50_000 + b"a]\nb = 1\n",
    "one number of many digits": b"plugin = " + b"9" * 100_000,
}


@pytest.mark.attack("plugin manifest bomb")
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=list(BOMBS))
def test_a_manifest_bomb_is_refused_in_one_line(tmp_path: Path, bomb: bytes) -> None:
    path = tmp_path / "plugin.toml"
    path.write_bytes(bomb)
    with pytest.raises(ContractError) as caught:
        read_manifest(path)
    assert caught.value.code == "contract-violation"
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
