"""``assay plugin run --cases``: a build on a table of cases, side by side."""

from collections import Counter
from typing import TYPE_CHECKING

from host.cli.answer import conclude, show, table
from host.cli.engines import connected
from host.cli.targets import check_target

if TYPE_CHECKING:
    from host.batch import Batch, BatchOrder
    from plugin_spec.errors import AssayError


def run_table(order: "BatchOrder", *, engine: str, json: bool) -> int:
    """Run every case of a table and show how each ended."""
    out = order.out
    check_target(out / "results.csv" if out.is_dir() else out, "--out", new=not out.is_dir())
    from host.batch import BatchProgress, run_batch
    from host.case_table import read_case_table
    from host.cli.progress import CaseProgress
    from host.home import Home
    from host.workbench import built

    home = Home.from_environment()
    read_case_table(order.cases, built(home, order.folder).manifest)  # before an engine is looked for
    with CaseProgress() as bar:
        batch = run_batch(
            home,
            connected(engine),
            order,
            BatchProgress(say=bar.say, case_done=bar.batch_case_done),
        )
    counts = Counter(one.outcome for one in batch.results)
    show(
        {
            "cases": batch.results,
            "kept": batch.kept,
            "counts": dict(counts),
            "tables": [str(path) for path in batch.tables],
        },
        [
            *table(("case", "outcome", "reason", "seconds", "container"), _rows(batch)),
            *[f"warning: {one.case_id}: {text}" for one in batch.results for text in one.warnings],
            f"{len(batch.results)} cases: "
            + ", ".join(f"{counts[word]} {word}" for word in ("ok", "refused", "failed") if counts[word])
            + (f"; {batch.kept} kept from before" if batch.kept else ""),
            *[f"wrote {path}" for path in batch.tables],
        ],
        as_json=json,
    )
    return conclude(_fault(batch))


def _rows(batch: "Batch") -> list[tuple[str, ...]]:
    return [
        (one.case_id, one.outcome, one.reason_code, f"{one.duration_s:.2f}", one.container)
        for one in batch.results
    ]


def _fault(batch: "Batch") -> "AssayError | None":
    """What the command ends with: the first failed case, else the first refused one."""
    from host.execution import fault_of

    for outcome in ("failed", "refused"):
        for one in batch.results:
            if one.outcome == outcome:
                message = f"{one.case_id}: {one.message}"
                return fault_of(outcome, reason=one.reason_code, message=message, hint="")
    return None
