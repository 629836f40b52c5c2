"""Tools without Python: argv out, exit code and files in, and no exit code is talked into an answer."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from host.engines.interface import ContainerSpec
from host.execution import CaseRequest, Execution, execute, prepare
from host.plugins import PluginCatalogue
from host.releases import InstalledRelease
from host.staging import RunFolder
from plugin_spec.manifest import Manifest
from tests.support.memory_engine import Ending
from tests.support.tiny_host import TinyHost

COMMAND: dict[str, Any] = {
    "argv": [
        "/opt/tool/segment",
        "--in={inputs.scan}",
        ["--weights", "{weights.net}"],
        "{outputs.mask}",
        "-j{threads}",
    ],
    "outputs": {"mask": "found/mask.nii", "volumes": "volumes.csv"},
    "exit_codes": {
        "3": {"outcome": "refused", "reason_code": "no-brain", "message": "no brain was found"},
        "4": {"outcome": "failed", "reason_code": "unreadable-input", "message": "the scan cannot be read"},
    },
}


def tool(
    exit_code: int = 0, *, csv: str = "bright_ml\n27.0\n", mask: bool = True, result: Any = None
) -> Callable[[ContainerSpec], Ending]:
    """A tool that marks the bright voxels of the scan, writes what it is told to, and ends so."""

    def container(spec: ContainerSpec) -> Ending:
        if mask:
            data = (spec.inputs / "scan.nii").read_bytes()
            voxels = [int.from_bytes(data[at : at + 2], "little") for at in range(352, len(data), 2)]
            header = bytearray(data[:352])
            header[70], header[72] = 2, 8  # uint8
            (spec.outputs / "found").mkdir()
            (spec.outputs / "found" / "mask.nii").write_bytes(bytes(header) + bytes(v >= 100 for v in voxels))
        if csv:
            (spec.outputs / "volumes.csv").write_text(csv)
        if result is not None:
            (spec.outputs / "result.json").write_text(json.dumps(result))
        return Ending(exit_code)

    return container


def release_of(host: TinyHost, at_least: int = 1) -> InstalledRelease:
    """The tiny release, answered by a command."""
    document = json.loads(host.manifest.model_dump_json())
    document["runtime"] |= {"adapter": None, "command": COMMAND}
    document["outputs"][1]["at_least"] = at_least
    manifest = Manifest.model_validate_json(json.dumps(document))
    return dataclasses.replace(host.release, manifest=manifest)


def run(host: TinyHost, container: Callable[[ContainerSpec], Ending], at_least: int = 1) -> Execution:
    host.engine.container = container
    folder = RunFolder.create(host.home.runs / "0123456789abcdef")
    request = CaseRequest("c", {"scan": host.scan()}, {})
    prepared = prepare(release_of(host, at_least), request, folder, run_id="0123456789abcdef")
    return execute(
        prepared, catalogue=PluginCatalogue(), engine=host.engine, labels={}, cancelled=lambda: False
    )


def test_a_tool_is_called_with_the_paths_that_its_container_sees(host: TinyHost) -> None:
    ended = run(host, tool())
    assert (ended.outcome, ended.message) == ("ok", "")
    assert host.engine.ran[-1].argv == (
        "/opt/tool/segment",
        "--in=/assay/in/scan.nii",
        "--weights",
        "/assay/weights/net",
        "/assay/out/found/mask.nii",
        "-j1",
    )
    assert [(one.port, one.path.name) for one in ended.outputs] == [
        ("mask", "mask.nii"),
        ("volumes", "volumes.csv"),
    ]
    assert ended.outputs[1].rows == ({"bright_ml": 27.0},)


OK = {"contract": "assay.result/1", "outcome": "ok"}
LISTED = [{"port": "mask", "path": "found/mask.nii"}, {"port": "volumes", "path": "volumes.csv"}]


def said(outcome: str, reason: str) -> dict[str, Any]:
    return {**OK, "outcome": outcome, "reason_code": reason, "message": "in its own words"}


ENDINGS: dict[str, tuple[Callable[[ContainerSpec], Ending], tuple[str, str, str]]] = {
    "a listed refusal": (tool(3), ("refused", "no-brain", "no brain was found")),
    "a listed failure": (tool(4), ("failed", "unreadable-input", "the scan cannot be read")),
    "another exit code": (tool(5), ("failed", "plugin-error", "exit code 5, which")),
    "a signal": (tool(139), ("failed", "plugin-error", "ended by signal 11")),
    "a missing output": (tool(csv=""), ("failed", "output-missing", "port volumes: there is no file")),
    "a missing image": (tool(mask=False), ("failed", "output-missing", "port mask: there is no file")),
    "a malformed table": (
        tool(csv="bright_ml;\n"),
        ("failed", "output-malformed", "port volumes: the header"),
    ),
    "a value out of range": (tool(csv="bright_ml\n-1\n"), ("failed", "output-range", "port volumes: row 1")),
    "its own refusal": (
        tool(3, result=said("refused", "tiny-brain")),
        ("refused", "tiny-brain", "in its own words"),
    ),
    "its own failure by an unlisted code": (
        tool(9, result=said("failed", "no-licence")),
        ("failed", "no-licence", "in its own words"),
    ),
    "its own refusal by the contract's code": (
        tool(10, result=said("refused", "tiny-brain")),
        ("refused", "tiny-brain", "in its own words"),
    ),
    "an answer with a failing exit code": (
        tool(4, result={**OK, "outputs": LISTED}),
        (
            "failed",
            "contract-violation",
            "says ok, but the command ended with exit code 4, which means failed",
        ),
    ),
    "an answer with an unlisted exit code": (
        tool(1, result={**OK, "outputs": LISTED}),
        ("failed", "contract-violation", "which means failed"),
    ),
    "a refusal with exit code 0": (
        tool(0, result=said("refused", "tiny-brain")),
        ("failed", "contract-violation", "says refused, but the command ended with exit code 0"),
    ),
    "a refusal where a failure is listed": (
        tool(4, result=said("refused", "tiny-brain")),
        ("failed", "contract-violation", "says refused"),
    ),
    "a result.json that is none": (tool(0, result=["ok"]), ("failed", "contract-violation", "result.json: ")),
    "a result.json that lists too little": (
        tool(0, result={**OK, "outputs": LISTED[:1]}),
        ("failed", "output-missing", "port volumes: result.json lists no file"),
    ),
}


@pytest.mark.parametrize("case", ENDINGS)
def test_exit_code_and_files_say_how_the_case_ended(case: str, host: TinyHost) -> None:
    container, (outcome, reason, message) = ENDINGS[case]
    ended = run(host, container)
    assert (ended.outcome, ended.reason_code) == (outcome, reason)
    assert message in ended.message
    assert ended.outputs == ()


def test_a_result_the_tool_wrote_itself_counts_where_its_exit_code_agrees(host: TinyHost) -> None:
    quality = [{"id": "snr", "verdict": "pass", "value": 12.5}]
    ended = run(host, tool(result={**OK, "outputs": LISTED, "qc": quality}))
    assert ended.outcome == "ok"
    assert ended.result is not None
    assert ended.result.qc[0].id == "snr"


def test_a_file_nobody_declared_is_refused(host: TinyHost) -> None:
    def container(spec: ContainerSpec) -> Ending:
        (spec.outputs / "notes.txt").write_text("x")
        return tool()(spec)

    assert run(host, container).reason_code == "output-undeclared"


def test_an_optional_output_may_be_missing_but_nothing_else_stands_in_for_it(host: TinyHost) -> None:
    assert [one.port for one in run(host, tool(csv=""), at_least=0).outputs] == ["mask"]


def test_an_optional_output_that_is_a_link_is_not_taken_for_missing(host: TinyHost) -> None:
    def container(spec: ContainerSpec) -> Ending:
        ended = tool(csv="")(spec)
        (spec.outputs / "volumes.csv").symlink_to(Path("/nowhere"))
        return ended

    ended = run(host, container, at_least=0)
    assert ended.reason_code == "output-not-a-file"
