"""A kit as a check sees it: its parts with their lines, and what is wrong where."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from host.kits.cases import KitCase
from host.kits.declaration import Kit
from host.validation.protocol import Protocol
from plugin_spec.faults import Fault, Severity

KIT: Final = "kit.toml"
PROTOCOL: Final = "protocol.toml"
CASES: Final = "cases.csv"


@dataclass(frozen=True)
class KitFault:
    """A fault, and the file of the kit it stands in."""

    file: str
    fault: Fault

    @property
    def severity(self) -> Severity:
        """How much it weighs."""
        return self.fault.severity


@dataclass(frozen=True)
class Place:
    """Where in a kit something stands.

    Attributes
    ----------
    file : str
    field : str
        The field of a TOML document, or the column of cases.csv.
    line : int or None
        Of cases.csv; those of TOML documents are found by their fields.
    """

    file: str
    field: str
    line: int | None = None


Found = Iterator[tuple[Place, str, str]]


@dataclass(frozen=True)
class KitParts:
    """A kit whose three documents fit their schemas.

    Attributes
    ----------
    path : Path
    kit : Kit
    protocol : Protocol
    header : tuple of str
        The columns of cases.csv.
    rows : tuple
        Line and case.
    data : Path
        Where the case files lie once they are made.
    """

    path: Path
    kit: Kit
    protocol: Protocol
    header: tuple[str, ...]
    rows: tuple[tuple[int, KitCase], ...]
    data: Path

    @property
    def cases(self) -> tuple[KitCase, ...]:
        """The cases alone."""
        return tuple(case for _, case in self.rows)


def in_kit(field: str) -> Place:
    """A field of kit.toml."""
    return Place(KIT, field)


def in_protocol(field: str) -> Place:
    """A field of protocol.toml."""
    return Place(PROTOCOL, field)


def in_cases(column: str, line: int) -> Place:
    """A cell of cases.csv."""
    return Place(CASES, column, line)
