"""A tool that is not Python: the words of its command line, and what its exit codes and files mean.

The words are a template. ``{inputs.t1}`` stands for the staged file, ``{outputs.mask}`` for the file to write,
``{parameters.level}`` for a value, ``{parameters.fast?--fast}`` for the flag ``--fast`` where the switch is on,
``{weights.model}`` for a data file; ``{scratch}``, ``{threads}`` and ``{seed}`` are the run's own. A list inside
``argv`` is a group that is left out as a whole where something in it is absent: an optional input without a file, or a
switch that is off. The words reach the program as they are; no shell ever sees them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from plugin_spec.model import PortName, RelativePath, StrictModel

_PLACEHOLDER = re.compile(
    r"\{(?:(?P<table>inputs|outputs|parameters|weights)\.(?P<name>[a-z][a-z0-9_]*)(?:\?(?P<flag>[^{}]+))?"
    r"|(?P<own>scratch|threads|seed))\}"
)
Word = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
ExitCodeName = Annotated[str, StringConstraints(pattern=r"^([1-9]\d?|1\d\d|2[0-4]\d|25[0-5])$")]


class ExitMeaning(StrictModel):
    """What an exit code of the tool says about the case."""

    outcome: Literal["refused", "failed"]
    reason_code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
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

    @model_validator(mode="after")
    def _words_are_templates(self) -> "Command":
        for word in self.words():
            left = _PLACEHOLDER.sub("", word)
            if "{" in left or "}" in left:
                raise ValueError(
                    f"argv: {word!r} holds a brace that is no placeholder; "
                    "known: {inputs.PORT} {outputs.PORT} {parameters.NAME} {parameters.NAME?FLAG} {weights.NAME} "
                    "{scratch} {threads} {seed}"
                )
            flagged = [found[0] for found in _PLACEHOLDER.finditer(word) if found["flag"] is not None]
            if any(not one.startswith("{parameters.") for one in flagged):
                raise ValueError(
                    f"argv: {flagged[0]}: only a parameter has a flag; put an input into a group"
                )
            if "\0" in word:
                raise ValueError(f"argv: {word!r} holds a NUL character")
        return self

    def words(self) -> Iterator[str]:
        """All words, groups opened."""
        for item in self.argv:
            if isinstance(item, str):
                yield item
            else:
                yield from item

    def placeholders(self) -> Iterator[Placeholder]:
        """All placeholders of all words."""
        for word in self.words():
            for found in _PLACEHOLDER.finditer(word):
                yield Placeholder(
                    table=found["table"] or found["own"], name=found["name"] or "", flag=found["flag"]
                )


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
    whole = _PLACEHOLDER.fullmatch(template)
    if whole is not None and whole["table"] == "inputs":
        return _files(whole["name"], values.inputs)
    return (_PLACEHOLDER.sub(lambda found: _value(found, values), template),)


def _files(name: str, inputs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    if not inputs.get(name):
        raise _Absent
    return inputs[name]


def _value(found: re.Match[str], values: CommandValues) -> str:
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
