"""A table of cases of the tiny plugin, with one behaviour each, as an author runs it."""

import csv
import json
from pathlib import Path
from typing import Any

from host.batch import Batch, BatchOrder, BatchProgress, run_batch
from host.batch_results import CaseDocument
from host.engines.cgroup import MemoryUse
from host.engines.interface import Engine
from host.machine import Room
from host.scheduling import Share
from host.warm.memory import peer_memory
from tests.support.built import IMAGE, Bench
from tests.support.tiny import write_scan

ROOMY = Share(8.0, 2**33)


class BatchBench:
    """A built plugin and a table of cases with one behaviour each."""

    def __init__(
        self, folder: Path, mode: str = "serve", engine: Engine | None = None, image: str = IMAGE
    ) -> None:
        self.bench = Bench(folder, mode, engine, image)
        self.watched = engine is not None
        self.folder = folder
        self.table = folder / "cases.csv"
        self.out = folder / "out"
        self.told: list[tuple[str, bool]] = []
        self.write({"one": "answer", "two": "answer", "three": "answer"})

    def write(self, cases: dict[str, str]) -> None:
        """One case per behaviour; the size of its cube is its rank."""
        lines = ["case_id,scan"]
        for rank, (case, behaviour) in enumerate(cases.items(), start=1):
            write_scan(self.folder / f"{case}.nii", behaviour, min(rank, 3))
            lines.append(f"{case},{case}.nii")
        self.table.write_text("\n".join(lines) + "\n")

    def run(self, *, jobs: int = 1, warm: bool = False, replace: bool = False, there: Share = ROOMY) -> Batch:
        """Run the table; ``told`` has each case and whether it was kept."""
        self.told.clear()

        def case_done(document: CaseDocument, kept: bool, number: int, total: int) -> None:
            assert (number, total) == (len(self.told) + 1, len(self.table.read_text().splitlines()) - 1)
            self.told.append((document.case_id, kept))

        return run_batch(
            self.bench.home,
            self.bench.engine,
            BatchOrder(self.bench.plugin, self.table, self.out, jobs=jobs, warm=warm, replace=replace),
            BatchProgress(say=lambda line: None, case_done=case_done),
            room=Room(there),
            probe=peer_memory if self.watched else lambda pid: lambda: MemoryUse(24 * 2**20, 0),
        )

    def rows(self) -> list[dict[str, str]]:
        """The table of results."""
        with (self.out / "results.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    def document(self) -> Any:
        """The document of results."""
        return json.loads((self.out / "results.json").read_bytes())
