"""The first process of a container, run here as an ordinary process, and how a program is found in an image."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from host.engines import runc_init
from host.engines.runc_init import init_program, program_path, resolve_in

SOURCE = Path(runc_init.__file__).with_name("container_init") / "init.s"
here = pytest.mark.skipif(platform.machine() != "x86_64", reason="the program is for x86-64")


@pytest.fixture
def init(tmp_path: Path) -> str:
    path = tmp_path / "init"
    path.write_bytes(init_program())
    path.chmod(0o755)
    return str(path)


def test_what_runs_is_what_the_source_says(tmp_path: Path) -> None:
    if shutil.which("as") is None or shutil.which("objcopy") is None or platform.machine() != "x86_64":
        pytest.skip("needs GNU binutils on x86-64: apt-get install binutils")
    built, program = tmp_path / "init.o", tmp_path / "init"
    subprocess.run(["as", "-o", built, SOURCE], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", built, program], check=True)
    assert program.read_bytes() == init_program()


@here
def test_it_ends_as_its_program_ends(init: str) -> None:
    script = 'printf "%s %s" "$0" "$1"; exit 7'
    done = subprocess.run(
        [init, "/bin/sh", "sh", "-c", script, "zero", "one"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (7, b"zero one")


@here
@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV"])
def test_a_signal_is_told_as_a_shell_tells_it(init: str, name: str) -> None:
    number = {"KILL": 9, "TERM": 15, "SEGV": 11}[name]
    done = subprocess.run([init, "/bin/sh", "sh", "-c", f"kill -{name} $$"], check=False)
    assert done.returncode == 128 + number


@here
def test_its_program_gets_the_environment(init: str) -> None:
    done = subprocess.run(
        [init, "/usr/bin/env", "env"], env={"ONLY": "this"}, capture_output=True, check=True
    )
    assert done.stdout == b"ONLY=this\n"


@here
@pytest.mark.parametrize(("path", "code"), [("/no/such/program", 127), ("/etc/passwd", 126)])
def test_a_program_that_cannot_be_started_is_named(init: str, path: str, code: int) -> None:
    done = subprocess.run([init, path, "tool"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (code, b"assay: cannot start tool\n")


@here
def test_without_a_program_it_ends_at_once(init: str) -> None:
    assert subprocess.run([init], check=False).returncode == 126


@pytest.fixture
def root(tmp_path: Path) -> Path:
    image = tmp_path / "image"
    (image / "usr/bin").mkdir(parents=True)
    (image / "usr/bin/tool").touch(0o755)
    (image / "usr/bin/notes").touch(0o644)
    (image / "bin").symlink_to("/usr/bin")
    (image / "usr/bin/up").symlink_to("../../../../../../usr/bin/tool")
    (image / "usr/bin/out").symlink_to("/etc/passwd")
    (image / "usr/bin/round").symlink_to("round")
    return image


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tool", "/bin/tool"),
        ("up", "/bin/up"),
        ("/bin/tool", "/bin/tool"),
        ("./tool", "./tool"),
        ("notes", "/opt/notes"),
        ("out", "/opt/out"),
        ("round", "/opt/round"),
        ("absent", "/opt/absent"),
    ],
)
def test_a_program_is_looked_for_in_the_image_and_never_outside(root: Path, name: str, found: str) -> None:
    assert program_path(root, name, search="/opt:relative::/bin:/usr/bin") == found


def test_links_stay_below_the_images_root(root: Path) -> None:
    assert resolve_in(root, "/bin/up") == root / "usr/bin/tool"
    assert resolve_in(root, "/bin/out") == root / "etc/passwd"
    assert resolve_in(root, "/bin/round") is None
    assert resolve_in(root, "/../..") == root


def test_a_folder_with_a_name_longer_than_any_holds_no_program(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tool").touch(0o755)
    assert program_path(tmp_path, "tool", search=f"/{'a' * 300}:/bin") == "/bin/tool"
