"""What a first start says to the author. The containers are told what to print; real ones are in tests/integration."""

import re
from pathlib import Path

import pytest

from host.errors import EngineDiedError, EngineRefusedError, ImageRuleError
from host.images.build import BuiltImage
from host.start_check import Started, check_start
from plugin_spec.manifest import Manifest, read_manifest
from tests.support.foreign_images import config, layer, sha256
from tests.support.manifests import minimal_manifest
from tests.support.memory_engine import Container, MemoryEngine, ending, raising
from tests.support.tiny import plugin_folder

COMMAND = """
[runtime.command]
argv = ["dcm2niix", "{inputs.scan}"]
outputs = { mask = "mask.nii", volumes = "volumes.csv" }
"""


@pytest.fixture
def tool(tmp_path: Path) -> Manifest:
    path = plugin_folder(tmp_path / "plugin") / "plugin.toml"
    path.write_text(path.read_text().replace('adapter = "adapter.py"\n', COMMAND))
    return read_manifest(path)


@pytest.fixture
def said() -> list[str]:
    return []


def start(
    tmp_path: Path, manifest: Manifest, container: Container, said: list[str]
) -> tuple[Started, MemoryEngine]:
    data = config([layer()], config={"Entrypoint": None, "Cmd": ["/opt/venv/bin/python3", "-m", "x"]})
    image = BuiltImage(f"sha256:{sha256(data)}", data, (), b"")
    engine = MemoryEngine(container, images={image.image_id})
    started = check_start(engine, image, manifest, tmp_path / "start", say=said.append)
    return started, engine


def fails(tmp_path: Path, manifest: Manifest, container: Container, said: list[str]) -> ImageRuleError:
    with pytest.raises(ImageRuleError) as refused:
        start(tmp_path, manifest, container, said)
    assert not (tmp_path / "start").exists()
    return refused.value


PROBED = "assay-probe python 3.9.18\nassay-probe runtime 1.5.0\n"


def test_an_adapter_is_imported_by_the_images_own_python(tmp_path: Path, said: list[str]) -> None:
    printed = f"{PROBED}a warning of the adapter\nassay-probe adapter\n"
    started, engine = start(tmp_path, minimal_manifest(), ending(0, printed=printed), said)
    assert (started.python, said) == ("3.9.18", [])
    [spec] = engine.ran
    assert spec.argv is not None
    assert (spec.argv[0], spec.argv[-1]) == ("/opt/venv/bin/python3", "adapter")
    assert spec.limits.timeout_s == minimal_manifest().resources.start_timeout_s


def test_the_author_sees_the_traceback_from_the_adapter_on(tmp_path: Path, said: list[str]) -> None:
    printed = f"""{PROBED}Traceback (most recent call last):
  File "<string>", line 11, in <module>
  File "/opt/assay/plugin_spec/runtime/adapter.py", line 19, in load_adapter
    module = importlib.import_module(name)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.9/importlib/__init__.py", line 126, in import_module
    return _bootstrap
  File "/opt/assay/adapter.py", line 3, in <module>
    import torch
ModuleNotFoundError: No module named 'torch'
"""
    fault = fails(tmp_path, minimal_manifest(), ending(1, printed=printed), said)
    assert fault.subject == "I304"
    assert fault.message == (
        "I304 runtime.adapter: the adapter cannot be imported: ModuleNotFoundError: No module named 'torch'"
    )
    assert said == [
        "  | Traceback (most recent call last):",
        '  |   File "/opt/assay/adapter.py", line 3, in <module>',
        "  |     import torch",
        "  | ModuleNotFoundError: No module named 'torch'",
    ]


@pytest.mark.parametrize(
    ("exit_code", "printed", "rule", "message"),
    [
        (3, "assay-probe python 3.6.9\n", "I302", "the image's /opt/venv/bin/python3 is Python 3.6.9"),
        (
            1,
            "assay-probe python 3.9.1\nImportError: x\n",
            "I303",
            "does not load in Python 3.9.1: ImportError: x",
        ),
        (127, "exec /opt/venv/bin/python3 failed: No such file\n", "I301", "as uid 65534.*No such file"),
        (126, "", "I301", "exit code 126 and no output"),
        # Saying so is not enough: the process must have ended well.
        (139, f"{PROBED}assay-probe adapter\n", "I304", "the adapter cannot be imported"),
    ],
)
def test_each_stage_that_fails_has_its_rule(
    tmp_path: Path, said: list[str], exit_code: int, printed: str, rule: str, message: str
) -> None:
    fault = fails(tmp_path, minimal_manifest(), ending(exit_code, printed=printed), said)
    assert fault.subject == rule
    assert re.search(message, fault.message), fault.message


def test_memory_and_time_are_named_as_what_they_are(tmp_path: Path, said: list[str]) -> None:
    fault = fails(tmp_path, minimal_manifest(), ending(137, oom_killed=True, printed=PROBED), said)
    assert "ran out of memory" in fault.message
    assert fault.hint == "raise resources.memory_mib"
    fault = fails(tmp_path, minimal_manifest(), ending(137, timed_out=True, printed=PROBED), said)
    assert "I304" in fault.message
    assert f"no end after {minimal_manifest().resources.start_timeout_s} s" in fault.message


@pytest.mark.parametrize("exit_code", [0, 1, 2, 255])
def test_a_tool_has_started_whatever_it_makes_of_the_question(
    tmp_path: Path, tool: Manifest, said: list[str], exit_code: int
) -> None:
    started, engine = start(tmp_path, tool, ending(exit_code, printed="unknown option\n"), said)
    assert started.python == ""
    assert engine.ran[0].argv == ("dcm2niix", "--version")


def test_a_tool_that_waits_for_more_has_started(tmp_path: Path, tool: Manifest, said: list[str]) -> None:
    start(tmp_path, tool, ending(137, timed_out=True), said)


def test_a_missing_library_is_named(tmp_path: Path, tool: Manifest, said: list[str]) -> None:
    printed = "dcm2niix: error while loading shared libraries: libz.so.1: cannot open shared object file\n"
    fault = fails(tmp_path, tool, ending(127, printed=printed), said)
    assert (
        fault.message == "I301 image: dcm2niix does not start: the library libz.so.1 is missing in the image"
    )


def test_an_engine_that_cannot_start_it_says_why(tmp_path: Path, tool: Manifest, said: list[str]) -> None:
    fault = fails(tmp_path, tool, raising(EngineRefusedError("exec: no such file")), said)
    assert fault.message == "I301 image: dcm2niix does not start: exec: no such file"


def test_an_engine_that_dies_is_no_fault_of_the_image(
    tmp_path: Path, tool: Manifest, said: list[str]
) -> None:
    with pytest.raises(EngineDiedError):
        start(tmp_path, tool, raising(EngineDiedError("gone")), said)
    assert not (tmp_path / "start").exists()
