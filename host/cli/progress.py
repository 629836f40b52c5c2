"""Progress of a run over cases: one line per case, and on a terminal a bar with cases done, rate and time left."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from host.cli.answer import clean, say

if TYPE_CHECKING:
    from rich.progress import Progress

    from host.batch_results import CaseDocument
    from host.kits.cases import KitCase
    from host.run_ledger import RecordedRun
    from registry.statements import RunFinished

_MIB = 2**20


class _OnTerminal:
    """Lines on stderr; on a terminal a bar stands below them, off a terminal nothing moves."""

    def __init__(self, bar: Callable[[], "Progress"]) -> None:
        self._bar = bar() if sys.stderr.isatty() else None

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
            self._bar.console.print(clean(line), markup=False, highlight=False)


class CaseProgress(_OnTerminal):
    """Tells each finished case.

    Called from the main thread only; cases may end in any order.
    """

    def __init__(self) -> None:
        super().__init__(_bar)

    def cancelled(self) -> bool:
        """Whether to stop: never, since Ctrl-C arrives as KeyboardInterrupt."""
        return False

    def case_done(self, case: "KitCase", run: "RecordedRun", number: int, total: int) -> None:
        """Tell how a case of a kit ended."""
        record = run.record
        mark = "" if record.outcome == case.expected else f"  EXPECTED {case.expected}: {record.message}"
        self.told(f"{case.case_id}: {_ending(record)}{mark}", number, total)

    def batch_case_done(self, document: "CaseDocument", kept: bool, number: int, total: int) -> None:
        """Tell how a case of a table ended, or that its result was there already."""
        mark = "  kept: same inputs, image and parameters" if kept else ""
        if document.outcome == "failed":
            mark = f"  {document.message}"
        self.told(f"{document.case_id}: {_ending(document)}{mark}", number, total)

    def told(self, line: str, number: int, total: int) -> None:
        """One line for a case that is done, and the bar moved on."""
        self.say(f"[{number}/{total}] {line}")
        if self._bar is not None:
            if not self._bar.tasks:
                self._bar.add_task("cases", total=total)
            task = self._bar.tasks[0]
            if number < task.completed:
                self._bar.reset(task.id, total=total)  # the cases are gone through once more
            self._bar.update(task.id, completed=number)


def _ending(record: "RunFinished | CaseDocument") -> str:
    peak = "" if record.memory_peak_bytes is None else f", {record.memory_peak_bytes / _MIB:.0f} MiB"
    word = f"{record.outcome} {record.reason_code}".strip()
    return f"{word} ({record.duration_s:.1f} s{peak})"


def rate(cases: float, seconds: float) -> str:
    """How fast cases end, in the unit that gives a number one can read."""
    if cases <= 0 or seconds <= 0:
        return ""
    per_minute = 60 * cases / seconds
    if per_minute >= 120:
        return f"{per_minute / 60:.1f}/s"
    return f"{per_minute:.1f}/min" if per_minute >= 2 else f"{60 * per_minute:.1f}/h"


def _bar() -> "Progress":
    """Build the bar; rich is slow to import, and only a terminal needs it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(rate(task.completed, task.elapsed or 0.0))

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeLeft(),
        console=Console(stderr=True),
    )


class DownloadProgress(_OnTerminal):
    """Tells what is found and fetched, and how far a download is."""

    def __init__(self) -> None:
        super().__init__(_download_bar)

    def told(self, have: int, total: int) -> None:
        """Move the bar of the file that is downloaded."""
        if self._bar is None:
            return
        if not self._bar.tasks:
            self._bar.add_task("download", total=total)
        task = self._bar.tasks[0]
        if have < task.completed or task.total != total:
            self._bar.reset(task.id, total=total)  # the next file
        self._bar.update(task.id, completed=have)


def _download_bar() -> "Progress":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
