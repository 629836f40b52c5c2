"""Acceptance domain: whether a plugin's evidence covers an image, judged before anything runs. Pure.

Invariant: every rule gives exactly one finding per file, in the order of the manifest, whatever the tags hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from host.cases.geometry import Grid
from host.cases.sidecar import TagValue
from plugin_spec.domain import SIDECAR_UNITS, DomainRule, unit_factor
from plugin_spec.errors import ContractError


class DomainVerdict(StrEnum):
    """What a rule says about a case."""

    ACCEPT = "accept"
    FLAG = "flag"
    REFUSE = "refuse"


@dataclass(frozen=True)
class DomainFinding:
    """What one rule says about one case.

    Attributes
    ----------
    port, tag : str
        Of the rule.
    value : bool, int, float, str or None
        What the image has, ranges in the rule's unit; None when it is missing.
    verdict : DomainVerdict
    message : str
        One line for the operator.
    reason : str
        The reason code of a case that is refused for it.
    """

    port: str
    tag: str
    value: TagValue | None
    verdict: DomainVerdict
    message: str
    reason: str = "outside-domain"


def geometry_tags(grid: Grid) -> dict[str, TagValue]:
    """What the host measures itself; the keys are those of ``plugin_spec.domain.GEOMETRY_TAGS``."""
    return {
        "geometry.spacing_min_mm": min(grid.spacing_mm),
        "geometry.spacing_max_mm": max(grid.spacing_mm),
        "geometry.extent_min_mm": min(grid.extent_mm),
        "geometry.extent_max_mm": max(grid.extent_mm),
        "geometry.voxels": grid.voxels,
    }


def evaluate(
    rules: tuple[DomainRule, ...], tags_by_port: Mapping[str, Sequence[Mapping[str, TagValue]]]
) -> tuple[DomainFinding, ...]:
    """Judge a case.

    Parameters
    ----------
    rules : tuple of DomainRule
        Of the manifest.
    tags_by_port : mapping of str to sequence of mapping
        Per input port that was given, for each of its files: header or sidecar tags and `geometry_tags` in one mapping.

    Returns
    -------
    tuple of DomainFinding
        One per rule and file. The case is refused if any verdict is ``refuse``.

    Raises
    ------
    ContractError
        A rule measures a tag in a unit that cannot be one of it.
    """
    findings = []
    for rule in rules:
        files = tags_by_port.get(rule.port, ())
        for number, tags in enumerate(files, start=1):
            file = rule.port if len(files) == 1 else f"{rule.port}-{number:02d}"
            findings.append(_judge(rule, tags.get(rule.tag), file))
    return tuple(findings)


def _judge(rule: DomainRule, value: TagValue | None, file: str) -> DomainFinding:
    where = f"{file}: {rule.tag}"
    if value is None:
        return DomainFinding(
            rule.port,
            rule.tag,
            None,
            DomainVerdict(rule.missing),
            f"{where} is not given; expected {_allowed(rule)}",
        )
    if rule.one_of is not None:
        shown: TagValue = value
        inside = _folded(value) in {choice.strip().casefold() for choice in rule.one_of}
    elif isinstance(value, (bool, str)):
        kind = f'the text "{value}"' if isinstance(value, str) else "true" if value else "false"
        message = f"{where} is {kind}, not a number; expected {_allowed(rule)}"
        return DomainFinding(rule.port, rule.tag, value, DomainVerdict(rule.outside), message)
    else:
        shown = value * _factor(rule)
        inside = not (
            (rule.minimum is not None and shown < rule.minimum)
            or (rule.maximum is not None and shown > rule.maximum)
        )
    verdict = DomainVerdict.ACCEPT if inside else DomainVerdict(rule.outside)
    relation = "within" if inside else "outside"
    return DomainFinding(
        rule.port, rule.tag, shown, verdict, f"{where} is {_shown(shown)}, {relation} {_allowed(rule)}"
    )


def _factor(rule: DomainRule) -> float:
    """What turns a sidecar's number into the rule's unit."""
    factor = unit_factor(rule.tag, rule.unit)
    if factor is None:
        raise ContractError(
            f"domain rule on {rule.tag}: a sidecar gives it in {SIDECAR_UNITS[rule.tag]!r}, the rule in {rule.unit!r}",
            subject=rule.tag,
        )
    return factor


def _allowed(rule: DomainRule) -> str:
    if rule.one_of is not None:
        return "one of " + ", ".join(rule.one_of)
    low = "" if rule.minimum is None else f"at least {rule.minimum:g}"
    high = "" if rule.maximum is None else f"at most {rule.maximum:g}"
    return f"{' and '.join(bound for bound in (low, high) if bound)} {rule.unit}"


def _folded(value: TagValue) -> str:
    """Words compare without case or outer blanks: vendors spell SIEMENS and Siemens."""
    return _shown(value).strip().casefold()


def _shown(value: TagValue) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
