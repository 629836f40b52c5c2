"""How long the command line takes before it does anything, against the interpreter that does nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.benchmark import Benchmark, Experiment, Goal, Subject, Subjects, WrongAnswerError
from tests.bench.volumes import plugin_folder
from tests.support.cli import Cli

NOTHING = "python -c pass"
# Commands that read a little and start no container, by the name that their benchmark has.
LIGHT = {
    "help": ("--help",),
    "help-of-a-noun": ("plugin", "--help"),
    "help-of-a-verb": ("plugin", "run", "--help"),
    "trust-show": ("trust", "show"),
    "kit-list": ("kit", "list"),
    "catalogue-list": ("catalogue", "list"),
    "audit-log": ("audit", "log"),
    "plugin-check": ("plugin", "check", "PLUGIN"),
    "doctor": ("doctor",),
}
VERSION = Benchmark("startup-version", "`assay --version`", "version", NOTHING, Goal(3))


def _rows() -> Iterator[Benchmark]:
    yield VERSION
    for name, words in LIGHT.items():
        yield Benchmark(f"startup-{name}", f"`assay {' '.join(words)}`", name, NOTHING, Goal(20))


@contextmanager
def subjects(folder: Path) -> Iterator[Subjects]:
    """Every light command in a founded registry."""
    cli = Cli(folder / "home", folder / "cache", people=("root",))
    cli.do("trust", "init", "--organisation", "Bench", "--root-id", "root", "--root-name", "Rosa Root")
    plugin = plugin_folder(folder / "plugin")
    program = Path(sys.executable).with_name("assay")
    environment = {**os.environ, **cli.environment}

    def command(*words: str) -> Subject:
        line = [program, *(str(plugin) if word == "PLUGIN" else word for word in words)]
        return _process(line, environment)

    yield {
        NOTHING: _process([sys.executable, "-c", "pass"], environment),
        "version": command("--version"),
        **{name: command(*words) for name, words in LIGHT.items()},
    }


def _process(line: list[object], environment: dict[str, str]) -> Subject:
    def run(turn: int) -> int:
        return subprocess.run(
            [str(word) for word in line], env=environment, capture_output=True, check=False
        ).returncode

    def check(turn: int, answer: object) -> None:
        if answer != 0:
            raise WrongAnswerError(f"exit code {answer}")

    return Subject(run, check=check)


EXPERIMENT = Experiment("startup", tuple(_rows()), subjects, turns=15)
