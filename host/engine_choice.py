"""Which engine a command uses: the one it names, else the first of ours that answers.

Invariants
----------
* An engine that was named is used or the command fails: it is never replaced by another.
* ``auto`` looks at Docker first, then at runc, then at runc without root, and only at those that the trial's lock
  allows, where there is one.
* Whoever asks gets the reason along with the engine, and why those before it were passed over.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from host import extensions
from host.engines.interface import Engine
from host.errors import NoEngineError
from plugin_spec.errors import EngineError

AUTO: Final = "auto"
ORDER: Final = ("docker", "runc", "runc-rootless")
# What a lock allows unless it is told otherwise: engines that keep every promise of the interface.
TRIAL_GRADE: Final = ("docker", "runc")
_WHY: Final = {
    "docker": "its daemon answers",
    "runc": "it needs no daemon",
    "runc-rootless": "it needs no daemon and no root",
}


@dataclass(frozen=True)
class ChosenEngine:
    """An engine and, in a few words, why it is this one."""

    engine: Engine
    reason: str


def choose(name: str, *, allowed: Collection[str] | None = None) -> ChosenEngine:
    """Connect to an engine.

    Parameters
    ----------
    name : str
        An engine's name, or ``auto``.
    allowed : collection of str, optional
        Engines that a lock allows; it narrows ``auto`` and leaves a named engine to the lock's own check.

    Raises
    ------
    EngineError
        The named engine cannot be used, or no engine can.
    """
    if name != AUTO:
        return ChosenEngine(extensions.connect(name), "named")
    passed_over: list[str] = []
    hints = []
    for one in ORDER:
        if allowed is not None and one not in allowed:
            passed_over.append(f"the lock does not allow {one}")
            continue
        try:
            engine = extensions.connect(one)
        except EngineError as error:
            passed_over.append(error.message)
            hints.append(f"{one}: {error.hint}")
            continue
        return ChosenEngine(engine, "; ".join([*passed_over, _WHY[one]]))
    raise NoEngineError(
        f"no container engine can be used: {'; '.join(passed_over)}",
        subject=AUTO,
        hint="; or ".join(hints) or "name an engine that the lock allows: --engine NAME",
    )


def answering(*, besides: str) -> Iterator[Engine]:
    """Connect to every engine of ours that can be used here, but the one called ``besides``."""
    for name in ORDER:
        if name == besides:
            continue
        try:
            engine = extensions.connect(name)
        except EngineError:
            continue  # nothing of it can run where it does not answer, or nothing can be done about it
        yield engine
