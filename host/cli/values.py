"""Read ``NAME=VALUE`` options."""

from collections.abc import Sequence
from pathlib import Path

from host.errors import OptionError


def parse_pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """``["t1=scan.nii"]`` to ``{"t1": "scan.nii"}``; a repeated or malformed pair is refused."""
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise OptionError(f"{option} {text!r}: expected NAME=VALUE", subject=text)
        if name in pairs:
            raise OptionError(f"{option} gives {name!r} twice", subject=name)
        pairs[name] = value
    return pairs


def parse_files(given: Sequence[str], option: str) -> dict[str, tuple[Path, ...]]:
    """``["t1=a.nii", "t2=b.nii", "t2=c.nii"]`` to the files of each port, in their order; a file twice is refused."""
    files: dict[str, tuple[Path, ...]] = {}
    for text in given:
        ((name, path),) = parse_pairs([text], option).items()
        if Path(path) in files.get(name, ()):
            raise OptionError(f"{option} gives {text!r} twice", subject=name)
        files[name] = (*files.get(name, ()), Path(path))
    return files


def parse_parameters(given: Sequence[str]) -> dict[str, bool | int | float | str]:
    """Parameter values: ``true`` and ``false``, whole numbers, real numbers, otherwise words."""
    return {name: _scalar(text) for name, text in parse_pairs(given, "--parameter").items()}


def _scalar(text: str) -> bool | int | float | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
