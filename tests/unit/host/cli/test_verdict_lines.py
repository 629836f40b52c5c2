"""What a verdict looks like on a terminal."""

from collections.abc import Sequence

from host.cli.verdict_lines import lines_of_verdict
from host.reports.model import FlowSection, Report
from host.statistics.proportions import wilson
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.verdict import evaluate
from tests.support.capability_plans import PLANS, failed_row, simulated_rows
from tests.support.plans import make_criterion, make_plan, make_row
from tests.support.reports import make_report


def report_of(plan: Protocol, rows: Sequence[CaseRow]) -> Report:
    """A report with another plan and other rows."""
    report = make_report()
    case = report.cases[0]
    return report.model_copy(
        update={
            "protocol": plan,
            "cases": tuple(case.model_copy(update={"row": row}) for row in rows),
            "verdict": evaluate(plan, rows),
            "flow": FlowSection.of(rows),
            "kit": report.kit.model_copy(update={"evidence": "patient"}),
        }
    )


def lines(plan: Protocol, rows: Sequence[CaseRow]) -> list[str]:
    return list(lines_of_verdict(report_of(plan, rows)))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_criterion_shows_estimate_interval_cases_subjects_bound_evidence_and_verdict() -> None:
    rows = [*simulated_rows("classification"), failed_row("classification")]
    head, first, *_ = lines(PLANS["classification"](), rows)
    assert cells(head) == [
        "criterion", "scope", "estimate", "interval", "cases", "failed", "subjects", "accepted", "evidence", "verdict",
    ]  # fmt: skip
    counted = wilson(17, 21)
    assert cells(first) == [
        "sensitivity", "overall", f"{counted.value:.4g}", f"{counted.low:.4g} to {counted.high:.4g} (95 %)", "41",
        "1", "21", "lower end >= 0.7", "patient", "not met",
    ]  # fmt: skip


def test_what_was_not_met_or_could_not_be_told_says_why() -> None:
    plan = make_plan(
        [make_criterion("mean", "masks"), make_criterion("mean", "masks", id="d", min_subjects=9)]
    )
    told = lines(plan, [make_row(f"s{n}", value) for n, value in enumerate((0.7, 0.9, 0.8))])
    assert told[-3:] == [
        "c (overall): not met: the lower end 0.551586 is not 0.8 or more",
        "d (overall): insufficient evidence: 3 independent subjects, and the protocol asks for 9",
        "verdict: not met (patient evidence, 3 cases from 3 subject(s), 0 failed)",
    ]


def test_where_there_is_no_interval_the_table_says_so() -> None:
    derived = [make_row(f"s{n}", 0.9, evidence="derived") for n in range(3)]
    _, line, *_ = lines(make_plan([make_criterion("mean", "masks")]), derived)
    assert cells(line)[2:] == [
        "0.9", "none", "3", "0", "0", "lower end >= 0.8", "derived", "insufficient evidence",
    ]  # fmt: skip


def test_the_worst_case_is_named_where_every_case_is_judged() -> None:
    found = list(lines_of_verdict(make_report()))
    assert cells(found[1]) == [
        "gm_overlap",
        "overall",
        "0 in case-03",
        "5",
        "2",
        "every case >= 0.85",
        "derived",
        "not met",
    ]


def test_each_kind_of_bound_is_readable() -> None:
    shown = [cells(line) for line in lines(PLANS["quantification"](), simulated_rows("quantification"))]
    accepted = {row[0]: row[7] for row in shown[1:11]}
    assert accepted["bias"] == "both ends -2 to 2"
    assert accepted["wcv"] == "upper end <= 0.1"
    assert accepted["loa_low"] == "lower end >= -10"
