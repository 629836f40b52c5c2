"""Read what somebody typed about a signature or an approval: its meaning (21 CFR 11.50), its scope."""

from typing import Literal, get_args

from host.errors import OptionError
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
