"""What a comparison of warm and fresh runs comes to, and the order the warm ones are made in. Pure."""

import random
from collections.abc import Sequence
from typing import TypeVar

from host.agreement import is_comparable
from plugin_spec.manifest import Manifest
from registry.statements import Agreement

ItemT = TypeVar("ItemT")


def agreement_of(claim: str, found: Sequence[Sequence[str]], *, answered: bool) -> Agreement:
    """One word for a comparison.

    Parameters
    ----------
    claim : str
        Empty where nothing is claimed that could be compared.
    found : sequence of sequence of str
        Differences, case by case.
    answered : bool
        Whether at least one case ended ok: cases that failed alike have compared nothing.
    """
    if any(found):
        return "different"
    return "equal" if claim and answered else "not comparable"


def claimed(manifest: Manifest) -> str:
    """The determinism that is claimed; empty where a claim says nothing about two runs."""
    return manifest.determinism.claim if is_comparable(manifest) else ""


def shuffled(items: Sequence[ItemT], seed: int) -> list[ItemT]:
    """The items in a shuffled order, the same for the same seed."""
    mixed = list(items)
    random.Random(seed).shuffle(mixed)  # noqa: S311 - an order that can be told and repeated, not a secret
    return mixed
