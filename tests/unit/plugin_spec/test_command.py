"""Command lines: a template and values give exactly these words, and no shell ever sees them."""

import json
import re
import subprocess
from typing import Any

import pytest
from pydantic import ValidationError

from plugin_spec.command import Command, CommandValues, literal, render
from plugin_spec.rules import faults_of
from tests.support.manifests import minimal_manifest

VALUES = CommandValues(
    inputs={"t1": ("/assay/in/t1.nii.gz",), "runs": ("/assay/in/runs-01.nii", "/assay/in/runs-02.nii")},
    outputs={"mask": "/assay/out/mask.nii.gz"},
    parameters={"level": 3, "beta": 0.5, "mode": "fast", "smooth": True, "debug": False},
    weights={"model": "/assay/weights/model"},
    scratch="/scratch",
    threads=2,
    seed=7,
)


def command(*argv: str | list[str], **fields: Any) -> Command:
    document = {"argv": argv, "outputs": {"mask": "mask.nii.gz"}, **fields}
    return Command.model_validate_json(json.dumps(document))


def words(*argv: str | list[str], values: CommandValues = VALUES) -> tuple[str, ...]:
    return render(command(*argv), values)


def test_placeholders_become_paths_and_values() -> None:
    assert words(
        "segment",
        "{inputs.t1}",
        "--out={outputs.mask}",
        "--level",
        "{parameters.level}",
        "--beta={parameters.beta}",
        "{parameters.mode}:{parameters.debug}",
        "{weights.model}",
        "{scratch}/work",
        "-j{threads}",
        "{seed}",
    ) == (
        "segment",
        "/assay/in/t1.nii.gz",
        "--out=/assay/out/mask.nii.gz",
        "--level",
        "3",
        "--beta=0.5",
        "fast:false",
        "/assay/weights/model",
        "/scratch/work",
        "-j2",
        "7",
    )


def test_several_files_become_several_words() -> None:
    assert words("tool", "{inputs.runs}", "end") == (
        "tool",
        "/assay/in/runs-01.nii",
        "/assay/in/runs-02.nii",
        "end",
    )
    assert words("tool", ["--runs", "{inputs.runs}"])[1:] == ("--runs", *VALUES.inputs["runs"])


def test_a_group_goes_as_a_whole_where_something_in_it_is_absent() -> None:
    assert words("tool", ["--flair", "{inputs.flair}"], "{inputs.flair}", "end") == ("tool", "end")
    assert words("tool", ["--t1", "{inputs.t1}"]) == ("tool", "--t1", "/assay/in/t1.nii.gz")
    assert words("tool", "--flair={inputs.flair}") == ("tool",)
    empty = VALUES.model_copy(update={"inputs": {"flair": ()}})
    assert words("tool", ["--flair", "{inputs.flair}"], values=empty) == ("tool",)


def test_doubled_braces_are_the_braces_of_the_tool_itself() -> None:
    assert words("awk", "{{print $1}}", "${{HOME}}", '{{"n": {seed}}}', "{{inputs.t1}}", "{{{scratch}}}") == (
        "awk",
        "{print $1}",
        "${HOME}",
        '{"n": 7}',
        "{inputs.t1}",
        "{/scratch}",
    )
    assert [one.table for one in command("tool", "{{inputs.t1}}", "{{{seed}}}").placeholders()] == ["seed"]


@pytest.mark.parametrize("word", ["{print $1}", "}{", "{{x}}", "{inputs.t1}", "a{b"])
def test_a_word_of_another_platform_can_be_written_as_it_is(word: str) -> None:
    assert words("tool", literal(word)) == ("tool", word)


@pytest.mark.parametrize(
    ("word", "stray"),
    [("a {x} {inputs.t1} b", "'{x}'"), ("{inputs.t1}}", "'}'"), ("{{}", "'}'"), ("{{ok}} {no", "'{no'")],
)
def test_only_the_braces_in_question_are_quoted(word: str, stray: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(f"{stray} is no placeholder; write {{{{ and }}}}")):
        command("tool", word)


def test_a_switch_is_there_or_not() -> None:
    assert words("tool", "{parameters.smooth?--smooth}", "{parameters.debug?--debug}") == ("tool", "--smooth")
    assert words("tool", ["{parameters.debug?--debug}", "to", "{scratch}"]) == ("tool",)


@pytest.mark.parametrize(
    "word",
    [
        "{input.t1}",
        "{inputs}",
        "{inputs.T1}",
        "{inputs.t1",
        "t1}",
        "{}",
        "{outputs.mask}}",
        "{home}",
        "{inputs.t1?--t1}",
        "{outputs.mask?-o}",
        "a\0b",
        "",
    ],
)
def test_a_word_that_is_no_template_is_refused(word: str) -> None:
    with pytest.raises(ValidationError, match="argv"):
        command("tool", word)


@pytest.mark.parametrize("code", ["0", "256", "-1", "03", "x"])
def test_an_exit_code_is_one_a_program_can_end_with(code: str) -> None:
    meaning = {"outcome": "refused", "reason_code": "x", "message": "m"}
    with pytest.raises(ValidationError, match="exit_codes"):
        command("tool", exit_codes={code: meaning})
    assert command("tool", exit_codes={"255": meaning}).exit_codes["255"].outcome == "refused"


HOSTILE = ["; rm -rf /", "$(id)", "`id`", "a b", "*", "'", '"', "\\", "\n", "-rf", "{seed}", "ü"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_parameter_holds_stays_one_word_and_nothing_expands_it(text: str) -> None:
    values = VALUES.model_copy(update={"parameters": {"mode": text}})
    rendered = words("printf", "%s", "{parameters.mode}", values=values)
    assert rendered == ("printf", "%s", text)
    printed = subprocess.run(rendered, capture_output=True, check=True).stdout
    assert printed == text.encode()


def faults(argv: list[str], **fields: Any) -> list[str]:
    """The rules that a manifest with this command breaks."""
    runtime = {
        "mode": "exec",
        "command": {"argv": argv, "outputs": {"numbers": "numbers.csv"}, **fields},
    }
    switch = {"kind": "bool", "name": "fast", "summary": "s", "default": False}
    level = {"kind": "int", "name": "level", "summary": "s", "default": 1, "minimum": 0, "maximum": 3}
    good = minimal_manifest(
        runtime={**runtime, "command": {"argv": ["tool"], "outputs": {"numbers": "numbers.csv"}}},
        parameters=[switch, level],
    )
    changed = Command.model_validate_json(json.dumps(runtime["command"]))
    return [
        fault.rule
        for fault in faults_of(
            good.model_copy(update={"runtime": good.runtime.model_copy(update={"command": changed})})
        )
    ]


def test_the_rules_look_at_what_a_command_names() -> None:
    assert faults(["tool", "{inputs.t1}", "{parameters.fast?-f}", "{parameters.level}"]) == []
    assert faults(["tool", "{inputs.flair}"]) == ["C204"]
    assert faults(["tool", "{parameters.level?-l}"]) == ["C204"]
    assert faults(["tool"], outputs={}) == ["C205"]
    assert faults(["tool"], outputs={"numbers": "result.json"}) == ["C205"]
