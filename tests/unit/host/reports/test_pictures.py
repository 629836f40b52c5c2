"""Which cases a report shows: the first that answered, and the worst of each criterion on a label."""

from host.reports.model import CaseSection
from host.reports.pictures import MAX_OVERLAYS, shown_cases
from tests.support.reports import make_case, make_report


def shown(*cases: CaseSection) -> dict[str, str]:
    return shown_cases(make_report().model_copy(update={"cases": cases}))


def test_the_first_case_and_the_worst_are_shown() -> None:
    cases = [make_case(number, dice=0.95 - number / 100) for number in range(1, 4)]
    assert shown(*cases) == {"case-01": "first case", "case-03": "worst case of gm_overlap"}


def test_a_case_that_failed_has_no_picture() -> None:
    assert list(shown(make_case(1, outcome="failed", reason="timeout"), make_case(2))) == ["case-02"]
    assert shown(make_case(1, outcome="failed", reason="timeout")) == {}


def test_an_answer_where_a_refusal_was_expected_has_no_reference_to_show() -> None:
    assert list(shown(make_case(1, expected="refused"), make_case(2))) == ["case-02"]


def test_there_are_never_more_pictures_than_the_page_can_carry() -> None:
    report = make_report()
    (overlap, *_) = report.protocol.criteria
    metrics = [report.protocol.metric("gm_dice").model_copy(update={"id": f"m{n}"}) for n in range(9)]
    criteria = [overlap.model_copy(update={"id": f"c{n}", "metric": f"m{n}"}) for n in range(9)]
    protocol = report.protocol.model_copy(update={"metrics": metrics, "criteria": criteria})
    cases = []
    for number in range(1, 10):
        case = make_case(number)
        values = {f"m{n}": float(n != number) for n in range(9)}  # each criterion has another worst case
        cases.append(case.model_copy(update={"row": case.row.model_copy(update={"values": values})}))
    assert len(shown_cases(report.model_copy(update={"protocol": protocol, "cases": cases}))) == MAX_OVERLAYS
