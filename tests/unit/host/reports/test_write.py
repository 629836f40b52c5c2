"""The report's bytes, and the tampering twins: a report that contradicts itself, a page that says else."""

import json
from pathlib import Path

import pytest

from host.errors import ReportMalformedError, ReportMismatchError
from host.reports.fields import display
from host.reports.html import render
from host.reports.marks import check_agreement
from host.reports.sections import DeviationSection
from host.reports.write import content_digest, read_report, report_bytes
from registry.canonical import canonical_json
from registry.plans import FieldChange
from tests.support.reports import digest_of, make_case, make_report

# Written by the last version that knew `assay.report/1` only.
FIRST = (Path(__file__).parents[3] / "vectors" / "reports" / "report-1.json").read_bytes()
REPORT = make_report()
DATA = report_bytes(REPORT)
PAGE = render(REPORT, ())


def test_a_report_reads_back_as_it_was_written() -> None:
    assert read_report(DATA) == REPORT
    assert report_bytes(read_report(DATA)) == DATA


def test_the_bytes_are_canonical_json() -> None:
    assert canonical_json(json.loads(DATA)) == DATA


def test_a_report_of_the_first_contract_keeps_its_bytes_and_its_name() -> None:
    report = read_report(FIRST)
    assert report_bytes(report) == FIRST
    assert content_digest(report) == "sha256:624d43d911a138a2163cfb4cb475c11f3387129238267e015938eb6b3540370b"


def test_a_report_of_the_first_contract_holds_no_section_of_the_second() -> None:
    deviation = DeviationSection(
        number=1, record=digest_of("3"), sequence=9, at="2026-11-23T15:00:00+00:00", by="qa-quinn",
        reason="as the readers asked", after_executions=0,
        changes=(FieldChange(field="criteria.gm_overlap.bound", before="0.85", after="0.8"),),
    )  # fmt: skip
    newer = read_report(FIRST).model_copy(update={"deviations": (deviation,)})
    with pytest.raises(ReportMalformedError, match="deviations: is a field of assay.report/2") as refused:
        read_report(report_bytes(newer))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b'"subset":"whole kit"', b'"subset":"half"', "subset"),
        (b'"cpus":2', b'"cpus":2,"fpgas":1', "environment.fpgas: unknown field"),
        (b'"cpus":2', b'"cpus":"2"', "environment.cpus"),
        (b'"cpus":2', b'"cpus":NaN', "not strict JSON"),
        (b'"cpus":2', b'"cpus":2,"cpus":3', "twice"),
        (b"assay.report/2", b"assay.report/3", "contract"),
    ],
)
def test_a_malformed_report_is_refused_in_one_line_that_names_the_fault(
    old: bytes, new: bytes, named: str
) -> None:
    assert old in DATA
    with pytest.raises(ReportMalformedError, match=named) as refused:
        read_report(DATA.replace(old, new, 1))
    assert "\n" not in str(refused.value)


def test_a_verdict_that_its_cases_do_not_give_is_refused() -> None:
    forged = REPORT.model_copy(update={"verdict": REPORT.verdict.model_copy(update={"verdict": "met"})})
    with pytest.raises(ReportMismatchError, match="verdict"):
        read_report(report_bytes(forged))


def test_a_better_value_in_a_case_is_refused_because_the_verdict_no_longer_follows() -> None:
    forged = DATA.replace(b'"gm_dice":0.899', b'"gm_dice":0.999')
    assert forged != DATA
    with pytest.raises(ReportMismatchError, match="verdict"):
        read_report(forged)


def test_a_case_flow_that_forgets_a_failure_is_refused() -> None:
    forged = REPORT.model_copy(update={"flow": REPORT.flow.model_copy(update={"failed": 0})})
    with pytest.raises(ReportMismatchError, match="flow"):
        read_report(report_bytes(forged))


def test_a_page_agrees_with_the_report_it_was_made_from() -> None:
    check_agreement(REPORT, PAGE)
    check_agreement(read_report(DATA), PAGE)


@pytest.mark.requirement("R7")
@pytest.mark.attack("page or PDF that says other than the JSON")
@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        (b'data-value="not met">not met<', b'data-value="met">met<', "verdict"),
        (b'data-value="0.899">0.899<', b'data-value="0.899">0.989<', "criterion/gm_overlap/overall/complete"),
        (b'data-value="0.85">0.85<', b'data-value="0.8">0.85<', "criterion/gm_overlap/overall/bound"),
        (
            b'data-field="flow/failed" data-value="1">1<',
            b'data-field="flow/failed" data-value="0">0<',
            "flow/failed",
        ),
        (b'data-value="derived">derived<', b'data-value="patient">patient<', "evidence"),
        (b'data-field="flow/failed"', b'data-field="flow/fine"', "no such field"),
        (b'data-field="flow/failed"', b'class="x"', "flow/failed: is not shown"),
    ],
)
def test_a_page_that_says_other_than_the_report_is_refused(old: bytes, new: bytes, named: str) -> None:
    assert old in PAGE
    with pytest.raises(ReportMismatchError, match=named):
        check_agreement(REPORT, PAGE.replace(old, new, 1))


def test_markup_inside_a_marked_figure_is_refused() -> None:
    forged = PAGE.replace(b'data-value="0.85">0.85<', b'data-value="0.85"><i hidden>0.85</i>0.5<', 1)
    with pytest.raises(ReportMismatchError, match="holds another element"):
        check_agreement(REPORT, forged)


def test_the_page_of_another_report_is_refused() -> None:
    other = make_report(cases=(make_case(1, dice=0.93), make_case(2, dice=0.91)))
    with pytest.raises(ReportMismatchError):
        check_agreement(REPORT, render(other, ()))


@pytest.mark.parametrize(
    ("value", "bound", "text"),
    [
        (None, None, "no value"),
        (0.0, None, "0"),
        (-0.0, None, "0"),
        (1 / 3, None, "0.33333"),
        (612.3456, None, "612.35"),
        (1234567.0, None, "1234567"),
        (0.8999999, 0.9, "0.8999999"),
        (5.0000001, 5.0, "5.0000001"),
        (-5.0000001, 5.0, "-5.0000001"),
        (0.9, 0.9, "0.9"),
    ],
)
def test_a_number_is_rounded_for_reading_but_never_across_its_bound(
    value: float | None, bound: float | None, text: str
) -> None:
    assert display(value, bound) == text
