"""``python -m tests.bench``: run the benchmarks, write ``build/bench.json`` and the table in the documentation."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench import machine, results
from tests.bench.catalogue import EXPERIMENTS
from tests.bench.measure import conduct

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "host" / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; a goal that is not met is a result, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = [one.name for one in EXPERIMENTS]
    parser.add_argument("--only", nargs="*", choices=names, help="experiments, default all of them")
    parser.add_argument("--turns", type=int, help="instead of each experiment's own number")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench.json")
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    options = parser.parse_args(arguments)
    # A path without the place for the table shows before the measuring, not after it.
    results.write_between(options.document, "table", ["being measured"])
    described, held = machine.describe(), {}
    for experiment in EXPERIMENTS:
        if options.only and experiment.name not in options.only:
            continue
        before, started = machine.load(), time.monotonic()
        # Not below /tmp's own mode: a run's folder must be reachable for its owner only.
        with tempfile.TemporaryDirectory(prefix="assay-bench-") as folder:
            rows = conduct(experiment, Path(folder), say=_say, turns=options.turns)
        where = f"{described}; load {before:.1f} before, {machine.load():.1f} after"
        held = results.merge(options.json, results.entries(rows, machine=where, date=machine.today()))
        _say(f"{experiment.name}: {time.monotonic() - started:.0f} s")
    titles = {row.name: row.title for one in EXPERIMENTS for row in one.benchmarks}
    lines = results.table(titles, held)
    results.write_between(options.document, "table", _page(lines, held, described))
    print("\n".join(lines))
    return 0


def _page(lines: list[str], held: results.Entries, described: str) -> list[str]:
    dates = sorted({one["date"] for one in held.values()})
    loads = sorted({one["machine"].partition("; ")[2] for one in held.values()} - {""})
    return [f"{described}. Run on {', '.join(dates)}; {' | '.join(loads)}.", "", *lines]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
