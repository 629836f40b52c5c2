"""What a manifest says of its image: its files, its program, the rules it is checked against. Pure, and light."""

from plugin_spec.command import Command
from plugin_spec.image import DockerfileImage, PackagesImage
from plugin_spec.manifest import Manifest


def rules_of(manifest: Manifest) -> tuple[str, ...]:
    """Return the numbers of the rules that an image of this manifest is checked against."""
    started = ("I301",) if manifest.runtime.command else ("I301", "I302", "I303", "I304")
    if isinstance(manifest.image, PackagesImage):
        return started
    dockerfile = ("I201", "I202", "I203", "I204", "I205")
    found = ("I101", "I102", "I103", "I104", "I105" if manifest.runtime.command else "I106")
    return (*(dockerfile if isinstance(manifest.image, DockerfileImage) else ()), *found, *started)


def program_of(command: Command) -> str:
    """Return the program of a tool's command, as the manifest writes it."""
    return next(command.words())
