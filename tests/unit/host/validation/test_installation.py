"""What is checked before the first case: it stands in the report, and what does not pass stops everything."""

import pytest

from host.errors import SelfTestError
from host.reports.self_test import section_of
from host.statistics.oracle import Oracle, exact
from host.statistics.self_test import run_self_test
from host.validation.installation import require_passed
from tests.support.tiny_host import TinyHost

RIGHT = Oracle("two", "arithmetic", exact(("one and one", 2.0)), lambda files: [2.0])
WRONG = Oracle("three", "arithmetic", exact(("one and two", 3.0)), lambda files: [4.0])


def test_the_report_says_what_was_checked_and_how_the_statistics_fared(host: TinyHost) -> None:
    report = host.validate().report
    assert [one.check for one in report.installation_checks] == [
        "the engine holds the image of the release",
        "the machine has room for a case",
        "the statistics reproduce published numbers",
    ]
    assert all(one.passed for one in report.installation_checks)
    assert report.self_test is not None
    assert len(report.self_test.oracles) > 50
    assert report.self_test.passed
    assert report.self_test.versions.keys() == {"assay", "python", "numpy", "scipy"}


def test_statistics_that_are_wrong_here_judge_nothing() -> None:
    with pytest.raises(SelfTestError, match="does not reproduce three: one and two"):
        require_passed(section_of(run_self_test(oracles=[RIGHT, WRONG])))
    require_passed(section_of(run_self_test(oracles=[RIGHT])))
