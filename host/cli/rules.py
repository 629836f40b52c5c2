"""How ``check --rules`` lists the rules of plugins and of kits."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from host.cli.answer import show
from host.paragraphs import terminal_width, wrapped

if TYPE_CHECKING:
    from plugin_spec.faults import RuleText


def show_rules(rules: "Sequence[RuleText]", *, as_json: bool) -> int:
    """Print every rule with its weight, what it demands and what to do; returns the exit code."""
    document = [
        {"rule": one.number, "severity": one.severity, "demands": one.demands, "fix": one.fix}
        for one in rules
    ]
    show(document, [line for one in rules for line in _lines(one)], as_json=as_json)
    return 0


def _lines(rule: "RuleText") -> list[str]:
    width, head = terminal_width(), f"{rule.number}  {rule.severity:7}  "
    return [
        *wrapped(rule.demands, width=width, first=head),
        *wrapped(f"fix: {rule.fix}", width=width, first=" " * len(head)),
    ]
