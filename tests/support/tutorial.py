"""The commands of a guide, and what each must answer, out of its marked blocks."""

import re
from dataclasses import dataclass

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
