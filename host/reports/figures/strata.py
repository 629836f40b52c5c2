"""Cases by stratum, for figures, and names for their elements."""

from collections.abc import Sequence

from host.validation.metric import Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow

LEVELS_MAX = 7  # beyond it looks repeat: cases are then drawn as one group


def by_stratum(
    protocol: Protocol, metric: Metric, rows: Sequence[CaseRow], *, levels_max: int | None = None
) -> list[tuple[str, list[CaseRow]]]:
    """Rows by level of the first stratum that a criterion on the metric names, else of the first that there is.

    One group without a name where there is no stratum, or one with more than ``levels_max`` levels.
    """
    names = sorted(protocol.strata_of(metric.id)) or protocol.strata()
    names = names or sorted({name for row in rows for name in row.strata})
    groups: dict[str, list[CaseRow]] = {}
    for row in rows if names else ():
        groups.setdefault(row.strata.get(names[0], ""), []).append(row)
    if not groups or (levels_max is not None and len(groups) > levels_max):
        return [("", list(rows))]
    words = names[0].replace("_", " ")
    return [(f"{words}: {level or 'not given'}", found) for level, found in sorted(groups.items())]


def plain(name: str) -> str:
    """A name as part of an element's id."""
    return name.lower().replace("_", "-").replace(".", "-").replace("=", "-")
