"""Images that come through a Docker daemon: without one, the error names the ways that need none."""

import pytest

from host.engines.docker_images import connect_images
from host.errors import NoEngineError


def test_without_a_daemon_an_image_can_come_from_an_archive_that_assay_writes() -> None:
    with pytest.raises(NoEngineError, match="no Docker daemon answers") as refused:
        connect_images("tcp://127.0.0.1:1")  # where nothing listens
    assert "assay plugin save FOLDER --out FILE" in refused.value.hint
    assert 'image.source = "packages" or "archive"' in refused.value.hint
