"""Reports that earlier versions signed verify for ever: bytes, signatures, runs, and the verdict made again."""

from pathlib import Path

import pytest

from host.errors import ReportMismatchError
from host.reports.recheck import recheck
from host.reports.write import content_digest, read_report, report_bytes
from registry.audit import verify_log
from registry.canonical import digest
from registry.record import Record
from registry.registry import Registry
from registry.statements import ESignature, ValidationReport
from tests.support.stored_home import restore

# Written by the last version whose reports are all `assay.report/1`; never written again.
FIRST = Path(__file__).parents[3] / "vectors" / "report_home_1"


@pytest.fixture
def first(tmp_path: Path) -> Registry:
    return restore(FIRST, tmp_path / "home")[1]


def reports(registry: Registry) -> list[Record]:
    return list(registry.records(ValidationReport.predicate_type))


def stored(registry: Registry, record: Record) -> bytes:
    return registry.blobs.path(record.statement.read(ValidationReport).report_json.digest).read_bytes()


@pytest.mark.requirement("R8")
def test_the_log_that_the_first_version_kept_has_no_fault(first: Registry) -> None:
    assert verify_log(first) == ()


@pytest.mark.requirement("R8")
def test_reports_of_the_first_version_verify_with_their_signatures(first: Registry) -> None:
    not_met, met = (recheck(first, one) for one in reports(first))
    assert any("the verdict (not met) follows" in line for line in not_met)
    assert [line.partition(" - ")[0] for line in not_met if line.startswith("signed: ")] == [
        "signed: Ada (developer)",
        "signed: Quentin (qa)",
    ]
    assert any("the verdict (met) follows" in line for line in met)
    assert any("the report itself has no check" in line for line in met)
    assert any("scored again from its files (3)" in line for line in met)


def test_reports_of_the_first_version_keep_their_bytes_and_names(first: Registry) -> None:
    for record in reports(first):
        data = stored(first, record)
        report = read_report(data)
        assert report_bytes(report) == data
        assert digest(data) == record.statement.read(ValidationReport).report_json.digest
        page = first.blobs.path(report.renderings[0].digest).read_text()
        assert content_digest(report) in page


def test_signatures_of_the_first_version_name_the_page_that_is_stored(first: Registry) -> None:
    for record in first.records(ESignature.predicate_type):
        rendering = record.statement.read(ESignature).rendering
        assert rendering is not None and first.blobs.verify(rendering)


@pytest.mark.requirement("R8")
def test_a_report_of_the_first_version_with_a_changed_verdict_is_refused(first: Registry) -> None:
    data = stored(first, reports(first)[0])
    with pytest.raises(ReportMismatchError, match="verdict"):
        read_report(data.replace(b'"verdict":"not met"', b'"verdict":"met"'))
