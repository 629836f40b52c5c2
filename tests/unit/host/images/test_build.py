from pathlib import Path

import pytest

from host.errors import ImageBuildError, LayerContentError, LayerDigestError, PluginSourceError
from host.images.apt import Apt
from host.images.base_lock import read_base_lock
from host.images.build import PluginSource
from host.images.bytecode import BaseInterpreter
from host.images.workshop import Workshop
from tests.support.images import make_layer


def source(**changes):
    given = {
        "base_lock": read_base_lock(),
        "requirements": None,
        "adapter_files": {"adapter.py": Path("adapter.py")},
        "entry": "adapter",
    }
    return PluginSource(**{**given, **changes})


def test_an_entry_may_be_a_module_or_a_package():
    assert source().entry == "adapter"
    files = {"tool/__init__.py": Path("a"), "tool/run.py": Path("b")}
    assert source(adapter_files=files, entry="tool").entry == "tool"
    assert source(adapter_files=files, entry="tool.run").entry == "tool.run"


def test_a_tool_without_an_adapter_needs_a_command():
    assert source(adapter_files={}, entry=None, command=("dcm2niix",)).entry is None
    with pytest.raises(PluginSourceError, match="neither an adapter nor a command"):
        source(adapter_files={}, entry=None)


@pytest.mark.parametrize("entry", ["absent", "", "a b", "adapter.py", "../adapter", "-c"])
def test_an_entry_that_is_no_adapter_file_is_refused(entry):
    with pytest.raises(PluginSourceError, match="entry"):
        source(entry=entry)


@pytest.mark.parametrize(
    "name",
    [
        "../x.py",
        "/x.py",
        "plugin_spec/hookspecs.py",
        "pluggy.py",
        "pluggy/__init__.py",
        "a//b.py",
        ".hidden",
        "",
    ],
)
def test_an_adapter_file_that_could_replace_the_runtime_or_leave_its_folder_is_refused(name):
    with pytest.raises(PluginSourceError, match="adapter file"):
        source(adapter_files={"adapter.py": Path("adapter.py"), name: Path("x")})


@pytest.mark.parametrize("name", ["PYTHONPATH", "PATH", "HOME", "A=B", "1A", ""])
def test_a_variable_the_image_sets_itself_cannot_be_replaced(name):
    with pytest.raises(PluginSourceError, match="environment"):
        source(environment={name: "x"})


def test_an_adapter_file_that_is_missing_is_one_clear_line(tmp_path):
    with (
        Workshop(tmp_path, Apt()) as workshop,
        pytest.raises(LayerContentError, match=r"absent\.py: No such file"),
    ):
        workshop.adapter({"adapter.py": tmp_path / "absent.py"})


def test_no_interpreter_is_taken_out_of_a_base_layer_that_has_changed(tmp_path):
    base = make_layer(tmp_path, "base", "first")
    base.path.write_bytes(base.path.read_bytes().replace(b"first", b"fIrst"))
    with Workshop(tmp_path, Apt()) as workshop, pytest.raises(LayerDigestError, match="have changed"):
        workshop.runtime(base=base)


def test_a_base_without_an_interpreter_is_one_clear_line(tmp_path):
    with pytest.raises(ImageBuildError, match="does not run here"):
        BaseInterpreter(tmp_path).compile(tmp_path, image_folder="/opt/site")
