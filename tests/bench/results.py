"""Where results go: ``bench.json`` for programs, a table in Markdown for people."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plugin_spec.files import write_atomic
from tests.bench.measure import Row

Entries = dict[str, dict[str, Any]]


def entries(rows: Sequence[Row], *, machine: str, date: str) -> Entries:
    """``{name: {ratio, goal, met, runs, machine, date, note}}``; the ratio is null where a benchmark could not run."""
    return {
        row.benchmark.name: {
            "ratio": None if row.ratio is None else round(row.ratio, 3),
            "goal": None if row.benchmark.goal is None else str(row.benchmark.goal),
            "met": row.met,
            "runs": row.runs,
            "machine": machine,
            "date": date,
            "note": row.note,
        }
        for row in rows
    }


def merge(path: Path, new: Entries) -> Entries:
    """Write ``new`` into the file, beside what other benchmarks have written there, and return all of it."""
    held: Entries = json.loads(path.read_text()) if path.is_file() else {}
    held.update(new)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(held, indent=2, sort_keys=True).encode() + b"\n")
    return held


def table(titles: Mapping[str, str], held: Entries) -> list[str]:
    """One line per benchmark in the order of ``titles``; one that was never run says so."""
    lines = ["| what | ratio | goal | met | runs | medians, or why not |", "|---|---|---|---|---|---|"]
    for name, title in titles.items():
        one = held.get(name, {"ratio": None, "goal": None, "met": None, "runs": 0, "note": "never run"})
        cells = (
            f"{title} (`{name}`)",
            "–" if one["ratio"] is None else f"{one['ratio']:.2f} ×",
            "–" if one["goal"] is None else one["goal"].replace(">=", "≥").replace("<=", "≤") + " ×",
            {True: "yes", False: "**no**", None: "–"}[one["met"]],
            str(one["runs"]),
            one["note"].replace("|", "\\|"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def write_between(path: Path, mark: str, lines: Sequence[str]) -> None:
    """Put ``lines`` between ``<!-- mark -->`` and ``<!-- end of mark -->`` in a text; the rest stays as it is."""
    head, opening, rest = path.read_text(encoding="utf-8").partition(f"<!-- {mark} -->\n")
    _, closing, tail = rest.partition(f"<!-- end of {mark} -->")
    if not opening or not closing:
        raise ValueError(f"{path}: no place marked {mark!r}")
    inside = "".join(line + "\n" for line in lines)
    write_atomic(path, f"{head}{opening}{inside}{closing}{tail}".encode())
