"""The runtime end to end, in a folder instead of a container: adapters as authors write them."""

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

from plugin_spec.case import Request, parse_result, request_bytes
from plugin_spec.documents import MeasurementRows, parse_document
from plugin_spec.runtime import __main__ as runtime
from plugin_spec.runtime import protocol
from plugin_spec.runtime.protocol import Folders

HEADER = (
    "from plugin_spec import Case, CaseResult, Context, QualityCheck, Refuse, UnreadableInput, hookimpl\n"
)
ANSWER = "@hookimpl\ndef run_case(case, state): return CaseResult(outputs={'numbers': [{'mean': 1.5}]})\n"


class Wall:
    """The four folders of one case, and an adapter beside them."""

    def __init__(self, root: Path) -> None:
        self.folders = Folders(root)
        self.code = root / "code"
        for folder in (*vars(self.folders).values(), self.code):
            folder.mkdir(parents=True)
        (self.folders.inputs / "t1.txt").write_text("3 5")
        request = Request(
            case_id="sub-01",
            seed=7,
            threads=2,
            gpu=("GPU-1",),
            inputs={"t1": "t1.txt"},
            parameters={"scale": 2.0},
            weights={"net": "net.bin"},
        )
        (self.folders.inputs / "request.json").write_bytes(request_bytes(request))

    def run(self, name: str, source: str) -> int:
        """Run an adapter module of this source; names differ, because modules stay imported."""
        (self.code / f"{name}.py").write_text(HEADER + textwrap.dedent(source))
        return runtime.run(name, self.folders)

    @property
    def result(self) -> Any:
        return parse_result((self.folders.outputs / "result.json").read_bytes())


@pytest.fixture
def wall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_driver: None) -> Wall:
    wall = Wall(tmp_path)
    monkeypatch.syspath_prepend(str(wall.code))
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", "GPU-1")
    return wall


def test_a_case_that_succeeds_leaves_outputs_checks_and_versions(wall: Wall) -> None:
    source = """
        @hookimpl
        def setup(context: Context):
            return (context.seed, context.threads, context.gpu, context.weights["net"].name)

        @hookimpl
        def run_case(case: Case, state) -> CaseResult:
            values = [float(word) for word in case.inputs["t1"].read_text().split()]
            path = case.output_path("mask.nii")
            path.write_bytes(b"mask")
            return CaseResult(
                outputs={"mask": path, "numbers": [{"mean": case.parameters["scale"] * sum(values) / 2}]},
                qc=[QualityCheck("snr", "pass", 12.5)],
                warnings=[repr(state)],
            )

        @hookimpl
        def describe_environment():
            return {"tool": "1.2"}
    """
    assert wall.run("adapter_ok", source) == protocol.EXIT_OK
    result = wall.result
    assert result.outcome == "ok"
    assert {entry.port: entry.path for entry in result.outputs} == {
        "mask": "mask.nii",
        "numbers": "numbers.json",
    }
    assert result.qc[0].value == 12.5
    assert result.warnings == ("(7, 2, ('GPU-1',), 'net.bin')",)
    assert result.environment == {"tool": "1.2"}
    data = (wall.folders.outputs / "numbers.json").read_bytes()
    rows = parse_document(data, MeasurementRows, port="numbers")
    assert rows.rows == ({"mean": 8.0},)


def test_setup_and_the_environment_are_optional(wall: Wall) -> None:
    assert wall.run("adapter_short", ANSWER) == protocol.EXIT_OK
    assert wall.result.environment == {}


def test_a_refusal_is_a_result_with_its_reason(wall: Wall) -> None:
    source = """
        @hookimpl
        def run_case(case, state):
            raise Refuse("empty-image", "t1: every voxel is 0")
    """
    assert wall.run("adapter_refuses", source) == protocol.EXIT_REFUSED
    result = wall.result
    assert (result.outcome, result.reason_code, result.message) == (
        "refused",
        "empty-image",
        "t1: every voxel is 0",
    )


