"""Read what somebody typed into what is signed or run: meanings (21 CFR 11.50), scopes, and whole records."""

from typing import Literal, get_args

from pydantic import ValidationError

from host.errors import OptionError
from plugin_spec.model import ModelT, first_fault
from registry.statements import SignatureMeaning


def read_meaning(text: str) -> SignatureMeaning:
    """Return ``text`` if it is one of the meanings a signature may have."""
    for meaning in get_args(SignatureMeaning):
        if text == meaning:
            checked: SignatureMeaning = meaning
            return checked
    raise OptionError(
        f"{text!r} is no signature meaning",
        subject=text,
        hint=f"one of: {', '.join(get_args(SignatureMeaning))}",
    )


Scope = Literal["demonstration", "exploratory", "endpoint"]


def read_scope(text: str) -> Scope:
    """Return ``text`` if it is one of the scopes a release may be approved for."""
    for scope in get_args(Scope):
        if text == scope:
            checked: Scope = scope
            return checked
    raise OptionError(f"{text!r} is no scope", subject=text, hint=f"one of: {', '.join(get_args(Scope))}")


def typed(model: type[ModelT], **fields: object) -> ModelT:
    """Build a model out of what somebody typed.

    Raises
    ------
    OptionError
        One line with the field and what it should be.
    """
    try:
        return model(**fields)
    except ValidationError as error:
        raise OptionError(first_fault(error), subject=model.__name__) from error
