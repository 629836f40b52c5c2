"""What ``assay trial lock`` and ``amend`` are told beside slots and sites: ``--terms`` and ``--parameter``."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from host.cli.values import parse_parameters
from host.errors import OptionError
from host.lock_file import SlotTerms, read_terms
from host.locking import Wanted


def with_terms(wanted: Wanted, path: Path | None, parameters: Sequence[str]) -> Wanted:
    """What is wanted, with a terms file (in place of the terms so far) and single parameter values.

    Parameters
    ----------
    wanted : Wanted
        Without them.
    path : Path or None
        ``terms.toml``; a slot that it names has its terms replaced whole.
    parameters : sequence of str
        ``SLOT.NAME=VALUE``, over any value so far.

    Raises
    ------
    OptionError
        A file or a value that cannot be read, or a value without its slot.
    """
    if path is not None:
        told = read_terms(path)
        wanted = replace(
            wanted,
            terms=told.lock_terms(path.parent),
            policy=told.thresholds or wanted.policy,
            slot_terms={**wanted.slot_terms, **told.slots},
        )
    slot_terms = dict(wanted.slot_terms)
    for name, value in parse_parameters(parameters).items():
        slot, dot, parameter = name.partition(".")
        if not (slot and dot and parameter):
            raise OptionError(f"--parameter {name}={value}: expected SLOT.NAME=VALUE", subject=name)
        before = slot_terms.get(slot, SlotTerms())
        slot_terms[slot] = before.model_copy(update={"parameters": {**before.parameters, parameter: value}})
    return replace(wanted, slot_terms=slot_terms)
