"""Values from outside on their way into a signed record: what does not fit becomes one clear line."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from plugin_spec.model import first_fault
from registry.errors import ValueRefusedError


@contextmanager
def named_faults(subject: str) -> Iterator[None]:
    """Turn what a model finds wrong inside the block into an error that names the field.

    Raises
    ------
    ValueRefusedError
        A field does not fit; nothing was written.
    """
    try:
        yield
    except ValidationError as error:
        raise ValueRefusedError(first_fault(error), subject=subject) from error
