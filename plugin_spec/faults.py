"""What is wrong with a plugin, as its author is told: a numbered rule, the field, what is wrong, and the fix.

A number is never given to another rule. Its family says how much it weighs: C7xx (K7xx of kits) are warnings, which
nothing waits for; all others are errors, with which a plugin is neither built nor run.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]
Found = Iterator[tuple[str, str, str]]
WARNINGS = "7"


def severity_of(number: str) -> Severity:
    """How much a rule weighs."""
    return "warning" if number[1:].startswith(WARNINGS) else "error"


@dataclass(frozen=True)
class Fault:
    """A rule that does not hold.

    Attributes
    ----------
    rule : str
        Its number, for example ``C103``.
    path : str
        The field in ``plugin.toml``, as ``outputs.0.grid_of``; empty for the document as a whole.
    message, fix : str
        What is wrong, and what to do.
    line : int or None
        Where the field, or the nearest block around it, stands in ``plugin.toml``.
    """

    rule: str
    path: str
    message: str
    fix: str
    line: int | None = None

    @property
    def severity(self) -> Severity:
        """How much it weighs."""
        return severity_of(self.rule)


@dataclass(frozen=True)
class RuleText:
    """A rule as it stands in the list of rules: its number, what it demands, and what to do where it is broken."""

    number: str
    demands: str
    fix: str

    @property
    def severity(self) -> Severity:
        """How much it weighs."""
        return severity_of(self.number)


def text_of(rule: Callable[..., object]) -> RuleText:
    """Read a rule's text out of its docstring: its number and what it demands, then a paragraph ``Fix: …``."""
    number, _, text = " ".join((inspect.getdoc(rule) or "").split()).partition(": ")
    demands, _, fix = text.partition(" Fix: ")
    return RuleText(number, demands.removesuffix("."), fix.removesuffix("."))
