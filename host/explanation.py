"""Why a case failed, for the author who can mend it: the line of the adapter, the traceback, and what to do. Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.author_traceback import find_traceback
from host.execution import Execution
from host.remedies import Failure, remedy
from plugin_spec.manifest import Manifest

MAX_LINES: Final = 60
# Ends where an exception in the log tells more than its last lines do.
_RAISED: Final = ("plugin-error", "output-limit")


@dataclass(frozen=True)
class Explanation:
    """What is shown of a failed case: lines to read, and what to do next where that is known."""

    lines: tuple[str, ...] = ()
    hint: str = ""


def explain(execution: Execution, log: str, manifest: Manifest, folder: Path) -> Explanation:
    """Explain how a case ended, from its outcome and its container's log.

    Parameters
    ----------
    log : str
        The whole log, which stays as it is; what an author does not need of it is left out here.
    folder : Path
        The plugin's folder; the adapter's line is given in it.

    Returns
    -------
    Explanation
        Empty unless the case failed.
    """
    if execution.outcome != "failed":
        return Explanation()
    raised = find_traceback(log) if execution.reason_code in _RAISED else None
    if raised is None:
        lines = log.splitlines()
        cut = [f"[{len(lines) - MAX_LINES} earlier lines are not shown]"] if len(lines) > MAX_LINES else []
        shown, error = [*cut, *lines[-MAX_LINES:]], "\n".join(lines[-5:])
    else:
        adapter = manifest.runtime.adapter or ""
        place = raised.place(Path(adapter).name)
        inside = place is not None and Path(place.file).name == Path(adapter).name
        file = folder / adapter if inside else Path(place.file if place else "")
        head = [f"{file}:{place.line}, in {place.function or 'the file'}"] if place else []
        shown, error = [*head, *raised.lines[:MAX_LINES]], raised.error
    failure = Failure(execution.reason_code, execution.message, error, manifest, folder)
    return Explanation(tuple(_printable(line) for line in shown), remedy(failure) or execution.hint)


def _printable(line: str) -> str:
    """A line of a log without what could steer a terminal."""
    return "".join(one if one.isprintable() or one == "\t" else f"\\x{ord(one):02x}" for one in line)
