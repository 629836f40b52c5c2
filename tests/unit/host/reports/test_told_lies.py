"""A signed report that agrees with itself and lies about what was tested, on what, where, or how far it holds."""

from collections.abc import Callable
from typing import Any

import pytest

from host.errors import ReportMismatchError
from host.reports.model import Report
from host.reports.recheck import recheck
from host.validation.attempt import Validated
from tests.support.forged_reports import forged
from tests.support.tiny_host import TinyHost, tiny_host


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> TinyHost:
    return tiny_host(tmp_path_factory.mktemp("host"))


@pytest.fixture(scope="module")
def done(host: TinyHost) -> Validated:
    return host.validate()


def changed(part: Any, **fields: object) -> Any:
    return part.model_copy(update=fields)


def in_first_case(report: Report, **fields: object) -> Any:
    return {"cases": (changed(report.cases[0], **fields), *report.cases[1:])}


LIES: dict[str, Callable[[Report], dict[str, Any]]] = {
    "image": lambda r: {"release": changed(r.release, image="sha256:" + "0" * 64)},
    "manifest": lambda r: {"release": changed(r.release, manifest=r.release.image)},
    "intended use": lambda r: {"release": changed(r.release, intended_use="Diagnosis of everything")},
    "author": lambda r: {"release": changed(r.release, author="Somebody Else")},
    "failure modes": lambda r: {"release": changed(r.release, known_failure_modes=())},
    "data set": lambda r: {"kit": changed(r.kit, dataset="500 patients of 20 sites")},
    "reference standard": lambda r: {"kit": changed(r.kit, reference_standard="Three radiologists")},
    "operating range": lambda r: {"kit": changed(r.kit, operating_range=("everything",))},
    "limitations": lambda r: {"limitations": ()},
    "self-test": lambda r: {"self_test": None},
    "engine": lambda r: {"environment": changed(r.environment, engine="docker 99")},
    "host version": lambda r: {"environment": changed(r.environment, host_version="9.9.9")},
    "warnings": lambda r: in_first_case(r, warnings=("nothing to see here",)),
    "message": lambda r: in_first_case(r, message="all is well"),
    "duration": lambda r: in_first_case(r, duration_s=0.001),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_what_was_logged_or_registered_is_found_out(
    host: TinyHost, done: Validated, lie: str
) -> None:
    with pytest.raises(ReportMismatchError):
        recheck(host.registry, forged(host, done, **LIES[lie](done.report)))


def test_the_honest_twin_verifies(host: TinyHost, done: Validated) -> None:
    assert recheck(host.registry, forged(host, done))


@pytest.mark.parametrize(
    "write",
    [
        lambda page: page.replace(b"</h1>", b"</h1><p>VERDICT: MET on 500 patients.</p>", 1),
        lambda page: page.replace(b"</style>", b"[data-field^=verdict] { display: none }</style>", 1),
    ],
    ids=["a sentence", "a style that hides"],
)
def test_a_page_that_says_more_than_its_report_is_found_out(
    host: TinyHost, done: Validated, write: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(ReportMismatchError, match="page: "):
        recheck(host.registry, forged(host, done, write))
