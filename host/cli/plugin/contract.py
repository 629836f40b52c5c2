"""``assay plugin check``: a folder against the contract."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import JsonFlag, conclude, show
from host.cli.rules import show_rules
from host.paragraphs import terminal_width

if TYPE_CHECKING:
    from host.check.plugin import Checked
    from plugin_spec.errors import ContractError

NO_DOCUMENT = "C001"  # no plugin.toml, or none that can be read

RulesFlag = Annotated[bool, typer.Option("--rules", help="List every rule instead of checking a folder.")]
CheckedFolder = Annotated[Path | None, typer.Argument(help="The plugin's folder, with plugin.toml.")]


def check(folder: CheckedFolder = None, rules: RulesFlag = False, json: JsonFlag = False) -> int:
    """Check a plugin's folder against the contract; runs nothing.

    All faults of the document are shown at once, and once it fits the schema, all faults across fields and files.
    """
    if rules:
        from host.check.rules import rule_texts

        return show_rules(rule_texts(), as_json=json)
    if folder is None:
        from host.errors import OptionError

        raise OptionError("FOLDER is missing", subject="FOLDER", hint="assay plugin check FOLDER, or --rules")
    from host.check.plugin import inspect_plugin

    checked = inspect_plugin(folder)
    error = _summary(checked, shown=not json)
    show(
        _document(checked),
        _lines(checked),
        as_json=json,
        next_command="" if error else f"assay plugin build {folder}",
    )
    return conclude(error)


def _summary(checked: "Checked", *, shown: bool) -> "ContractError | None":
    """The error a check ends with; where people have read every fault with its fix, it does not repeat them."""
    error = checked.error()
    if error is None or not shown:
        return error
    from plugin_spec.errors import ContractError

    again = f"assay plugin check {checked.path.parent}"
    message = f"{checked.path}: {len(checked.errors)} error(s), shown above"
    return ContractError(message, subject=str(checked.path), hint=f"mend them, then {again}")


def _document(checked: "Checked") -> dict[str, object]:
    manifest = checked.manifest
    return {
        "file": checked.path,
        "plugin": manifest.id if manifest else None,
        "version": manifest.version if manifest else None,
        "checked": manifest is not None,
        "errors": len(checked.errors),
        "warnings": len(checked.warnings),
        "faults": [{**vars(one), "severity": one.severity} for one in checked.faults],
    }


def _lines(checked: "Checked") -> list[str]:
    manifest = checked.manifest
    lines = []
    if manifest is not None:
        lines = [
            f"{manifest.id} {manifest.version}: {manifest.title}",
            f"  in   {', '.join(f'{port.name} ({port.kind})' for port in manifest.inputs)}",
            f"  out  {', '.join(f'{port.name} ({port.kind})' for port in manifest.outputs)}",
            f"  domain rules {len(manifest.domain)}, embedded tests {len(manifest.tests)}",
        ]
    from host.check.shown import fault_lines

    for one in checked.faults:
        lines += ["", *fault_lines(one, checked.path, width=terminal_width())]
    if checked.faults:
        lines.append("")
    ending = "" if checked.errors else ": fits the contract"
    lines.append(f"{len(checked.errors)} error(s), {len(checked.warnings)} warning(s){ending}")
    if manifest is None and all(one.rule != NO_DOCUMENT for one in checked.faults):
        lines.append("The rules across fields and files come next, once the document fits the schema.")
    return lines
