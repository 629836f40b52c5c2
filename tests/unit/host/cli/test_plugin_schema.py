"""``assay plugin schema``: listed, printed, written."""

import json
from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode
from plugin_spec.schema_export import EXPORTED, schema_bytes
from tests.support.cli import Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "no-home")


def test_the_schemas_are_listed_with_their_names(cli: Cli) -> None:
    listed = cli.read("plugin", "schema")
    assert [(one["name"], one["id"]) for one in listed] == [(one.name, one.id) for one in EXPORTED]


def test_one_is_printed_as_it_is_committed(cli: Cli) -> None:
    plugin = EXPORTED[0]
    assert cli.do("plugin", "schema", "plugin").out.encode() == schema_bytes(plugin)
    assert cli.read("plugin", "schema", "plugin") == json.loads(schema_bytes(plugin))


def test_all_are_written_to_a_folder(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    cli.do("plugin", "schema", "--out", tmp_path / "out")
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert written == {one.file_name: schema_bytes(one) for one in EXPORTED}


def test_a_name_that_is_none_is_answered_with_the_names(cli: Cli, tmp_path: Path) -> None:
    refused = cli("plugin", "schema", "manifest").refused()
    assert (refused.exit_code, refused.message) == (ExitCode.BAD_INPUT, "there is no schema 'manifest'")
    assert refused.hint.startswith("one of: plugin, request, ")
    assert "no such folder" in cli("plugin", "schema", "--out", tmp_path / "absent").refused().message
