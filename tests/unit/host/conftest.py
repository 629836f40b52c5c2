"""A host with a release and a kit, built afresh per test: it takes a tenth of a second."""

from pathlib import Path

import pytest

from tests.support.tiny_host import TinyHost, tiny_host


@pytest.fixture
def host(tmp_path: Path) -> TinyHost:
    """A sponsor's home with the tiny plugin submitted and the tiny kit registered."""
    tmp_path.chmod(0o700)
    return tiny_host(tmp_path)
