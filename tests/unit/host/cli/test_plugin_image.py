"""``assay plugin save``: an image carried elsewhere overwrites nothing."""

from pathlib import Path

from tests.support.cli import Cli
from tests.support.tiny import plugin_folder


def test_an_archive_is_not_written_over_a_file_that_exists(nowhere: Cli, tmp_path: Path) -> None:
    kept = tmp_path / "image.tar"
    kept.write_bytes(b"a year of work")
    refused = nowhere("plugin", "save", plugin_folder(tmp_path / "plugin"), "--out", kept).refused()
    assert (refused.code, refused.message) == ("bad-target", f"--out {kept}: exists already")
    assert kept.read_bytes() == b"a year of work"
