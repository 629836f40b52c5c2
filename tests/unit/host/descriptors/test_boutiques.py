"""Boutiques descriptors: what they say is drafted, what they cannot say is asked for, nothing is dropped silently."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from host.descriptors.boutiques import draft_boutiques
from host.descriptors.boutiques_export import boutiques_descriptor
from host.descriptors.boutiques_model import Descriptor
from host.descriptors.draft import Draft, write_draft
from host.errors import DescriptorError, TargetError
from plugin_spec.command import Command, CommandValues, render
from plugin_spec.errors import ContractError
from plugin_spec.manifest import read_manifest
from plugin_spec.model import FILL_IN, read_json
from tests.support.cli import Cli
from tests.support.manifests import minimal_manifest

SMOOTHER: dict[str, Any] = {
    "name": "Smooth It",
    "tool-version": "v2.1",
    "description": "Smooths an image.",
    "author": "A. Author",
    "schema-version": "0.5",
    "command-line": "smooth [IN] [OUT] [WIDTH] [MODE] [FAST] [MASK]",
    "container-image": {"type": "docker", "image": "example/smooth:2.1"},
    "inputs": [
        {"id": "image", "name": "Image", "type": "File", "value-key": "[IN]"},
        {"id": "result", "name": "Result's name", "type": "String", "value-key": "[OUT]"},
        {
            "id": "width",
            "name": "Width",
            "type": "Number",
            "minimum": 0,
            "maximum": 9,
            "default-value": 2,
            "value-key": "[WIDTH]",
            "command-line-flag": "--width",
            "command-line-flag-separator": "=",
        },
        {"id": "mode", "name": "Mode", "type": "String", "value-choices": ["a", "b"], "value-key": "[MODE]"},
        {"id": "fast", "name": "Fast", "type": "Flag", "value-key": "[FAST]", "command-line-flag": "-f"},
        {
            "id": "mask",
            "name": "Mask",
            "type": "File",
            "optional": True,
            "value-key": "[MASK]",
            "command-line-flag": "-m",
        },
    ],
    "output-files": [
        {"id": "smoothed", "name": "Smoothed", "path-template": "[OUT].nii.gz"},
        {"id": "mesh", "name": "Mesh", "path-template": "[OUT].vtk", "optional": True},
    ],
    "groups": [{"id": "g", "name": "G", "members": ["fast", "mask"], "mutually-exclusive": True}],
    "error-codes": [{"code": 3, "description": "No brain found"}],
    "suggested-resources": {"cpu-cores": 2, "ram": 1.5, "walltime-estimate": 60},
}


def draft(**changes: Any) -> Draft:
    return draft_boutiques(Descriptor.model_validate_json(json.dumps({**SMOOTHER, **changes})))


def command(made: Draft) -> Command:
    return Command.model_validate_json(json.dumps(made.document["runtime"]["command"]))


def values(**changes: Any) -> CommandValues:
    given = {
        "inputs": {"image": ("/assay/in/image.nii.gz",)},
        "outputs": {},
        "parameters": {"width": 2.0, "mode": "a", "fast": False},
        "weights": {},
        "scratch": "/scratch",
        "threads": 1,
        "seed": 0,
    }
    return CommandValues(**{**given, **changes})


def test_the_command_line_becomes_a_template_that_renders_as_the_tool_expects() -> None:
    drafted = command(draft())
    plain = ("smooth", "/assay/in/image.nii.gz", "/assay/out/result", "--width=2.0", "a")
    assert render(drafted, values()) == plain
    switched = values(
        inputs={"image": ("/assay/in/image.nii.gz",), "mask": ("/assay/in/mask.nii",)},
        parameters={"width": 2.0, "mode": "a", "fast": True},
    )
    assert render(drafted, switched) == (*plain, "-f", "-m", "/assay/in/mask.nii")


def test_files_become_ports_values_parameters_and_the_output_gets_a_fixed_name() -> None:
    document = draft().document
    assert [(port["name"], port.get("at_least", 1)) for port in document["inputs"]] == [
        ("image", 1),
        ("mask", 0),
    ]
    assert {one["name"]: one["kind"] for one in document["parameters"]} == {
        "width": "float",
        "mode": "enum",
        "fast": "bool",
    }
    assert document["runtime"]["command"]["outputs"] == {"smoothed": "result.nii.gz"}
    assert (document["id"], document["version"]) == ("smooth-it", "2.1.0")
    assert document["resources"] == {"cpus": 2.0, "memory_mib": 1536, "case_timeout_s": 60}


def test_what_has_no_place_is_noted() -> None:
    notes = " | ".join(draft().notes)
    assert "output mesh ([OUT].vtk): no port holds such a file" in notes
    assert "group g: fast, mask are mutually exclusive" in notes


def test_what_only_a_human_knows_is_asked_for_and_what_is_known_is_not() -> None:
    asked = {one.field: one.ask for one in draft().questions}
    assert asked["parameters mode"] == "default (the tool's own: a lock must be able to name it)"
    assert asked["parameters width"] == "unit"
    assert "v2.1" in asked["version"]
    assert "attribution.authors" not in asked
    assert "attribution.intended_use" in asked


def test_steps_before_the_tool_and_words_for_a_shell_are_pointed_out() -> None:
    made = draft(**{"command-line": "mkdir -p x; smooth [IN] [OUT] > log.txt"})
    assert any("'mkdir -p x'" in note for note in made.notes)
    assert any(one.field == "runtime.command.argv" for one in made.questions)


def test_an_output_named_after_an_input_file_is_not_guessed() -> None:
    made = draft(**{"output-files": [{"id": "o", "name": "O", "path-template": "[IN]_s.nii.gz"}]})
    assert made.document["runtime"]["command"]["outputs"] == {}
    assert any("made from an input's file name" in note for note in made.notes)


def test_a_word_for_an_output_without_a_port_is_left_out() -> None:
    log = {"id": "log", "name": "Log", "path-template": "log.txt", "value-key": "[LOG]"}
    made = draft(**{"command-line": "smooth [IN] [OUT] [LOG]", "output-files": [log]})
    assert not any("LOG" in word for word in command(made).words())


def test_a_draft_is_written_with_its_open_points_and_is_no_manifest_yet(tmp_path: Path) -> None:
    written = write_draft(draft(), tmp_path / "plugin")
    assert [path.name for path in written] == ["plugin.toml", "IMPORT.md"]
    assert FILL_IN in written[0].read_text()
    assert "- [ ] `tests`:" in written[1].read_text()
    with pytest.raises(ContractError, match=r"plugin\.toml: .*Field required"):
        read_manifest(written[0])


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="exists already"):
        write_draft(draft(), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("{", "Invalid JSON"),
        ('{"name": "x"}', "Field required"),
        (
            json.dumps({**SMOOTHER, "inputs": [{"id": "f", "name": "F", "type": "Flag"}]}),
            "needs its command-line-flag",
        ),
    ],
)
def test_a_descriptor_that_is_none_is_refused_in_one_line(tmp_path: Path, content: str, fault: str) -> None:
    path = tmp_path / "tool.json"
    path.write_text(content)
    with pytest.raises(DescriptorError, match=fault) as caught:
        read_json(path, Descriptor, error=DescriptorError)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


def test_an_exported_descriptor_calls_the_plugin_through_its_host() -> None:
    switch = {"kind": "bool", "name": "fast", "summary": "Fast.", "default": False}
    data = json.loads(
        boutiques_descriptor(minimal_manifest(parameters=[switch]), folder=Path("/plugins/mean"))
    )
    assert data["command-line"] == "assay plugin run /plugins/mean [T1] [FAST] [OUT]"
    flags = {one["id"]: one["command-line-flag"] for one in data["inputs"]}
    assert flags == {"t1": "--input t1", "fast": "--parameter fast", "out": "--out"}
    assert data["output-files"][0]["path-template"] == "[OUT]/numbers.json"


def test_an_exported_descriptor_can_be_read_again() -> None:
    data = boutiques_descriptor(minimal_manifest(), folder=Path("/plugins/mean"))
    again = draft_boutiques(Descriptor.model_validate_json(data))
    assert [port["name"] for port in again.document["inputs"]] == ["t1"]


def test_an_exported_command_finds_its_folder_from_anywhere_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("my plugins; rm -r", "it's $HOME")
    data = json.loads(boutiques_descriptor(minimal_manifest(), folder=folder))
    assert shlex.split(data["command-line"])[:4] == ["assay", "plugin", "run", str(tmp_path / folder)]


def test_a_folder_whose_path_holds_a_value_key_is_refused() -> None:
    with pytest.raises(DescriptorError, match=r"Boutiques would replace \[OUT\]"):
        boutiques_descriptor(minimal_manifest(), folder=Path("/plugins/[OUT]"))


def test_a_plugin_in_which_a_human_has_still_to_type_something_is_not_exported(tmp_path: Path) -> None:
    made = Cli(tmp_path / "home")
    made.do("plugin", "new", "mine", "--capability", "quantification", "--into", tmp_path)
    refused = made(
        "plugin", "export", "boutiques", tmp_path / "mine", "--out", tmp_path / "mine.json"
    ).refused()
    assert refused.code == "contract-violation"
    assert "a human must still type this" in refused.message
    assert not (tmp_path / "mine.json").exists()
