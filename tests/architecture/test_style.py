"""Rules of the tree that no linter knows: sizes, names, and nothing of one machine in what is shared."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("plugin_spec", "registry", "host")
MAX_LINES = 600
VAGUE_NAMES = {"common", "helpers", "misc", "util", "utils"}
UNTRACKED_FOLDERS = {".git", ".venv", "build", "dist", "__pycache__"}

# Written in parts, so that this file does not hold what it forbids.
REGISTRY = re.compile(
    "|".join(
        ["py" + r"pi\.org", r"python" + r"hosted\.org", r"(?<!no-emit-)index" + "-url", "find" + "-links"]
    )
)
# A path of one machine starts a word; the same letters inside a longer path are somebody else's folder.
MACHINE_PATH = re.compile(r"(?<![\w./}$-])/(?:" + "|".join(["work", "root", "home", "Users", "farm"]) + r")/")


@cache
def shared_files() -> tuple[Path, ...]:
    """Every file that is, or would be, committed."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        found = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        found = [
            path for path in ROOT.rglob("*") if not UNTRACKED_FOLDERS & set(path.relative_to(ROOT).parts)
        ]
    return tuple(path for path in found if path.is_file())


def modules() -> list[Path]:
    return [path for path in shared_files() if path.suffix == ".py"]


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    hits = []
    for path in shared_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # an image or an archive holds no text to read
        hits += [
            f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
            for number, line in enumerate(text.splitlines(), start=1)
            if pattern.search(line)
        ]
    return hits


def test_no_module_is_longer_than_it_can_be_read() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()
    }
    assert {path: lines for path, lines in lengths.items() if lines > MAX_LINES} == {}


def test_every_module_is_named_after_a_thing() -> None:
    names = {path.relative_to(ROOT) for path in modules()}
    assert {path for path in names if VAGUE_NAMES & {*path.parts, path.stem}} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_lists_its_invariants(package: str) -> None:
    assert "## Invariants" in (ROOT / package / "README.md").read_text(encoding="utf-8")


def test_no_file_names_a_package_registry() -> None:
    assert lines_matching(REGISTRY) == []


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert lines_matching(MACHINE_PATH) == []


@pytest.mark.parametrize(
    "line", ["cd " + "/work" + "/main", "data = '" + "/root" + "/x'", "--" + "index" + "-url https://x"]
)
def test_a_line_that_should_be_caught_is_caught(line: str) -> None:
    assert REGISTRY.search(line) or MACHINE_PATH.search(line)
