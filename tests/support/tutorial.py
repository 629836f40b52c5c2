"""The commands of a guide, and what each must answer, out of its marked blocks."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^<!-- tutorial -->\n```console\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
_REST = "…"


@dataclass(frozen=True)
class Step:
    """One command, and lines that its answer must hold, in this order."""

    command: str
    expected: tuple[str, ...]


def steps(guide: str) -> list[Step]:
    """The commands of all marked blocks, in order."""
    found: list[Step] = []
    for block in _BLOCK.findall(guide):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line.removeprefix("$ "), ()))
            elif line.strip():
                found[-1] = Step(found[-1].command, (*found[-1].expected, line))
    return found


def missing(step: Step, answer: str) -> list[str]:
    """The expected lines that an answer lacks; out of order counts as lacking."""
    left = iter(answer.splitlines())
    return [line for line in step.expected if not any(_fits(line, said) for said in left)]


def _fits(expected: str, said: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.split(_REST))
    return re.fullmatch(pattern, said.rstrip()) is not None


_END = "---- end of step, exit code "


def unlike_the_guide(guide: str, folder: Path, **variables: str) -> list[str]:
    """Run the marked commands in one shell, in an empty folder; every step that did not go as the guide says.

    Parameters
    ----------
    guide : str
    folder : Path
    variables : str
        Set in the environment, from which pass phrases are taken out.
    """
    tutorial = steps(guide)
    script = "".join(f'{step.command}\necho; echo "{_END}$?"\n' for step in tutorial)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ASSAY_PASSPHRASE")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=folder,
        env={**kept, "PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    answers = done.stdout.split(f"\n{_END}")
    assert len(answers) == len(tutorial) + 1, done.stdout
    found = []
    for number, step in enumerate(tutorial):
        answer = answers[number] if number == 0 else answers[number].partition("\n")[2]
        exit_code = answers[number + 1].partition("\n")[0]
        if exit_code != "0" or missing(step, answer):
            found.append(
                f"$ {step.command}\nexit code {exit_code}\n{answer}\nlacking: {missing(step, answer)}"
            )
    return found
