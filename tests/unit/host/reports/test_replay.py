"""A report made again: the same bytes, or the field that differs, from a registry and from the file alone."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from host.errors import ReportMalformedError, ReportMismatchError
from host.kits.data import data_folder
from host.reports.offline import verify_alone
from host.reports.recheck.evidence import Evidence
from host.reports.replay import WITHOUT_OUTPUTS, replay
from host.reports.write import report_bytes
from host.validation.attempt import Validated
from plugin_spec.errors import TrustError
from registry.errors import OrderNotShownError
from registry.statements import RunFinished, ValidationReport
from tests.support.forged_reports import forged, with_case
from tests.support.registry_builders import digest_of
from tests.support.reports import make_report
from tests.support.stored_home import restore
from tests.support.tiny_host import TinyHost

FIRST = Path(__file__).parents[3] / "vectors" / "report_home_1"


def evidence_of(host: TinyHost, done: Validated) -> Evidence:
    return Evidence.of(host.registry, done.record)


def changed(done: Validated, change: Callable[[dict[str, Any]], None]) -> bytes:
    document = json.loads(report_bytes(done.report))
    change(document)
    return json.dumps(document).encode()


def test_a_report_made_again_from_its_file_has_the_same_bytes() -> None:
    data = report_bytes(make_report())
    again = replay(data)
    assert (again.is_same, again.told, again.differences) == (True, again.again, ())
    assert again.not_replayed == (WITHOUT_OUTPUTS,)


def test_a_logged_report_is_made_again_from_its_stored_outputs(host: TinyHost) -> None:
    done = host.validate()
    again = replay(report_bytes(done.report), evidence_of(host, done))
    assert again.is_same and again.not_replayed == ()
    assert again.told == done.record.statement.read(ValidationReport).report_json.digest
    assert any("the rows of 3 cases" in line for line in again.replayed)


def test_reports_of_the_first_version_are_made_again_with_the_same_bytes(tmp_path: Path) -> None:
    _, registry = restore(FIRST, tmp_path / "home")
    records = list(registry.records(ValidationReport.predicate_type))
    assert records
    for record in records:
        evidence = Evidence.of(registry, record)
        again = replay(registry.blobs.path(evidence.logged.report_json.digest).read_bytes(), evidence)
        assert again.is_same and again.not_replayed == ()


def edit_verdict(document: dict[str, Any]) -> None:
    document["verdict"]["criteria"][1]["verdict"] = "not met"


def edit_flow(document: dict[str, Any]) -> None:
    document["flow"]["answered"] = 3


def edit_value(document: dict[str, Any]) -> None:
    document["cases"][0]["row"]["values"]["dice_bright"] = 0.25


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (edit_verdict, "verdict.criteria[overlap size=2].verdict"),
        (edit_flow, "flow.answered"),
        (edit_value, "verdict.criteria[overlap size=2].verdict"),
    ],
)
def test_an_edited_report_is_told_by_the_field(
    host: TinyHost, edit: Callable[[dict[str, Any]], None], field: str
) -> None:
    done = host.validate()
    again = replay(changed(done, edit))
    assert not again.is_same
    assert field in [one.field for one in again.differences]


def test_a_mask_scored_otherwise_is_told_from_the_stored_outputs_alone(host: TinyHost) -> None:
    done = host.validate()
    cases = with_case(done, "cube-3", {"values": {"dice_bright": 0.5, "ended_as_expected": 1.0}})
    record = forged(host, done, cases=cases)
    evidence = Evidence.of(host.registry, record)
    again = replay(report_bytes(evidence.report), evidence)
    (one,) = again.differences
    assert (one.field, one.told, one.again) == ("cases[cube-3].row.values.dice_bright", 0.5, 1.0)
    assert again.told == again.again and not again.is_same


def test_what_cannot_be_made_again_is_said_and_no_difference(host: TinyHost) -> None:
    done = host.validate()
    rmtree(data_folder(host.home, host.kit))
    again = replay(report_bytes(done.report), evidence_of(host, done))
    assert again.is_same
    assert len(again.not_replayed) == 2  # the case that had to be refused needs no file
    assert "the kit's case files are not in this home" in again.not_replayed[0]


def test_an_output_that_is_gone_is_said(host: TinyHost) -> None:
    done = host.validate()
    ends = [one.statement.read(RunFinished) for one in host.registry.records(RunFinished.predicate_type)]
    (mask,) = (one for one in next(end for end in ends if end.outputs).outputs if one.port == "mask")
    host.registry.blobs.path(mask.digest).unlink()
    again = replay(report_bytes(done.report), evidence_of(host, done))
    assert again.is_same
    assert ["its outputs are not stored in this home" in one for one in again.not_replayed] == [True]


def test_bytes_that_are_no_report_are_refused() -> None:
    with pytest.raises(ReportMalformedError):
        replay(b"{}")


# ---- a reader with the file and a trust root ----------------------------------------------------


def test_a_report_is_verified_by_somebody_with_its_file_and_the_trust_root(host: TinyHost) -> None:
    done = host.validate()
    assert host.registry.pin is not None
    found = verify_alone(report_bytes(done.report), pin=host.registry.pin)
    assert found.digest == done.record.statement.read(ValidationReport).report_json.digest
    assert any("order in the log" in line for line in found.checks)
    assert len(found.not_shown) == 3


@pytest.mark.parametrize("edit", [edit_verdict, edit_flow, edit_value])
def test_an_edited_file_is_refused_offline(host: TinyHost, edit: Callable[[dict[str, Any]], None]) -> None:
    assert host.registry.pin is not None
    with pytest.raises(ReportMismatchError):
        verify_alone(changed(host.validate(), edit), pin=host.registry.pin)


def test_another_trust_root_is_refused_offline(host: TinyHost) -> None:
    with pytest.raises(TrustError) as refused:
        verify_alone(report_bytes(host.validate().report), pin=digest_of("another"))
    assert refused.value.code == "root-pin-mismatch"


def test_a_report_without_a_proof_of_order_is_refused_offline() -> None:
    with pytest.raises(OrderNotShownError, match="no proof of order"):
        verify_alone(report_bytes(make_report()), pin=digest_of("any"))
