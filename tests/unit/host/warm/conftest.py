"""A warm container of the tiny plugin, in a child process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.warm_bench import WarmBench


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[WarmBench]:
    bench = WarmBench(tmp_path)
    try:
        yield bench
    finally:
        bench.close()
