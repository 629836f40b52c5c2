"""A fault as people read it: where, which rule, what is wrong, and the fix."""

from pathlib import Path

from host.paragraphs import printable, wrapped
from plugin_spec.faults import Fault


def fault_lines(fault: Fault, path: Path, *, width: int) -> list[str]:
    """Write a fault of the ``plugin.toml`` at ``path`` in lines of at most ``width`` characters."""
    where = f"{path}:{fault.line}" if fault.line else str(path)
    return [
        printable(f"{where}: {fault.severity} {fault.rule}" + (f" in {fault.path}" if fault.path else "")),
        *wrapped(fault.message, width=width, first="    "),
        *wrapped(f"fix: {fault.fix}", width=width, first="    "),
    ]
