"""Small images and layers, made by the code under test from a handful of files."""

from dataclasses import dataclass
from pathlib import Path

from host.images.identity import plugin_config, runtime_command
from host.images.layer import Entry, Layer, write_layer


@dataclass(frozen=True)
class SmallImage:
    config_bytes: bytes
    layers: tuple[Layer, ...]


def make_layer(folder: Path, name: str, text: str) -> Layer:
    """A layer with one file."""
    source = folder / f"{name}.txt"
    source.write_text(text)
    return write_layer([Entry(f"data/{name}.txt", source=source)], folder / f"{name}.tar")


def make_image(folder: Path) -> SmallImage:
    """An image of two layers."""
    layers = (make_layer(folder, "one", "first"), make_layer(folder, "two", "second"))
    config = plugin_config(
        cmd=runtime_command("adapter"),
        diff_ids=tuple(layer.diff_id for layer in layers),
        steps=("one", "two"),
        labels={"org.example.kind": "test"},
        env={"OMP_NUM_THREADS": "1"},
    )
    return SmallImage(config.to_bytes(), layers)
