"""Where two documents differ, field by field. Pure."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Machines differ in the last digits of a float.
RELATIVE = 1e-9


@dataclass(frozen=True)
class Difference:
    """One field that two documents have otherwise.

    Attributes
    ----------
    field : str
        Its path; items of a list by what they are of, or by their number from 0.
    told, again : object
        What either has there; ``ABSENT`` where there is no such field.
    """

    field: str
    told: object
    again: object

    @property
    def is_rounding(self) -> bool:
        """Whether both are numbers that differ in their last digits only."""
        if isinstance(self.told, float) and isinstance(self.again, float):
            return math.isclose(self.told, self.again, rel_tol=RELATIVE)
        return False

    def __str__(self) -> str:
        return f"{self.field}: {self.told} in the report, {self.again} when made again"


ABSENT = "absent"
# What tells the items of a list apart for a reader, where they have it.
_NAMES = ("criterion", "case", "metric", "scope", "changed", "validation", "run")


def differences(told: object, again: object, field: str = "") -> Iterator[Difference]:
    """Every field in which two documents of plain values differ.

    Parameters
    ----------
    told, again : object
        Mappings, sequences and plain values, as ``model_dump`` gives them.
    field : str, optional
        The path of what they are.
    """
    if isinstance(told, Mapping) and isinstance(again, Mapping):
        for name in sorted(told.keys() | again.keys()):
            yield from differences(told.get(name, ABSENT), again.get(name, ABSENT), _below(field, name))
    elif isinstance(told, list | tuple) and isinstance(again, list | tuple) and len(told) == len(again):
        for number, (one, other) in enumerate(zip(told, again, strict=True)):
            yield from differences(one, other, f"{field}[{_named(one, number)}]")
    elif told != again or type(told) is not type(again):
        yield Difference(field, told, again)


def _named(item: object, number: int) -> str:
    known = [str(item[name]) for name in _NAMES if name in item] if isinstance(item, Mapping) else []
    return " ".join(known) or str(number)


def _below(field: str, name: object) -> str:
    return f"{field}.{name}" if field else str(name)
