"""Analyses and sensitivity of a logged report are made again, and another number in either is found out."""

import pytest

from host.engines.interface import ContainerSpec
from host.errors import ReportMismatchError
from host.reports.html import render
from host.reports.recheck import recheck
from host.reports.sections import AnalysisRow, SensitivityRow
from host.reports.write import report_bytes
from host.validation.attempt import Validated
from host.validation.estimate_row import EstimateRow
from registry.record import Record
from registry.statements import ValidationReport
from tests.support.memory_engine import Ending, tiny_adapter
from tests.support.tiny_host import TinyHost

FLATTERING = EstimateRow(value=0.99, low=0.98, high=1.0, level=0.95, method="DeLong", n=300)


def lose_one(host: TinyHost) -> None:
    """Let the first case time out, so that there are complete cases to look at apart."""
    lost = []

    def container(spec: ContainerSpec) -> Ending:
        lost.append(spec)
        return Ending(137, timed_out=True) if len(lost) == 1 else tiny_adapter(spec)

    host.engine.container = container


def relogged(host: TinyHost, done: Validated, **changes: object) -> Record:
    """A report whose page agrees with its JSON, logged by an executor with a valid key."""
    report = done.report.model_copy(update={"renderings": (), **changes})
    page = host.file("report.html", render(report, []))
    data = report_bytes(report.model_copy(update={"renderings": (page,)}))
    said = {"report_json": host.file("report.json", data), "report_html": page, "reason": "a second one"}
    logged = done.record.statement.read(ValidationReport).model_copy(update=said)
    return host.registry.log_act(logged, [host.keys["ada"]], [])


def test_analyses_and_sensitivity_of_a_logged_report_follow_from_its_cases(host: TinyHost) -> None:
    lose_one(host)
    done = host.validate()
    assert done.report.sensitivity
    lines = recheck(host.registry, done.record)
    shown = f"{len(done.report.analyses)} analyses and {len(done.report.sensitivity)} sensitivity rows"
    assert f"its {shown} follow from its cases" in lines


def test_an_analysis_that_the_cases_do_not_give_is_found_out(host: TinyHost) -> None:
    done = host.validate()
    metric = done.report.protocol.metrics[0].id
    added = AnalysisRow(kind="roc", metric=metric, scope="overall", estimates={"auc": FLATTERING})
    with pytest.raises(ReportMismatchError, match="analyses"):
        recheck(host.registry, relogged(host, done, analyses=(added,)))


def test_a_sensitivity_row_that_is_left_out_or_flattered_is_found_out(host: TinyHost) -> None:
    lose_one(host)
    done = host.validate()
    first, *others = done.report.sensitivity
    assert isinstance(first, SensitivityRow)
    flattered = first.model_copy(update={"estimate": FLATTERING})
    for rows in (tuple(others), (flattered, *others)):
        with pytest.raises(ReportMismatchError, match="sensitivity"):
            recheck(host.registry, relogged(host, done, sensitivity=rows))
