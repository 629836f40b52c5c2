"""The files of a new plugin, out of templates: one manifest for all, a part for each capability."""

import math
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from host.scaffold.phantom import BALLS, BRIGHT, SPACING_MM, bright_voxels, test_images
from plugin_spec.model import FILL_IN

TEMPLATES: Final = Path(__file__).parent / "templates"
TOOL: Final = "tool"


class Pattern(Template):
    """A template whose placeholders are ``@name``: the dollar belongs to shells."""

    delimiter = "@"


@dataclass(frozen=True)
class Example:
    """What a new plugin does until its author has put another algorithm there.

    Attributes
    ----------
    summary : str
        The example's method, in one sentence.
    compare : tuple of str
        What its positive test compares, as TOML tables.
    claim : str
        What it claims about repeated runs.
    """

    summary: str
    compare: tuple[str, ...]
    claim: str = "bitwise"


def examples() -> dict[str, Example]:
    """One example for each capability, and one for a tool that is not Python."""
    bright_ml = bright_voxels() * SPACING_MM**3 / 1000
    risk = 1 / (1 + math.exp(2.0 - 0.05 * bright_ml))  # the example's made-up model
    ml = f'{{ port = "numbers", column = "bright_ml", value = {bright_ml:.3f}, absolute = 0.001 }}'
    mean = f'{{ port = "numbers", column = "bright_mean", value = {BRIGHT:.1f}, absolute = 0.001 }}'
    return {
        "detection": Example(
            "the centre of each group of touching bright voxels.",
            (f'{{ port = "spots", count = {len(BALLS)} }}',),
        ),
        "segmentation": Example(
            "the bright voxels of an image, by a threshold.",
            ('{ port = "mask", reference = "tests/mask.nii.gz", dice = 1.0 }',),
        ),
        "classification": Example(
            "whether bright voxels fill 1 % of an image.",
            ('{ port = "finding", equals = "bright_part" }',),
            claim="bitwise_same_device",  # the last digits of exp() may differ between processors
        ),
        "quantification": Example("the volume and mean of the bright voxels, by a threshold.", (ml, mean)),
        "prediction": Example(
            "a made-up risk that grows with the volume of the bright voxels.",
            (f'{{ port = "risk", value = {risk:.6f}, absolute = 0.000001 }}',),
            claim="bitwise_same_device",
        ),
        TOOL: Example("the volume of the bright voxels, by a threshold, with Debian's own programs.", (ml,)),
    }


def plugin_files(plugin_id: str, capability: str, *, tool: bool) -> dict[str, bytes]:
    """Every file of a new plugin, by its path in the folder.

    Parameters
    ----------
    plugin_id : str
        The plugin's identifier, which also gives its title.
    capability : str
        A capability of the contract; a tool measures.
    tool : bool
        A command with Debian's programs in the place of an adapter.
    """
    name = TOOL if tool else capability
    example = examples()[name]
    words = {
        "id": plugin_id,
        "title": plugin_id.replace("-", " ").capitalize(),
        "fill_in": FILL_IN,
        "capability": capability,
        "summary": example.summary,
        "claim": example.claim,
        "compare": "\n".join(f"    {one}," for one in example.compare),
        "memory_mib": "160" if tool else "320",
    }
    words["runtime"] = _filled("tool.toml" if tool else "adapter.toml", words)
    words["ports"] = _filled("tool_ports.toml" if tool else f"{name}.toml", words)
    words |= _guide(tool)
    files = {
        "plugin.toml": _filled("plugin.toml", words).encode() + b"\n",
        "README.md": _filled("README.md", words).encode() + b"\n",
        **{f"tests/{image}": data for image, data in test_images().items()},
    }
    if name != "segmentation":
        del files["tests/mask.nii.gz"]
    copied = {"debian.lock.json": "debian.lock.json"} if tool else {"adapter.py": f"{name}.py"}
    if not tool:
        copied |= {one: one for one in ("requirements.in", "requirements.txt")}
    return files | {target: (TEMPLATES / source).read_bytes() for target, source in copied.items()}


def _filled(name: str, words: dict[str, str]) -> str:
    return Pattern((TEMPLATES / name).read_text(encoding="utf-8")).substitute(words).rstrip("\n")


def _guide(tool: bool) -> dict[str, str]:
    """The parts of the README that differ."""
    if tool:
        return {
            "files": "| `debian.lock.json` | the Debian packages of the image, pinned with all they need |",
            "steps": "write your program's call into `argv`, its packages into `debian`, `assay plugin lock .`,\n"
            "and declare what it takes and gives.",
        }
    return {
        "files": "| `adapter.py` | the algorithm: one function, called by the names of inputs and parameters |\n"
        "| `requirements.in`, `requirements.txt` | what it imports, and the same pinned with hashes |",
        "steps": "put yours where `adapter.py` says so, what it imports into `requirements.in`,\n"
        "`assay plugin lock .`, and declare what it takes and gives.",
    }
