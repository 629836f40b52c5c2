"""Progress of a run over cases: one line per case, and a bar with time left on a terminal."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from host.cli.answer import say

if TYPE_CHECKING:
    from host.kits import KitCase
    from host.run_ledger import RecordedRun


class CaseProgress:
    """Tells each finished case on stderr; on a terminal the last line is a bar."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def say(self, line: str) -> None:
        """One line above the bar."""
        self._clear()
        say(line)

    def cancelled(self) -> bool:
        """Whether to stop; Ctrl-C arrives as KeyboardInterrupt instead."""
        return False

    def case_done(self, case: "KitCase", run: "RecordedRun", number: int, total: int) -> None:
        """Tell how a case ended."""
        record = run.record
        peak = "" if record.memory_peak_bytes is None else f", {record.memory_peak_bytes / 2**20:.0f} MiB"
        word = f"{record.outcome} {record.reason_code}".strip()
        mark = "" if record.outcome == case.expected else f"  EXPECTED {case.expected}: {record.message}"
        self.say(f"[{number}/{total}] {case.case_id}: {word} ({record.duration_s:.1f} s{peak}){mark}")
        if self._terminal and number < total:
            elapsed = time.monotonic() - self._began
            left = elapsed / number * (total - number)
            done = "█" * round(30 * number / total)
            sys.stderr.write(f"\r{done:<30} {number}/{total} cases, about {left:.0f} s left")
            sys.stderr.flush()

    def _clear(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\033[K")
