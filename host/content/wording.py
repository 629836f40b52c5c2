"""How a message shows a list that may be long."""

from collections.abc import Sequence
from typing import Final

from plugin_spec.model import one_line

_SHOWN_MAX: Final = 5


def first_of(values: Sequence[object]) -> str:
    """The first few values, and how many more there are."""
    shown = ", ".join(one_line(value) for value in values[:_SHOWN_MAX])
    return f"{shown} and {len(values) - _SHOWN_MAX} more" if len(values) > _SHOWN_MAX else shown
