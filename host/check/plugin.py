"""Check a plugin's folder: the one function by which check, build, test, run and submit judge it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from host.check.folder import PluginFolder
from host.check.rules import FILE_RULES, FileRule
from host.errors import PluginFolderError
from plugin_spec.errors import ContractError
from plugin_spec.faults import Fault, severity_of
from plugin_spec.manifest import Manifest
from plugin_spec.model import read_document
from plugin_spec.reading import read_for_author
from plugin_spec.review import WAITS_FOR_A_HUMAN

MANIFEST = "plugin.toml"


@dataclass(frozen=True)
class Checked:
    """A plugin's folder as it was found.

    Attributes
    ----------
    path : Path
        Its ``plugin.toml``.
    manifest : Manifest or None
        None where the document does not fit the schema: the rules after C0xx were then not looked at.
    faults : tuple of Fault
        Errors and warnings.
    """

    path: Path
    manifest: Manifest | None
    faults: tuple[Fault, ...]

    @property
    def errors(self) -> tuple[Fault, ...]:
        """The faults with which a plugin is neither built nor run."""
        return tuple(one for one in self.faults if one.severity == "error")

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """The faults that a reviewer will ask about."""
        return tuple(one for one in self.faults if one.severity == "warning")

    def error(self) -> ContractError | None:
        """The first error, and how many more there are; None without any."""
        if not self.errors:
            return None
        first, more = self.errors[0], len(self.errors) - 1
        where = f"{first.path}: " if first.path else ""
        others = f" (and {more} more: assay plugin check {self.path.parent})" if more else ""
        message = f"{self.path}: {where}{first.message} [{first.rule}]{others}"
        return ContractError(message, subject=str(self.path), hint=first.fix)


def inspect_plugin(folder: Path) -> Checked:
    """Apply every rule to a plugin's folder, and find the line of each fault."""
    checked, text = _applied(folder, FILE_RULES)
    if not (checked.faults and text):
        return checked
    from plugin_spec.toml_lines import located  # a plugin without faults needs no lines

    found = located(checked.faults, text)
    return replace(
        checked, faults=tuple(sorted(found, key=lambda one: (one.severity, one.line or 0, one.rule)))
    )


def check_plugin(folder: Path) -> Manifest:
    """Read a plugin's manifest, unless something in its folder breaks a rule; what only warns is not looked for.

    Raises
    ------
    ContractError
        One line with file, field, fault and rule.
    """
    rules = {number: rule for number, rule in FILE_RULES.items() if severity_of(number) == "error"}
    return _accepted(_applied(folder, rules)[0])


def check_manifest(folder: Path) -> Manifest:
    """Read a plugin's manifest as `check_plugin` does, whatever its other files are: locks may be still to write.

    Raises
    ------
    ContractError
        One line with file, field, fault and rule.
    """
    return _accepted(_applied(folder, {})[0])


def _applied(folder: Path, rules: Mapping[str, FileRule]) -> tuple[Checked, str]:
    """Read the manifest and apply the rules over files; the text of the manifest comes with it, for lines."""
    path = folder / MANIFEST
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "no such folder"
        hint = "name the folder that holds plugin.toml"
        raise PluginFolderError(f"{folder}: {what}", subject=str(folder), hint=hint)
    try:
        data = read_document(path, error=ContractError)
    except ContractError as error:
        fix = "name the folder that holds plugin.toml"
        fault = Fault("C001", "", error.message.removeprefix(f"{path}: "), fix)
        return Checked(path, None, (fault,)), ""
    reading = read_for_author(data)
    found = list(reading.faults)
    if reading.model is not None:
        plugin = PluginFolder(folder, reading.model)
        found += [
            Fault(number, where, message, fix)
            for number, rule in rules.items()
            for where, message, fix in rule(plugin)
        ]
    return Checked(path, reading.model, tuple(found)), reading.text


def check_for_submission(folder: Path) -> Manifest:
    """Read a plugin's manifest as `check_plugin` does, and refuse one in which a human has still to type something."""
    checked = inspect_plugin(folder)
    manifest = _accepted(checked)
    waiting = [one for one in checked.warnings if one.rule == WAITS_FOR_A_HUMAN]
    if waiting:
        raise ContractError(
            f"{checked.path}: {waiting[0].path}: {waiting[0].message} [{WAITS_FOR_A_HUMAN}]"
            + (f" (and {len(waiting) - 1} more: assay plugin check {folder})" if waiting[1:] else ""),
            subject=str(checked.path),
            hint=waiting[0].fix,
        )
    return manifest


def _accepted(checked: Checked) -> Manifest:
    error = checked.error()
    if error is not None:
        raise error
    assert checked.manifest is not None  # noqa: S101 - without a manifest there is an error
    return checked.manifest
