"""A plugin's folder on disk, as the rules over files see it, and the text files they read."""

from dataclasses import dataclass
from pathlib import Path

from plugin_spec.manifest import Manifest

MAX_SOURCE_BYTES = 1024 * 1024


@dataclass(frozen=True)
class PluginFolder:
    """A folder and the manifest that was read from it."""

    path: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        """Where a file the manifest names should be."""
        return self.path / name

    def text(self, name: str) -> str | None:
        """The text of a small file; None where it is absent, no regular file, too large or not UTF-8."""
        if not self.file(name).is_file():
            return None
        try:
            with self.file(name).open("rb") as stream:
                data = stream.read(MAX_SOURCE_BYTES + 1)
            return data.decode("utf-8") if len(data) <= MAX_SOURCE_BYTES else None
        except (OSError, UnicodeDecodeError):
            return None
