"""Write the tables of the two guides that are generated from what they list."""

import re
from pathlib import Path

from host import extensions
from host.check.rules import rule_texts as plugin_rules
from host.kits.check.rules import rule_texts as kit_rules
from host.statistics.registrations import statistics

ROOT = Path(__file__).parents[1]
PLUGIN_GUIDE = "plugin_spec/README.md"
KIT_GUIDE = "validation_kits/README.md"


def tables():
    """The name of each table of each guide, and its lines."""
    yield PLUGIN_GUIDE, "rules", _rules(plugin_rules())
    yield KIT_GUIDE, "metrics", _metrics()
    yield KIT_GUIDE, "statistics", _statistics()
    yield KIT_GUIDE, "rules", _rules(kit_rules())


def filled(text, name, rows):
    """A guide's text with the rows between the marks of a table."""
    marks = rf"(<!-- {name}: written by \.ci/generate -->\n).*?(<!-- end of {name} -->)"
    written, count = re.subn(marks, lambda found: f"{found[1]}{rows}{found[2]}", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"the guide has lost the marks of its table of {name}")
    return written


def _table(head, rows):
    ruler = f"|{'---|' * len(head)}\n"
    first, *rest = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in (head, *rows)
    ]
    return "".join((first, ruler, *rest))


def _rules(rules):
    return _table(
        ("rule", "weight", "demands", "fix"),
        [(one.number, one.severity, one.demands, one.fix) for one in rules],
    )


def _metrics():
    return _table(
        ("metric", "of", "unit", "definition", "where a side is empty", "parameters", "source"),
        [
            (
                f"`{one.name}`",
                one.operands,
                one.unit or "the column's",
                one.definition,
                one.empty_case,
                ", ".join(f"`{parameter.name}`" for parameter in one.parameters),
                one.source,
            )
            for one in sorted(extensions.metrics().values(), key=lambda one: (one.operands, one.name))
        ],
    )


def _statistics():
    return _table(
        ("statistic", "of", "definition", "intervals", "options", "source"),
        [
            (
                f"`{one.name}`",
                ", ".join(one.kinds) or "values",
                one.definition,
                ", ".join(one.offered),
                ", ".join(f"`{option.name}`" for option in one.options),
                one.source,
            )
            for one in statistics().values()
        ],
    )


def main():
    """Write every table where it belongs."""
    for guide, name, rows in tables():
        path = ROOT / guide
        path.write_text(filled(path.read_text(encoding="utf-8"), name, rows), encoding="utf-8")


if __name__ == "__main__":
    main()
