import io
import marshal
import subprocess
import sys

from host.images import compile_files


def compile_in(folder, monkeypatch, image_folder="/opt/site"):
    pairs = "".join(f"{path}\n{image_folder}/{path.name}\n" for path in sorted(folder.glob("*.py")))
    monkeypatch.setattr("sys.stdin", io.StringIO(pairs))
    compile_files.main()
    return {path.name.split(".")[0]: path.read_bytes() for path in (folder / "__pycache__").iterdir()}


def write_modules(folder):
    folder.mkdir()
    (folder / "good.py").write_text("NAMES = {'a', 'b', None}\ndef has(x): return x in {'c', 'd', None}\n")
    (folder / "broken.py").write_text("print 'python 2'\n")
    return folder


def test_bytecode_does_not_depend_on_the_folder_and_names_the_path_in_the_image(tmp_path, monkeypatch):
    one = compile_in(write_modules(tmp_path / "one"), monkeypatch)
    two = compile_in(write_modules(tmp_path / "another"), monkeypatch)
    assert one == two
    assert marshal.loads(one["good"][16:]).co_filename == "/opt/site/good.py"


def test_bytecode_carries_a_hash_that_is_never_checked_and_no_time(tmp_path, monkeypatch):
    compiled = compile_in(write_modules(tmp_path / "one"), monkeypatch)
    # PEP 552: bit 0 says "hash-based", bit 1 "check the source".
    assert int.from_bytes(compiled["good"][4:8], "little") == 0b01


def test_a_file_that_is_not_valid_python_stays_without_bytecode(tmp_path, monkeypatch):
    assert set(compile_in(write_modules(tmp_path / "one"), monkeypatch)) == {"good"}


def test_the_script_runs_by_itself(tmp_path):
    module = write_modules(tmp_path / "one") / "good.py"
    command = [sys.executable, "-P", "-S", compile_files.__file__]
    subprocess.run(command, input=f"{module}\n/opt/site/good.py\n", text=True, check=True)
    assert len(list((tmp_path / "one/__pycache__").iterdir())) == 1
