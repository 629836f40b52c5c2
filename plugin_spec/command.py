"""A tool that is not Python: the words of its command line, and what its exit codes and files mean.

The words are a template. ``{inputs.t1}`` stands for the staged file, ``{outputs.mask}`` for the file to write,
``{parameters.level}`` for a value, ``{parameters.fast?--fast}`` for the flag ``--fast`` where the switch is on,
``{weights.model}`` for a data file; ``{scratch}``, ``{threads}`` and ``{seed}`` are the run's own; ``{{`` and ``}}``
are the braces themselves. A list inside ``argv`` is a group that is left out as a whole where something in it is
absent: an optional input without a file, or a switch that is off. The words reach the program as they are; no shell
ever sees them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, field_validator

from plugin_spec.model import PortName, ReasonCode, RelativePath, StrictModel

_TOKEN: Final = re.compile(
    r"(?P<brace>\{\{|\}\})"
    r"|\{(?:(?P<table>inputs|outputs|parameters|weights)\.(?P<name>[a-z][a-z0-9_]*)(?:\?(?P<flag>[^{}]+))?"
    r"|(?P<own>scratch|threads|seed))\}"
)
# What is left where all tokens are taken out, each leaving a NUL: no word holds one.
_STRAY: Final = re.compile(r"\{[^{}\0]*\}?|\}")
PLACEHOLDERS: Final = (
    "{inputs.PORT} {outputs.PORT} {parameters.NAME} {parameters.NAME?WORD} {weights.NAME} "
    "{scratch} {threads} {seed}"
)
Word = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
ExitCodeName = Annotated[str, StringConstraints(pattern=r"^([1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$")]


class ExitMeaning(StrictModel):
    """What an exit code of the tool says about the case."""

    outcome: Literal["refused", "failed"]
    reason_code: ReasonCode
    message: str = Field(min_length=1, max_length=300)


class Placeholder(StrictModel):
    """One ``{…}`` of a template: the table and the name in it (empty for the run's own)."""

    table: str
    name: str
    flag: str | None = None


class Command(StrictModel):
    """How the host calls the tool, and how it reads the answer.

    Attributes
    ----------
    argv : tuple of str or tuple of str
        Program and arguments; see the module.
    outputs : mapping of str to str
        Output port to the file the tool writes below ``/assay/out``. Measurements may be a ``.csv`` with a header.
    exit_codes : mapping of str to ExitMeaning
        0 is ok; a code that is not listed is a failure of the plugin.
    """

    argv: tuple[Word | tuple[Word, ...], ...] = Field(min_length=1, max_length=1000)
    outputs: dict[PortName, RelativePath]
    exit_codes: dict[ExitCodeName, ExitMeaning] = {}

    @field_validator("argv")
    @classmethod
    def _words_are_templates(
        cls, argv: tuple[str | tuple[str, ...], ...]
    ) -> tuple[str | tuple[str, ...], ...]:
        for word in _words(argv):
            if "\0" in word:
                raise ValueError(f"{word!r} holds a NUL character; leave it out")
            stray = _STRAY.search(_TOKEN.sub("\0", word))
            if stray is not None:
                raise ValueError(
                    f"{stray[0]!r} is no placeholder; write {{{{ and }}}} for braces the tool is to get, "
                    f"or one of {PLACEHOLDERS}"
                )
            for found in _TOKEN.finditer(word):
                if found["flag"] is not None and found["table"] != "parameters":
                    raise ValueError(f"{found[0]}: only a parameter has a flag; put an input into a group")
        return argv

    def words(self) -> Iterator[str]:
        """All words, groups opened."""
        return _words(self.argv)

    def placeholders(self) -> Iterator[Placeholder]:
        """All placeholders of all words."""
        for word in self.words():
            for found in _TOKEN.finditer(word):
                if found["brace"] is None:
                    yield Placeholder(
                        table=found["table"] or found["own"], name=found["name"] or "", flag=found["flag"]
                    )


def _words(argv: Sequence[str | tuple[str, ...]]) -> Iterator[str]:
    for item in argv:
        if isinstance(item, str):
            yield item
        else:
            yield from item


def literal(word: str) -> str:
    """Write a word as a template that stands for exactly this word."""
    return word.replace("{", "{{").replace("}", "}}")


def shown(word: str) -> str:
    """Write a template as manuals do: what stands for a file or a value in ``<>``, a flag in ``[]``."""
    return _TOKEN.sub(_as_in_a_manual, word)


def _as_in_a_manual(found: re.Match[str]) -> str:
    if found["brace"]:
        return found["brace"][0]
    return f"[{found['flag']}]" if found["flag"] else f"<{found['name'] or found['own']}>"


class CommandValues(StrictModel):
    """What the placeholders stand for in one run: paths inside the container, and values."""

    inputs: dict[str, tuple[str, ...]]
    outputs: dict[str, str]
    parameters: dict[str, bool | int | float | str]
    weights: dict[str, str]
    scratch: str
    threads: int
    seed: int


class _Absent(Exception):
    """A placeholder has nothing to stand for."""


def render(command: Command, values: CommandValues) -> tuple[str, ...]:
    """Fill in a template.

    Returns
    -------
    tuple of str
        Program and arguments. A word that is one placeholder for several files becomes several words; a word, or
        its group, whose placeholder is absent is left out.
    """
    rendered: list[str] = []
    for item in command.argv:
        group = (item,) if isinstance(item, str) else item
        try:
            rendered += [word for template in group for word in _rendered(template, values)]
        except _Absent:
            continue
    return tuple(rendered)


def _rendered(template: str, values: CommandValues) -> Sequence[str]:
    whole = _TOKEN.fullmatch(template)
    if whole is not None and whole["table"] == "inputs":
        return _files(whole["name"], values.inputs)
    return (_TOKEN.sub(lambda found: _value(found, values), template),)


def _files(name: str, inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if not inputs.get(name):
        raise _Absent
    return inputs[name]


def _value(found: re.Match[str], values: CommandValues) -> str:
    if found["brace"]:
        return found["brace"][0]
    if found["own"]:
        return str(getattr(values, found["own"]))
    table, name = found["table"], found["name"]
    if table == "inputs":
        return " ".join(_files(name, values.inputs))
    if table == "parameters":
        return _parameter(values.parameters[name], found["flag"])
    paths: Mapping[str, str] = getattr(values, table)
    if name not in paths:
        raise _Absent
    return paths[name]


def _parameter(value: bool | int | float | str, flag: str | None) -> str:
    if flag is not None:
        if value is not True:
            raise _Absent
        return flag
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
