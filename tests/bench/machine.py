"""What a benchmark ran on."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path


def describe() -> str:
    """Processor, its cores, memory, kernel and interpreter, in one line."""
    named = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    gibibytes = int(memory[1]) / 2**20 if memory else 0
    return (
        f"{named[1].strip() if named else platform.machine()}, {os.cpu_count()} cores, {gibibytes:.0f} GiB, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def load() -> float:
    """Processes that wanted a core in the last minute."""
    return os.getloadavg()[0]


def today() -> str:
    """The date, UTC."""
    return datetime.now(UTC).date().isoformat()
