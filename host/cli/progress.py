"""Progress of a run over cases: one line per case, and a bar with time left on a terminal."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from host.cli.answer import say

if TYPE_CHECKING:
    from rich.progress import Progress

    from host.kits import KitCase
    from host.run_ledger import RecordedRun


class CaseProgress:
    """Tells each finished case on stderr; on a terminal a bar stands below, off a terminal nothing moves."""

    def __init__(self) -> None:
        self._bar = _bar() if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def say(self, line: str) -> None:
        """One line above the bar."""
        if self._bar is None:
            say(line)
        else:
            self._bar.console.print(line, markup=False, highlight=False)

    def cancelled(self) -> bool:
        """Whether to stop: never, since Ctrl-C arrives as KeyboardInterrupt."""
        return False

    def case_done(self, case: "KitCase", run: "RecordedRun", number: int, total: int) -> None:
        """Tell how a case ended."""
        record = run.record
        peak = "" if record.memory_peak_bytes is None else f", {record.memory_peak_bytes / 2**20:.0f} MiB"
        word = f"{record.outcome} {record.reason_code}".strip()
        mark = "" if record.outcome == case.expected else f"  EXPECTED {case.expected}: {record.message}"
        self.say(f"[{number}/{total}] {case.case_id}: {word} ({record.duration_s:.1f} s{peak}){mark}")
        if self._bar is not None:
            if not self._bar.tasks:
                self._bar.add_task("cases", total=total)
            self._bar.update(self._bar.tasks[0].id, completed=number)


def _bar() -> "Progress":
    """Build the bar; rich is slow to import, and only a terminal needs it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