def test_an_unreadable_input_has_an_exit_code_of_its_own(wall: Wall) -> None:
    source = """
        @hookimpl
        def run_case(case, state):
            raise UnreadableInput("t1: not a NIfTI image")
    """
    assert wall.run("adapter_unreadable", source) == protocol.EXIT_UNREADABLE_INPUT
    assert (wall.result.outcome, wall.result.reason_code) == ("failed", "unreadable-input")


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        (
            "raises",
            "@hookimpl\ndef run_case(case, state): return 1 / 0\n",
            "ZeroDivisionError: division by zero",
        ),
        (
            "setup_raises",
            "@hookimpl\ndef setup(context): raise OSError('no model')\n" + ANSWER,
            "OSError: no model",
        ),
        (
            "no_hook",
            "def run_case(case, state): ...\n",
            "TypeError: adapter 'adapter_no_hook' implements no run_case",
        ),
        (
            "unknown_hook",
            ANSWER + "@hookimpl\ndef run_cases(case): ...\n",
            "PluginValidationError: unknown hook 'run_cases'",
        ),
        ("syntax", "def run_case(:\n", "SyntaxError: "),
        (
            "no_answer",
            "@hookimpl\ndef run_case(case, state): ...\n",
            "TypeError: run_case answered with NoneType",
        ),
        (
            "not_finite",
            ANSWER.replace("1.5", "float('nan')"),
            "ValueError: Out of range float values",
        ),
    ],
)
def test_what_the_algorithm_does_wrong_is_a_plugin_error(
    wall: Wall, capsys: pytest.CaptureFixture[str], name: str, source: str, message: str
) -> None:
    assert wall.run(f"adapter_{name}", source) == protocol.EXIT_PLUGIN_ERROR
    assert (wall.result.outcome, wall.result.reason_code) == ("failed", "plugin-error")
    assert wall.result.message.startswith(message)
    assert "Traceback" in capsys.readouterr().err


def test_an_endless_message_still_makes_a_valid_result(wall: Wall) -> None:
    source = "@hookimpl\ndef run_case(case, state): raise RuntimeError('x' * 100_000)\n"
    assert wall.run("adapter_talks", source) == protocol.EXIT_PLUGIN_ERROR
    assert wall.result.message.startswith("RuntimeError: xxx")


def test_an_output_outside_the_folder_is_reported_as_it_is_for_the_host_to_refuse(wall: Wall) -> None:
    source = "@hookimpl\ndef run_case(case, state): return CaseResult(outputs={'mask': '/etc/hostname'})\n"
    assert wall.run("adapter_escapes", source) == protocol.EXIT_OK
    written = json.loads((wall.folders.outputs / "result.json").read_text())
    assert written["outputs"][0]["path"].startswith("../")


def test_a_request_of_another_version_is_not_guessed_at(wall: Wall) -> None:
    (wall.folders.inputs / "request.json").write_text('{"contract": "assay.request/2"}')
    assert wall.run("adapter_newer", ANSWER) == protocol.EXIT_PLUGIN_ERROR
    assert "expected 'assay.request/1'" in wall.result.message


def test_no_partial_result_is_left_beside_the_result(wall: Wall) -> None:
    wall.run("adapter_tidy", ANSWER)
    assert sorted(path.name for path in wall.folders.outputs.iterdir()) == ["numbers.json", "result.json"]


@pytest.mark.parametrize("arguments", [[], ["adapter", "more"]])
def test_the_command_takes_one_module_name(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert runtime.main(arguments) == protocol.EXIT_PLUGIN_ERROR
    assert "usage: python3 -m plugin_spec.runtime ADAPTER_MODULE" in capsys.readouterr().err


def test_a_result_says_which_gpus_were_visible_whatever_became_of_the_case(wall: Wall) -> None:
    assert wall.run("adapter_sees", ANSWER) == protocol.EXIT_OK
    assert [(one.source, one.uuid) for one in wall.result.gpu] == [("environment", "GPU-1")]
    refusing = "@hookimpl\ndef run_case(case, state): raise Refuse('no', 'no')\n"
    assert wall.run("adapter_sees_and_refuses", refusing) == protocol.EXIT_REFUSED
    assert [one.uuid for one in wall.result.gpu] == ["GPU-1"]


def test_a_leased_gpu_that_is_not_visible_ends_the_case_before_the_adapter_is_loaded(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", "void")
    assert wall.run("adapter_blind", "raise SystemExit('loaded')") == protocol.EXIT_GPU_UNUSABLE
    assert (wall.result.outcome, wall.result.reason_code) == ("failed", "gpu-unusable")
    assert wall.result.gpu == ()


def test_an_adapter_may_find_the_gpu_unusable_itself(wall: Wall) -> None:
    source = """
        from plugin_spec import GpuUnusable

        @hookimpl
        def setup(context): raise GpuUnusable("cuInit answers with error 804")

        @hookimpl
        def run_case(case, state): ...
    """
    assert wall.run("adapter_unusable", source) == protocol.EXIT_GPU_UNUSABLE
    assert (wall.result.reason_code, wall.result.message) == ("gpu-unusable", "cuInit answers with error 804")
