"""What an oracle is: a sample, what somebody published of it, and how to compute the same here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class DataFile:
    """A file that an oracle needs and that is not part of the installation."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Expectation:
    """One published figure.

    Attributes
    ----------
    quantity : str
        What it is, with its unit.
    value, tolerance : float
        The figure, and how far a computed one may lie from it.
    """

    quantity: str
    value: float
    tolerance: float


Computation = Callable[[Mapping[str, bytes]], Sequence[float]]


@dataclass(frozen=True)
class Oracle:
    """Published figures of one sample.

    Attributes
    ----------
    id : str
    source : str
        Where the sample and the figures are published.
    expectations : tuple of Expectation
    compute : callable
        From the bytes of ``needs`` by name to one number per expectation.
    needs : tuple of DataFile
        Files to be found first.
    unobtainable : str
        Why the sample cannot be had at all; empty where it can. The figures are kept, so that nobody takes them as met.
    """

    id: str
    source: str
    expectations: tuple[Expectation, ...]
    compute: Computation
    needs: tuple[DataFile, ...] = ()
    unobtainable: str = ""


def printed(*figures: tuple[str, str]) -> tuple[Expectation, ...]:
    """Figures as they stand in print: each may be missed by half of its last digit.

    Parameters
    ----------
    figures : (quantity, number as printed)
    """
    return tuple(Expectation(quantity, float(number), _half_digit(number)) for quantity, number in figures)


def exact(*figures: tuple[str, float]) -> tuple[Expectation, ...]:
    """Figures that are exact, whatever digits were printed; missed by no more than rounding in 64 bits.

    Parameters
    ----------
    figures : (quantity, number)
    """
    return tuple(Expectation(quantity, number, 1e-12 * max(abs(number), 1.0)) for quantity, number in figures)


def _half_digit(number: str) -> float:
    exponent = Decimal(number).as_tuple().exponent
    return float(Decimal(5).scaleb(int(exponent) - 1))
