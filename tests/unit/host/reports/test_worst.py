"""Which cases are the worst, and which of them are drawn."""

from host.reports.model import CaseSection, Report
from host.reports.worst import SHOWN, shown_cases, worst_cases
from tests.support.reports import make_case, make_report


def report_of(*cases: CaseSection) -> Report:
    return make_report().model_copy(update={"cases": cases})


def worst(report: Report, metric: str) -> list[str]:
    return [one.section.row.case for one in worst_cases(report, metric)]


def test_the_worst_five_are_those_furthest_to_the_wrong_side() -> None:
    cases = [make_case(number, dice=0.95 - number / 100, difference_percent=number) for number in range(1, 8)]
    report = report_of(*cases)
    assert worst(report, "gm_dice") == ["case-07", "case-06", "case-05", "case-04", "case-03"]
    assert worst(report, "gm_volume_difference") == ["case-07", "case-06", "case-05", "case-04", "case-03"]


def test_a_difference_is_bad_to_either_side() -> None:
    report = report_of(make_case(1, difference_percent=3), make_case(2, difference_percent=-4), make_case(3))
    assert worst(report, "gm_volume_difference") == ["case-02", "case-01", "case-03"]


def test_a_case_that_failed_is_worse_than_any_that_answered() -> None:
    report = report_of(
        make_case(1, dice=0.1, difference_percent=90), make_case(2, outcome="failed", reason="timeout")
    )
    assert worst(report, "gm_volume_difference")[0] == "case-02"
    assert worst(report, "gm_dice")[0] == "case-02"
    first = worst_cases(report, "gm_dice")[0]
    assert (first.value, first.note) == (0.0, "value by the protocol")


def test_an_outcome_lists_only_cases_that_ended_otherwise_than_expected() -> None:
    report = report_of(
        make_case(1), make_case(2, expected="refused"), make_case(3, outcome="failed", reason="timeout")
    )
    assert worst(report, "as_expected") == ["case-02", "case-03"]


def test_a_metric_without_a_criterion_has_no_worst_case() -> None:
    report = report_of(make_case(1))
    protocol = report.protocol.model_copy(update={"criteria": report.protocol.criteria[1:]})
    assert worst(report.model_copy(update={"protocol": protocol}), "gm_dice") == []


def test_the_worst_that_answered_are_drawn() -> None:
    cases = [make_case(number, dice=0.95 - number / 100) for number in range(1, 8)]
    assert shown_cases(report_of(*cases)) == {
        f"case-{8 - rank:02d}": f"number {rank} among the worst of gm_dice" for rank in range(1, SHOWN + 1)
    }


def test_a_case_that_failed_has_no_picture() -> None:
    assert list(shown_cases(report_of(make_case(1, outcome="failed", reason="timeout"), make_case(2)))) == [
        "case-02"
    ]
    assert shown_cases(report_of(make_case(1, outcome="failed", reason="timeout"))) == {}


def test_an_answer_where_a_refusal_was_expected_has_no_reference_to_show() -> None:
    assert list(shown_cases(report_of(make_case(1, expected="refused"), make_case(2)))) == ["case-02"]


def test_criteria_take_turns_and_there_are_never_more_pictures_than_the_page_can_carry() -> None:
    report = make_report()
    (overlap, *_) = report.protocol.criteria
    metrics = [report.protocol.metric("gm_dice").model_copy(update={"id": f"m{n}"}) for n in range(9)]
    criteria = [overlap.model_copy(update={"id": f"c{n}", "metric": f"m{n}"}) for n in range(9)]
    protocol = report.protocol.model_copy(update={"metrics": metrics, "criteria": criteria})
    cases = []
    for number in range(1, 10):
        case = make_case(number)
        values = {f"m{n}": float(n + 1 != number) for n in range(9)}  # each criterion has another worst case
        cases.append(case.model_copy(update={"row": case.row.model_copy(update={"values": values})}))
    shown = shown_cases(report.model_copy(update={"protocol": protocol, "cases": cases}))
    assert list(shown) == [f"case-{number:02d}" for number in range(1, SHOWN + 1)]
