"""``assay kit check``: a folder against the contract of kits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import JsonFlag, conclude, show, table
from host.cli.rules import show_rules
from host.paragraphs import counted, terminal_width

if TYPE_CHECKING:
    from host.kits.check.evidence import ScopeCount
    from host.kits.check.folder import CheckedKit
    from host.kits.check.parts import KitParts
    from host.validation.estimate_row import EstimateRow
    from plugin_spec.errors import AssayError

RulesFlag = Annotated[bool, typer.Option("--rules", help="List every rule instead of checking a folder.")]
CheckedFolder = Annotated[Path | None, typer.Argument(help="The kit's folder, with kit.toml.")]


def check(folder: CheckedFolder = None, rules: RulesFlag = False, json: JsonFlag = False) -> int:
    """Check a kit's folder: documents, cases, files, licences, and whether its criteria can be judged; runs nothing.

    All faults are shown at once, with file, line, field and fix.
    """
    if rules:
        from host.kits.check.rules import rule_texts

        return show_rules(rule_texts(), as_json=json)
    if folder is None:
        from host.errors import OptionError

        raise OptionError("FOLDER is missing", subject="FOLDER", hint="assay kit check FOLDER, or --rules")
    from host.home import Home
    from host.kits.check.folder import inspect_kit

    checked = inspect_kit(folder, Home.from_environment())
    error = _summary(checked, shown=not json)
    show(
        _document(checked),
        _lines(checked),
        as_json=json,
        next_command="" if error or checked.waiting else f"assay kit register {folder} --as PERSON",
    )
    return conclude(error)


def _summary(checked: "CheckedKit", *, shown: bool) -> "AssayError | None":
    """The error a check ends with; where people have read every fault with its fix, it does not repeat them."""
    error = checked.error()
    if error is None or not shown:
        return error
    message = f"{checked.path}: {len(checked.errors)} error(s), shown above"
    return type(error)(
        message, subject=str(checked.path), hint=f"mend them, then assay kit check {checked.path}"
    )


def _document(checked: "CheckedKit") -> dict[str, object]:
    kit = checked.kit
    return {
        "folder": checked.path,
        "kit": checked.parts.kit.id if checked.parts else None,
        "version": checked.parts.kit.version if checked.parts else None,
        "kit_digest": kit.kit_digest if kit else None,
        "protocol_digest": kit.protocol_digest if kit else None,
        "data": bool(checked.parts and checked.parts.data.is_dir()),
        "errors": len(checked.errors),
        "warnings": len(checked.warnings),
        "faults": [{"file": one.file, **vars(one.fault), "severity": one.severity} for one in checked.faults],
        "scopes": [vars(one) for one in _counts(checked.parts)],
    }


def _lines(checked: "CheckedKit") -> list[str]:
    from host.check.shown import fault_lines

    lines = _about(checked)
    for one in checked.faults:
        lines += ["", *fault_lines(one.fault, checked.path / one.file, width=terminal_width())]
    lines.append("")
    ending = "" if checked.errors else ": fits together"
    lines.append(f"{len(checked.errors)} error(s), {len(checked.warnings)} warning(s){ending}")
    if checked.waiting and not checked.errors:
        lines.append(
            f"Before it is registered a human must still type {counted(len(checked.waiting), 'text')}."
        )
    if checked.parts is None:
        lines.append("The rules across documents and files come next, once each document fits its schema.")
    return lines


def _about(checked: "CheckedKit") -> list[str]:
    parts = checked.parts
    if parts is None:
        return []
    lines = [
        f"{parts.kit.id} {parts.kit.version}: {len(parts.rows)} cases, {len(parts.protocol.criteria)} criteria"
    ]
    if checked.kit is not None:
        made = "made here before" if parts.data.is_dir() else "not made here yet"
        lines += [
            f"  kit         {checked.kit.kit_digest}",
            f"  protocol    {checked.kit.protocol_digest}",
            f"  case files  {made}",
        ]
    lines += ["", *table(("criterion", "scope", "cases", "patients", "asked for"), _scopes(parts))]
    readers = _agreement(checked)
    return (
        [*lines, "", *table(("readers", "measure", "agreement", "subjects"), readers)] if readers else lines
    )


def _agreement(checked: "CheckedKit") -> list[tuple[str, str, str, str]]:
    """How far readers agree: as declared, and as computed from their own references."""
    from host.kits.readers import reader_section

    if checked.kit is None or checked.parts is None:
        return []
    made = checked.parts.data if checked.parts.data.is_dir() else None
    section = reader_section(checked.kit, made)
    return [
        (one.between, one.measure, _estimate(one.estimate), str(one.estimate.n))
        for one in (section.agreement if section else ())
    ]


def _estimate(row: "EstimateRow") -> str:
    """A figure with its interval, or the reason why there is none."""
    if row.value is None:
        return row.reason
    interval = f" ({row.low:.3g} to {row.high:.3g})" if row.low is not None and row.high is not None else ""
    return f"{row.value:.3g}{interval}"


def _scopes(parts: "KitParts") -> list[tuple[str, str, str, str, str]]:
    """One row per criterion: of its scopes, the fewest cases and patients."""
    by_criterion: dict[str, list[ScopeCount]] = {}
    for one in _counts(parts):
        by_criterion.setdefault(one.criterion, []).append(one)
    scopes = {one.id: one.scope for one in parts.protocol.criteria}
    return [
        (
            criterion,
            scopes[criterion] + (f" ({len(counts)})" if len(counts) > 1 else ""),
            _range([one.cases for one in counts]),
            _range([one.patients for one in counts]),
            _wanted(counts[0].min_cases, counts[0].min_subjects),
        )
        for criterion, counts in by_criterion.items()
    ]


def _range(counts: list[int]) -> str:
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def _counts(parts: "KitParts | None") -> "tuple[ScopeCount, ...]":
    from host.kits.check.evidence import scope_counts

    return scope_counts(parts.protocol, parts.cases) if parts else ()


def _wanted(cases: int, patients: int) -> str:
    return counted(cases, "case") + (f", {counted(patients, 'patient')}" if patients else "")
