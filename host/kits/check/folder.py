"""Check a kit's folder: the one function by which check and register judge it. Runs nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from host.errors import KitDigestError, KitError
from host.home import Home
from host.kits.case_rows import read_cases
from host.kits.cases import SOURCE_FOLDER, CaseFile
from host.kits.check.parts import CASES, KIT, PROTOCOL, KitFault, KitParts
from host.kits.check.review import WAITS_FOR_A_HUMAN
from host.kits.check.rules import RULES, kit_number
from host.kits.data import data_folder
from host.kits.declaration import Kit
from host.kits.kit import KitFolder, read_kit
from host.validation.protocol import EVERY_FAULT, Protocol
from plugin_spec.errors import AssayError, InputError
from plugin_spec.faults import Fault
from plugin_spec.model import ModelT, read_document
from plugin_spec.reading import read_toml_for_author
from plugin_spec.toml_lines import located

_NOT_READ: Final = "K001"
_OTHER_DIGEST: Final = "K203"


@dataclass(frozen=True)
class CheckedKit:
    """A kit's folder as it was found.

    Attributes
    ----------
    path : Path
    parts : KitParts or None
        None where a document does not fit its schema: the rules after K0xx were then not looked at.
    kit : KitFolder or None
        The kit, where nothing keeps it from being used.
    faults : tuple of KitFault
        Errors and warnings.
    """

    path: Path
    parts: KitParts | None
    kit: KitFolder | None
    faults: tuple[KitFault, ...]

    @property
    def errors(self) -> tuple[KitFault, ...]:
        """The faults with which a kit is not used."""
        return tuple(one for one in self.faults if one.severity == "error")

    @property
    def warnings(self) -> tuple[KitFault, ...]:
        """The faults that a reviewer will ask about."""
        return tuple(one for one in self.faults if one.severity == "warning")

    @property
    def waiting(self) -> tuple[KitFault, ...]:
        """The warnings with which a kit is not registered: what a human has still to type."""
        return tuple(one for one in self.warnings if one.fault.rule == WAITS_FOR_A_HUMAN)

    def error(self) -> AssayError | None:
        """The first error, and how many more there are; None without any."""
        return _error(self.path, self.errors) if self.errors else None


def inspect_kit(folder: Path, home: Home) -> CheckedKit:
    """Apply every rule to a kit's folder, and find the line of each fault.

    Parameters
    ----------
    folder : Path
    home : Home
        Where case files lie that were made before; nothing is made.

    Raises
    ------
    KitError
        It is no folder.
    """
    if not folder.is_dir():
        raise KitError(f"{folder}: no such folder", subject=str(folder), hint="name the folder with kit.toml")
    parts, found = _documents(folder, home)
    if parts is None:
        return CheckedKit(folder, None, None, tuple(found))
    found += _broken(parts)
    found = sorted(_with_lines(folder, found), key=_order)
    kit = None if any(one.severity == "error" for one in found) else read_kit(folder)
    return CheckedKit(folder, parts, kit, tuple(found))


def check_for_registration(folder: Path, home: Home) -> KitFolder:
    """Read a kit, and refuse one with a fault, or in which a human has still to type something.

    Raises
    ------
    KitError, KitDigestError
        One line with file, field, fault and rule.
    """
    checked = inspect_kit(folder, home)
    if checked.errors or checked.waiting:
        raise _error(folder, (*checked.errors, *checked.waiting))
    assert checked.kit is not None  # noqa: S101 - without an error there is a kit
    return checked.kit


def _documents(folder: Path, home: Home) -> tuple[KitParts | None, list[KitFault]]:
    """Read the three documents, each with all its faults."""
    faults: list[KitFault] = []
    kit = _toml(folder, KIT, Kit, faults)
    protocol = _toml(folder, PROTOCOL, Protocol, faults)
    data = _read(folder, CASES, faults)
    if data is None:
        return None, faults
    sources = kit.sources if kit is not None else ()
    try:
        table = read_cases(
            data,
            folder / CASES,
            sources={
                one.name: CaseFile(path=f"{SOURCE_FOLDER}/{one.file}", sha256=one.sha256) for one in sources
            },
            first=kit is not None and kit.is_first,
        )
    except KitError as error:
        message = error.message.removeprefix(f"{folder / CASES}: ")
        faults.append(KitFault(CASES, Fault("K008", "", message, "write a header and a row per case")))
        return None, faults
    if kit is not None:  # without it no source is known, and each cell that names one would be called wrong
        for one in table.faults:
            rule = "K008" if one.line == 1 else "K009"
            faults.append(
                KitFault(CASES, Fault(rule, one.column, one.message, one.fix or "correct the cell", one.line))
            )
    if kit is None or protocol is None or faults:
        return None, faults
    return KitParts(folder, kit, protocol, table.header, table.cases, _made(folder, home)), faults


def _made(folder: Path, home: Home) -> Path:
    """Where the case files of exactly this kit would lie; a folder that is not there where it cannot be told."""
    try:
        return data_folder(home, read_kit(folder))
    except InputError:
        return home.kits / "none"


def _toml(folder: Path, name: str, model: type[ModelT], faults: list[KitFault]) -> ModelT | None:
    data = _read(folder, name, faults)
    if data is None:
        return None
    reading = read_toml_for_author(data, model, context={EVERY_FAULT: True})
    found = located(reading.faults, reading.text) if reading.text else reading.faults
    faults += [KitFault(name, replace(one, rule=kit_number(one.rule))) for one in found]
    return reading.model


def _read(folder: Path, name: str, faults: list[KitFault]) -> bytes | None:
    try:
        return read_document(folder / name, error=KitError)
    except KitError as error:
        message = error.message.removeprefix(f"{folder / name}: ")
        faults.append(KitFault(name, Fault(_NOT_READ, "", message, "name the folder that holds kit.toml")))
        return None


def _broken(parts: KitParts) -> list[KitFault]:
    return [
        KitFault(place.file, Fault(number, place.field, message, fix, place.line))
        for number, rule in RULES.items()
        for place, message, fix in rule(parts)
    ]


def _with_lines(folder: Path, faults: list[KitFault]) -> Iterator[KitFault]:
    """Find the lines of fields of TOML documents; those of cases.csv have theirs."""
    for name in (KIT, PROTOCOL):
        of_file = [one.fault for one in faults if one.file == name]
        if of_file:
            text = (folder / name).read_text(encoding="utf-8")
            yield from (KitFault(name, one) for one in located(of_file, text))
    yield from (one for one in faults if one.file not in (KIT, PROTOCOL))


def _order(one: KitFault) -> tuple[str, str, int, str]:
    return one.severity, one.file, one.fault.line or 0, one.fault.rule


def _error(folder: Path, faults: tuple[KitFault, ...]) -> AssayError:
    """The first fault; a file that is another one than declared comes first, since it is a matter of trust."""
    others_than_declared = [one for one in faults if one.fault.rule == _OTHER_DIGEST]
    first, more = (*others_than_declared, *faults)[0], len(faults) - 1
    line = f":{first.fault.line}" if first.fault.line else ""
    where = f"{first.fault.path}: " if first.fault.path else ""
    others = f" (and {more} more: assay kit check {folder})" if more else ""
    return (KitDigestError if others_than_declared else KitError)(
        f"{folder / first.file}{line}: {where}{first.fault.message} [{first.fault.rule}]{others}",
        subject=str(folder),
        hint=first.fault.fix,
    )
