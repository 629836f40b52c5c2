"""Days between visits: judged on acquisition dates, flagged where they are not known, and never told as dates."""

import pytest

from host.cases.intervals import acquired_at, judge_intervals
from tests.support.manifests import minimal_manifest

IMAGE = {"kind": "volume", "summary": "A scan.", "modality": "MR", "unit": "1"}


def manifest(minimum=20.0, maximum=40.0):
    later = {
        **IMAGE,
        "name": "later",
        "time_point": "followup",
        "interval_days": {"minimum": minimum, "maximum": maximum},
        "at_most": 3,
    }
    inputs = {"t1": "a.nii", "later": ["b.nii"]}
    return minimal_manifest(
        inputs=[{**IMAGE, "name": "t1", "time_point": "baseline"}, later],
        tests=[
            {"name": "a", "inputs": inputs, "expect": "ok"},
            {"name": "b", "inputs": inputs, "expect": "refused", "reason_code": "x"},
        ],
    )


def judge(baseline, *later, **bounds):
    return judge_intervals(manifest(**bounds), {"t1": (baseline,), "later": later})


def day(text):
    return {"AcquisitionDate": text}


@pytest.mark.parametrize(
    ("later", "verdict"),
    [
        ("20260320", "refuse"),
        ("20260321", "accept"),
        ("20260410", "accept"),
        ("20260411", "refuse"),
        ("20260201", "refuse"),
    ],
)
def test_the_interval_decides(later, verdict):
    (finding,) = judge(day("20260301"), day(later))
    assert finding.verdict == verdict
    assert finding.reason == "outside-domain"


def test_every_file_of_a_list_is_judged():
    findings = judge(day("20260301"), day("20260325"), day("20260501"), {})
    assert [one.verdict for one in findings] == ["accept", "refuse", "flag"]


def test_no_date_stands_in_a_finding():
    for finding in judge(day("20260301"), day("20260325"), day("20260501"), {}):
        assert "2026" not in finding.message
        assert finding.message.startswith("later: days since baseline")


@pytest.mark.parametrize("tags", [{}, day(""), day("soon"), day("20261301"), {"AcquisitionDate": 20260301}])
def test_a_date_that_is_missing_or_none_is_flagged(tags):
    for finding in (*judge(tags, day("20260325")), *judge(day("20260301"), tags)):
        assert (finding.verdict, finding.value) == ("flag", None)
        assert "not known" in finding.message


@pytest.mark.parametrize(
    "tags",
    [
        {"AcquisitionDateTime": "20260301120000.000000"},
        {"AcquisitionDateTime": "2026-03-01T12:00:00.5"},
        {"AcquisitionDateTime": "2026-03-01T12:00:00Z"},
        {"AcquisitionDateTime": "20260301120000+0100"},
        {"AcquisitionDate": "2026-03-01", "AcquisitionTime": "12:00:00.000"},
        {"AcquisitionDate": "20260301", "AcquisitionTime": "1200"},
        {"AcquisitionDateTime": "unknown", "SeriesDate": "20260301"},
        {"StudyDate": "20260301", "StudyTime": "115959.999"},
        {"ContentDate": "20260301"},
    ],
)
def test_dates_are_read_as_dicom_and_bids_write_them(tags):
    found = acquired_at(tags)
    assert found is not None
    assert (found.day.year, found.day.month, found.day.day) == (2026, 3, 1)


def test_hours_count_where_both_moments_are_known():
    early = {"AcquisitionDateTime": "2026-03-01T08:00:00"}
    late = {"AcquisitionDateTime": "2026-03-21T07:00:00"}
    assert judge(early, late)[0].verdict == "refuse"
    assert judge(early, day("2026-03-21"))[0].verdict == "accept"


def test_days_count_from_the_earliest_baseline():
    found = judge_intervals(
        manifest(), {"t1": (day("20260310"), day("20260301")), "later": (day("20260325"),)}
    )
    assert found[0].value == 24.0


def test_a_follow_up_that_is_not_given_is_not_judged():
    assert judge_intervals(manifest(), {"t1": (day("20260301"),)}) == ()
