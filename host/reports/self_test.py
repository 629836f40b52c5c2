"""The statistics engine's self-test as it stands in a report."""

import hashlib
import platform
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Final

from host import __version__
from host.home import Home
from host.reports.sections import OracleNotRun, OracleRow, SelfTestSection
from host.sources.data_folder import DataFolder
from host.statistics.oracle import DataFile
from host.statistics.self_test import Find, OracleResult, run_self_test

# What a figure depends on beside our own code.
LIBRARIES: Final = ("numpy", "scipy")


def self_test_section(home: Home, *, say: Callable[[str], None] = lambda line: None) -> SelfTestSection:
    """Compute every published number again, on this installation and now.

    Parameters
    ----------
    home : Home
        Its data folder (``ASSAY_DATA``) is searched for the files that some oracles need.
    say : callable, optional
        Told what takes a while, in one line.

    Raises
    ------
    SourceError
        ``ASSAY_DATA`` names no folder.
    """
    return section_of(run_self_test(_finder(home, say)))


def section_of(results: Sequence[OracleResult]) -> SelfTestSection:
    """Results as a report holds them: what was computed, number by number, and what could not be."""
    not_run = [one for one in results if one.passed is None]
    counts = Counter(one.id for one in not_run)
    return SelfTestSection(
        versions={
            "assay": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        oracles=tuple(
            OracleRow(
                id=one.id,
                source=one.source,
                quantity=one.quantity if not one.reason else f"{one.quantity} ({one.reason})",
                expected=one.expected,
                found=one.found,
                tolerance=one.tolerance,
                passed=one.passed,
            )
            for one in results
            if one.passed is not None
        ),
        not_run=tuple(
            OracleNotRun(id=one.id, source=one.source, numbers=counts[one.id], reason=one.reason)
            for one in {one.id: one for one in not_run}.values()
        ),
    )


def _finder(home: Home, say: Callable[[str], None]) -> Find:
    if home.data is None:
        return lambda file: None
    folder = DataFolder(home.data, home.cache, say)

    def find(file: DataFile) -> bytes | None:
        for path in folder.find(file.sha256, file.bytes):
            data = path.read_bytes()
            if f"sha256:{hashlib.sha256(data).hexdigest()}" == file.sha256:
                return data
        return None

    return find
