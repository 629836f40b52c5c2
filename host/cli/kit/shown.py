"""``assay kit show``: what a kit asks, on which data, against which reference standard, and what it accepts."""

from typing import TYPE_CHECKING

from host.cli.answer import JsonFlag, show, table
from host.cli.kit.options import FolderArgument
from host.paragraphs import counted, terminal_width, wrapped

if TYPE_CHECKING:
    from host.kits.kit import KitFolder
    from host.validation.criterion import Criterion

_MARGIN = 14


def show_kit(folder: FolderArgument, json: JsonFlag = False) -> None:
    """Show a kit: question, data, licence, reference standard and readers, strata, metrics, criteria and cases."""
    from host.kits.check.evidence import scope_counts
    from host.kits.kit import read_kit

    found = read_kit(folder)
    lines = [
        *_about(found),
        *_reference(found),
        *_measurands(found),
        *_strata(found),
        *_metrics(found),
        *_criteria(found),
        *_cases(found),
    ]
    document = {
        "kit": found.kit,
        "protocol": found.protocol,
        "cases": found.cases,
        "kit_digest": found.kit_digest,
        "protocol_digest": found.protocol_digest,
        "scopes": [vars(one) for one in scope_counts(found.protocol, found.cases)],
    }
    show(document, lines, as_json=json)


def _told(pairs: list[tuple[str, str]]) -> list[str]:
    """A word and a paragraph each; what is empty is left out."""
    width = terminal_width()
    return [
        line
        for name, text in pairs
        if text
        for line in wrapped(text, width=width, first=f"{name:<{_MARGIN}}", indent=" " * _MARGIN)
    ]


def _about(folder: "KitFolder") -> list[str]:
    kit, protocol, dataset = folder.kit, folder.protocol, folder.kit.dataset
    return [
        f"{kit.id} {kit.version}: {kit.title}",
        *_told(
            [
                ("evidence", kit.evidence),
                ("question", protocol.question),
                ("use", protocol.context_of_use),
                ("risk", protocol.risk),
                ("sample size", protocol.sample_size_basis),
                ("times", f"in {kit.time_unit}" if kit.time_unit else ""),
                ("data", dataset.title),
                ("doi", dataset.doi),
                ("licence", dataset.licence),
                ("", dataset.licence_text),
                ("cite", dataset.citation),
                ("provenance", dataset.provenance),
                ("privacy", dataset.deidentification),
            ]
        ),
    ]


def _reference(folder: "KitFolder") -> list[str]:
    standard = folder.kit.reference_standard
    readers = [
        f"{one.id}: {one.role}; {one.experience}"
        + (f"; blinded to {one.blinded_to}" if one.blinded_to else "")
        for one in standard.reader
    ]
    agreement = [
        f"{one.statistic}, {one.between}, {counted(one.subjects, 'subject')}: "
        f"{one.value:g}{_interval(one.low, one.high)} ({one.source})"
        for one in standard.agreement
    ]
    count = counted(standard.readers, "reader") if standard.readers else "no readers"
    return [
        "",
        *_told(
            [
                ("reference", f"{standard.kind}, {count}. {standard.description}"),
                *[("", one) for one in (*readers, standard.adjudication)],
                *[("agreement" if number == 0 else "", one) for number, one in enumerate(agreement)],
            ]
        ),
    ]


def _interval(low: float | None, high: float | None) -> str:
    return f" ({low:g} to {high:g})" if low is not None and high is not None else ""


def _measurands(folder: "KitFolder") -> list[str]:
    if not folder.kit.measurands:
        return []
    rows = [
        (one.column, one.title, one.unit, f"{one.operating_min:g} to {one.operating_max:g}")
        for one in folder.kit.measurands
    ]
    return ["", *table(("measurand", "what it is", "unit", "range of the cases"), rows)]


def _strata(folder: "KitFolder") -> list[str]:
    """Cases and patients of every level of every stratum."""
    cases = folder.selected(smoke=False)
    levels = sorted({(name, level) for case in cases for name, level in case.strata.items()})
    rows = []
    for name, level in levels:
        of = [case for case in cases if case.strata.get(name) == level]
        patients = {case.subject_id for case in of if case.evidence == "patient"}
        rows.append((f"{name}={level}", str(len(of)), str(len(patients))))
    return ["", *table(("stratum", "cases", "patients"), rows)] if rows else []


def _metrics(folder: "KitFolder") -> list[str]:
    lines = ["", "Metrics"]
    for metric in folder.protocol.metrics:
        counted = metric.failed_case_counts_as
        failed = f"{counted:g}" if isinstance(counted, float) else counted.replace("_", " ")
        lines.append(f"  {metric.id}  [{metric.unit}]")
        lines += _below(f"{metric.definition} A failed case counts as: {failed}.")
    return lines


def _criteria(folder: "KitFolder") -> list[str]:
    lines = ["", "Criteria"]
    for one in folder.protocol.criteria:
        asked = counted(one.min_cases, "case")
        asked += f" and {counted(one.min_subjects, 'patient')}" if one.min_subjects else ""
        scope = one.scope.replace("each:", "in each ")
        lines.append(f"  {one.id}: {_accepted(one)}, {scope}; from {asked} on")
        lines += _below(f"{one.requirement} {one.rationale}")
    return lines


def _below(text: str) -> list[str]:
    return wrapped(text, width=terminal_width(), first=" " * 6, indent=" " * 6)


def _accepted(criterion: "Criterion") -> str:
    """What is compared with which bound, as ``ci_low of mean dice >= 0.8``."""
    what = criterion.metric
    if criterion.statistic != "every_case":
        what = f"{criterion.judged} of {criterion.statistic}({criterion.metric})"
    if criterion.bound_high is not None:
        return f"{what} within {criterion.bound:g} to {criterion.bound_high:g}"
    return f"{what} {criterion.comparator} {criterion.bound:g}"


def _cases(folder: "KitFolder") -> list[str]:
    rows = [
        (
            case.case_id,
            case.subject_id,
            case.session or "",
            case.expected,
            case.evidence,
            ", ".join(f"{name}={level}" for name, level in sorted(case.strata.items())),
        )
        for case in folder.cases
    ]
    return ["", *table(("case", "subject", "session", "expected", "evidence", "strata"), rows)]
