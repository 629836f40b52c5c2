"""What is refused of a Dockerfile before a daemon is asked; builds are in tests/integration."""

from pathlib import Path

import pytest

from host.errors import ImageRuleError
from host.images.docker_source import checked_dockerfile
from plugin_spec.image import DockerfileImage


def test_a_dockerfile_in_its_context_is_read(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/Dockerfile").write_text("FROM scratch\n")
    image = DockerfileImage(source="dockerfile", file="image/Dockerfile", context="image")
    assert checked_dockerfile(tmp_path, image)[0] == b"FROM scratch\n"


@pytest.mark.parametrize(
    ("file", "context"),
    [
        ("Dockerfile", "image"),
        ("image/Dockerfile", "other"),
        ("Dockerfile", "image/../.."),
        ("outside/Dockerfile", "outside"),
        ("Dockerfile", "absent"),
    ],
)
def test_a_dockerfile_outside_its_context_or_folder_is_refused(
    tmp_path: Path, file: str, context: str
) -> None:
    plugin, elsewhere = tmp_path / "plugin", tmp_path / "elsewhere"
    for folder in (plugin / "image", plugin / "other", elsewhere):
        folder.mkdir(parents=True)
    (plugin / "outside").symlink_to(elsewhere)
    (plugin / file).write_text("FROM scratch\n")
    with pytest.raises(ImageRuleError, match=r"I205 image\.file"):
        checked_dockerfile(plugin, DockerfileImage(source="dockerfile", file=file, context=context))
