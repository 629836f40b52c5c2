"""A new release against the one that a trial locks: the earlier report is verified, and held against case by case."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from host.engines.interface import ContainerSpec
from host.errors import EarlierReportError, EngineDiedError, ReportMismatchError
from host.home import now
from host.reports.recheck import recheck
from host.statistics.repeatability import COEFFICIENT
from host.validation.attempt import Validated
from registry.errors import BlobMismatchError, UnknownRecordError
from registry.registry import Registry
from registry.statements import RunFinished, ValidationStarted
from tests.support.forged_reports import forged, with_case
from tests.support.memory_engine import Ending, tiny_adapter
from tests.support.registry_builders import seeded
from tests.support.robust_plan import EQUIVALENT, LOCKED, case_of, planned
from tests.support.tiny import TRIAL
from tests.support.tiny_host import SITE, TinyHost, tiny_host


@pytest.fixture
def versions(tmp_path: Path) -> TinyHost:
    return tiny_host(tmp_path, planned=planned(*LOCKED))


def larger_by(factor: float, case: str = "cube-3") -> Callable[[ContainerSpec], Ending]:
    """A plugin that measures more on one case, and marks a voxel less."""

    def container(spec: ContainerSpec) -> Ending:
        ended = tiny_adapter(spec)
        if case_of(spec) == case:
            path = spec.outputs / "volumes.json"
            document = json.loads(path.read_text())
            document["rows"][0]["bright_ml"] *= factor
            path.write_text(json.dumps(document))
            mask = spec.outputs / "mask.nii"
            mask.write_bytes(mask.read_bytes()[:-1] + b"\0")
        return ended

    return container


def signed(host: TinyHost) -> Validated:
    done = host.validate()
    host.sign(done)
    return done


def values(done: Validated, metric: str) -> dict[str, float | None]:
    return {one.row.case: one.row.values.get(metric) for one in done.report.cases}


def test_what_compares_with_an_earlier_release_stays_open_where_none_is_named(versions: TinyHost) -> None:
    done = versions.validate()
    assert done.report.verdict.verdict == "insufficient evidence"
    assert not {"delta", "overlap_delta"} & set(done.report.cases[0].row.values)
    assert done.report.version_delta is None
    page = versions.registry.blobs.path(done.report.renderings[0].digest).read_text()
    assert "stay open: delta_overall, overlap_delta_overall." in page
    assert "no locked release was compared: validate with --against" in page
    words = {one.criterion: one.verdict for one in done.report.verdict.criteria}
    assert words == {
        "every_case_ends_as_expected": "met",
        "overlap": "met",
        "delta_overall": "insufficient evidence",
        "overlap_delta_overall": "insufficient evidence",
    }
    assert recheck(versions.registry, done.record)


def test_a_release_that_answers_alike_is_met_case_by_case(versions: TinyHost) -> None:
    earlier = signed(versions)
    done = versions.validate(release=versions.next_release(), against=earlier.report.validation)
    assert values(done, "delta") == {"cube-2": 0.0, "cube-3": 0.0, "told-to-refuse": None}
    assert values(done, "overlap_delta") == {"cube-2": 1.0, "cube-3": 1.0, "told-to-refuse": None}
    assert done.report.verdict.verdict == "met"
    assert recheck(versions.registry, done.record)


def test_a_release_that_answers_differently_is_found_by_numbers_and_by_masks(versions: TinyHost) -> None:
    earlier = signed(versions)
    versions.engine.container = larger_by(1.02)
    done = versions.validate(release=versions.next_release(), against=earlier.record.digest)
    assert values(done, "delta")["cube-3"] == pytest.approx(2.0)
    assert values(done, "overlap_delta")["cube-3"] == pytest.approx(2 * 26 / (27 + 26))
    words = {one.criterion: one.verdict for one in done.report.verdict.criteria}
    assert (words["delta_overall"], words["overlap_delta_overall"]) == ("not met", "not met")
    assert recheck(versions.registry, done.record)


def test_the_report_tells_the_earlier_release_and_how_the_new_one_differs(versions: TinyHost) -> None:
    earlier = signed(versions)
    versions.engine.container = larger_by(1.02)
    done = versions.validate(release=versions.next_release(), against=earlier.report.validation)
    delta = done.report.version_delta
    assert delta is not None
    assert (delta.version, delta.validation, delta.report) == (
        "1.0.0",
        earlier.report.validation,
        earlier.record.digest,
    )
    assert (delta.cases, [row.metric for row in delta.rows]) == (2, ["delta"])
    (row,) = delta.rows
    assert (row.unit, row.margin, row.verdict) == ("mL", None, "not met")
    assert row.difference.value == pytest.approx(0.27)  # (0.54 + 0) / 2 mL
    assert row.difference.low is None and "no case is a patient's" in row.difference.reason
    page = versions.registry.blobs.path(done.report.renderings[0].digest).read_text()
    assert "Of validation" in page and earlier.report.validation in page


@pytest.mark.parametrize(("factor", "word"), [(1.0, "met"), (1.1, "not met")])
def test_equivalence_is_judged_by_mean_single_differences_and_changes(
    factor: float, word: str, tmp_path: Path
) -> None:
    host = tiny_host(tmp_path, planned=planned(*EQUIVALENT))
    earlier = signed(host)
    host.engine.container = larger_by(factor)
    done = host.validate(release=host.next_release(), against=earlier.report.validation)
    found = {one.criterion: one for one in done.report.verdict.criteria if "of_delta" in one.criterion}
    difference = 27 * (factor - 1)
    expected = {
        "bias_of_delta": difference / 2,
        "rc_between_of_delta": COEFFICIENT * math.sqrt(difference**2 / 4),
        "change_bias_of_delta": difference,
    }
    assert {name: one.estimate.value for name, one in found.items() if one.estimate} == pytest.approx(
        expected
    )
    assert {one.verdict for one in found.values()} == {word}
    assert done.report.version_delta is not None
    (row,) = done.report.version_delta.rows
    assert (row.margin, row.verdict) == (0.4, word)
    assert row.change is not None and row.change.value == pytest.approx(difference)
    assert recheck(host.registry, done.record)


def test_no_lie_about_the_earlier_release_is_believed(versions: TinyHost) -> None:
    earlier = signed(versions)
    again = signed(versions)
    done = versions.validate(release=versions.next_release(), against=earlier.report.validation)
    told = done.report.version_delta
    assert told is not None
    lies = [
        None,
        told.model_copy(update={"report": again.record.digest}),
        told.model_copy(update={"version": "0.9.0"}),
        told.model_copy(update={"trial": TRIAL}),
        told.model_copy(update={"cases": 3}),
        told.model_copy(update={"rows": ()}),
    ]
    for lie in lies:
        with pytest.raises((ReportMismatchError, UnknownRecordError)):
            recheck(versions.registry, forged(versions, done, version_delta=lie))
    assert recheck(versions.registry, forged(versions, done))


def test_a_case_that_the_earlier_release_did_not_answer_has_nothing_to_be_held_against(
    versions: TinyHost,
) -> None:
    def container(spec: ContainerSpec) -> Ending:
        return Ending(139) if case_of(spec) == "cube-2" else tiny_adapter(spec)

    versions.engine.container = container
    earlier = signed(versions)
    versions.engine.container = tiny_adapter
    done = versions.validate(release=versions.next_release(), against=earlier.report.validation)
    assert values(done, "delta") == {"cube-2": None, "cube-3": 0.0, "told-to-refuse": None}
    words = {one.criterion: one.verdict for one in done.report.verdict.criteria}
    assert words["delta_overall"] == "insufficient evidence"
    assert recheck(versions.registry, done.record)


def test_a_case_that_the_new_release_fails_counts_as_its_metric_says(versions: TinyHost) -> None:
    earlier = signed(versions)
    versions.engine.container = lambda spec: Ending(139) if case_of(spec) == "cube-2" else tiny_adapter(spec)
    done = versions.validate(release=versions.next_release(), against=earlier.report.validation)
    row = next(one.row for one in done.report.cases if one.row.case == "cube-2")
    assert (row.values["delta"], row.values["overlap_delta"]) == (None, 0.0)
    assert row.never_met == ("delta",)
    assert recheck(versions.registry, done.record)


def test_the_release_that_a_trial_locks_is_found_by_the_trial(versions: TinyHost, tmp_path: Path) -> None:
    site = Registry.create_site(tmp_path / "site", site_id=SITE, clock=now, random=seeded(SITE))
    versions.locked(site)
    done = versions.validate(release=versions.next_release(), trial=TRIAL)
    assert done.report.version_delta is not None and done.report.version_delta.trial == TRIAL
    started = [
        one.statement.read(ValidationStarted)
        for one in versions.registry.records(ValidationStarted.predicate_type)
    ]
    assert started[0].against is None and started[1].against is not None
    assert done.report.verdict.verdict == "met"
    assert recheck(versions.registry, done.record)


def test_a_trial_without_a_lock_that_holds_names_no_release(versions: TinyHost) -> None:
    from registry.statements import TrialCreated

    created = TrialCreated(**versions.stamp("sofia"), trial=TRIAL, title="Tiny trial", scope="demonstration")
    versions.registry.act(created, versions.keys["sofia"])
    with pytest.raises(EarlierReportError, match="no lock of trial tiny-trial that holds"):
        versions.validate(trial=TRIAL)


def test_only_a_signed_report_of_an_earlier_release_on_this_very_kit_is_compared_with(
    versions: TinyHost,
) -> None:
    unsigned = versions.validate()
    smoke = versions.validate(smoke=True)
    versions.sign(smoke)
    newer = versions.next_release()
    cases = {
        unsigned.report.validation: "QA did not sign it",
        smoke.report.validation: "only the smoke subset",
        "f" * 16: "there is no report",
    }
    for report, told in cases.items():
        with pytest.raises(EarlierReportError, match=told):
            versions.validate(release=newer, against=report)
    done = versions.validate(release=newer)
    versions.sign(done)
    with pytest.raises(EarlierReportError, match="this very release"):
        versions.validate(release=newer, against=done.report.validation)


def test_a_kit_that_declares_no_such_metric_is_not_compared(host: TinyHost) -> None:
    earlier = signed(host)
    with pytest.raises(EarlierReportError, match="declares no metric against the locked release"):
        host.validate(release=host.next_release(), against=earlier.report.validation)


def test_an_earlier_output_that_was_changed_since_stops_the_comparison(versions: TinyHost) -> None:
    earlier = signed(versions)
    record = next(versions.registry.records(RunFinished.predicate_type)).statement.read(RunFinished)
    mask = next(one for one in record.outputs if one.port == "mask")
    path = versions.registry.blobs.path(mask.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    with pytest.raises(BlobMismatchError):
        versions.validate(release=versions.next_release(), against=earlier.report.validation)


def test_a_difference_that_a_report_plays_down_is_found_out(versions: TinyHost) -> None:
    earlier = signed(versions)
    versions.engine.container = larger_by(1.02)
    done = versions.validate(release=versions.next_release(), against=earlier.report.validation)
    row = next(one.row for one in done.report.cases if one.row.case == "cube-3")
    lies = [{**row.values, "delta": 0.5}, {k: v for k, v in row.values.items() if k != "delta"}]
    for lie in lies:
        with pytest.raises(ReportMismatchError, match="row of cube-3"):
            recheck(
                versions.registry, forged(versions, done, cases=with_case(done, "cube-3", {"values": lie}))
            )


def test_a_stopped_comparison_of_releases_goes_on_against_the_same_report(versions: TinyHost) -> None:
    earlier, newer = signed(versions), versions.next_release()

    def container(spec: ContainerSpec) -> Ending:
        if case_of(spec) == "cube-3":
            raise EngineDiedError("gone")
        return tiny_adapter(spec)

    versions.engine.container = container
    with pytest.raises(EngineDiedError):
        versions.validate(release=newer, against=earlier.report.validation)
    versions.engine.container = tiny_adapter
    records = list(versions.registry.records(ValidationStarted.predicate_type))
    stopped = records[-1].statement.read(ValidationStarted).validation
    done = versions.validate(release=newer, stopped=stopped)
    assert values(done, "delta")["cube-3"] == 0.0
    assert recheck(versions.registry, done.record)
