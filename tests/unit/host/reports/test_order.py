"""A report proves that its plan was there first, to somebody who has the report and one digest of a trust root."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from host.errors import ReportMismatchError
from host.reports.model import Report
from host.reports.order import verify_order
from host.reports.recheck import recheck
from host.reports.sections import OrderProof
from host.reports.write import read_report, report_bytes
from plugin_spec.errors import TrustError
from registry.excerpt import ExcerptEntry
from tests.support.forged_reports import forged
from tests.support.registry_builders import digest_of
from tests.support.tiny_host import TinyHost, tiny_host

OVERLAP = 'metric = "dice_bright"\nstatistic = "every_case"\ncomparator = ">="\nbound = 1.0'


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyHost, Report]:
    """A report of a second validation, after one deviation; the tests here change copies of it only."""
    host = tiny_host(tmp_path_factory.mktemp("proven"))
    host.validate(smoke=True)
    host.deviate(OVERLAP, OVERLAP.replace("1.0", "0.5"))
    return host, host.validate().report


def pin_of(host: TinyHost) -> str:
    assert host.registry.pin is not None
    return host.registry.pin


def proof_of(report: Report) -> OrderProof:
    assert report.order_proof is not None
    return report.order_proof


def test_the_proof_verifies_from_the_reports_bytes_and_the_pin_alone(proven: tuple[TinyHost, Report]) -> None:
    host, report = proven
    read = read_report(report_bytes(report))
    shown, order = verify_order(read, proof_of(read), pin=pin_of(host))
    assert [one.what for one in proof_of(read).events] == [
        "release submitted",
        "protocol registered",
        "deviation 1 approved",
        "validation started",
        "first run started",
    ]
    places = [one.sequence for one in proof_of(read).events]
    assert places == sorted(places) and places[-1] < shown.checkpoint.size
    assert order.plans[-1].sequence < order.covered <= order.started.sequence < order.first_run.sequence
    assert set(order.cosigned) == {"quentin"}


def test_another_trust_root_does_not_vouch_for_it(proven: tuple[TinyHost, Report]) -> None:
    _, report = proven
    with pytest.raises(TrustError) as refused:
        verify_order(report, proof_of(report), pin=digest_of("another trust root"))
    assert refused.value.code == "root-pin-mismatch"


def test_a_proof_of_another_validation_is_refused(proven: tuple[TinyHost, Report]) -> None:
    host, report = proven
    other = report.model_copy(update={"validation": "f" * 16})
    with pytest.raises(TrustError) as refused:
        verify_order(other, proof_of(report), pin=pin_of(host))
    assert refused.value.code == "order-not-shown"


def entries_changed(report: Report, change: Callable[[list[ExcerptEntry]], list[ExcerptEntry]]) -> OrderProof:
    proof = proof_of(report)
    entries = tuple(change(list(proof.log.entries)))
    return proof.model_copy(update={"log": proof.log.model_copy(update={"entries": entries})})


def kind_of(entry: ExcerptEntry) -> str:
    payload = json.loads(base64.b64decode(json.loads(entry.envelope)["payload"]))
    return str(payload["predicateType"]).rsplit("/", 2)[-2]


def of_kind(kind: str, change: Callable[[ExcerptEntry], ExcerptEntry]) -> Callable[..., list[ExcerptEntry]]:
    return lambda entries: [change(one) if kind_of(one) == kind else one for one in entries]


def without(kind: str) -> Callable[..., list[ExcerptEntry]]:
    return lambda entries: [one for one in entries if kind_of(one) != kind]


def moved(by: int) -> Callable[[ExcerptEntry], ExcerptEntry]:
    return lambda entry: entry.model_copy(update={"sequence": entry.sequence + by})


def redated(entry: ExcerptEntry) -> ExcerptEntry:
    return entry.model_copy(update={"logged_at": "2020-01-01T00:00:00+00:00"})


def shortened(entry: ExcerptEntry) -> ExcerptEntry:
    return entry.model_copy(update={"inclusion": entry.inclusion[:-1]})


def reworded(entry: ExcerptEntry) -> ExcerptEntry:
    envelope = json.loads(entry.envelope)
    payload = base64.b64decode(envelope["payload"]).replace(b"as planned", b"as blunted")
    envelope["payload"] = base64.b64encode(payload).decode()
    return entry.model_copy(update={"envelope": json.dumps(envelope)})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (without("protocol"), "order-not-shown"),
        (without("protocol-deviation"), "order-not-shown"),
        (without("release"), "order-not-shown"),
        (without("validation-started"), "order-not-shown"),
        (without("trust-root"), "root-pin-mismatch"),
        (of_kind("protocol", moved(-1)), "bad-inclusion-proof"),
        (of_kind("protocol", redated), "bad-inclusion-proof"),
        (of_kind("run-started", shortened), "bad-inclusion-proof"),
        (of_kind("protocol", reworded), "bad-inclusion-proof"),
        (lambda entries: entries[::-1], "bundle-content"),
        (lambda entries: [*entries, entries[-1]], "bundle-content"),
    ],
)
def test_a_proof_that_was_tampered_with_is_refused(
    proven: tuple[TinyHost, Report], change: Callable[[list[ExcerptEntry]], list[ExcerptEntry]], code: str
) -> None:
    host, report = proven
    with pytest.raises(TrustError) as refused:
        verify_order(report, entries_changed(report, change), pin=pin_of(host))
    assert refused.value.code == code


def test_a_checkpoint_with_another_root_is_refused(proven: tuple[TinyHost, Report]) -> None:
    host, report = proven
    proof = proof_of(report)
    origin, size, root, *rest = proof.log.checkpoint.split("\n")
    note = "\n".join([origin, size, ("A" if root[0] != "A" else "B") + root[1:], *rest])
    harmed = proof.model_copy(update={"log": proof.log.model_copy(update={"checkpoint": note})})
    with pytest.raises(TrustError) as refused:
        verify_order(report, harmed, pin=pin_of(host))
    assert refused.value.code == "unsigned-checkpoint"


def test_a_history_that_does_not_continue_the_cosigned_one_is_refused(
    proven: tuple[TinyHost, Report],
) -> None:
    host, report = proven
    proof = proof_of(report)
    harmed = proof.model_copy(update={"log": proof.log.model_copy(update={"consistency": ()})})
    with pytest.raises(TrustError) as refused:
        verify_order(report, harmed, pin=pin_of(host))
    assert refused.value.code == "bad-consistency-proof"


def told_otherwise(report: Report, **changes: Any) -> Report:
    return report.model_copy(update=changes)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("protocol", lambda r: {"protocol": r.protocol.model_copy(update={"title": "another plan"})}),
        ("kit", lambda r: {"kit": r.kit.model_copy(update={"kit_digest": digest_of("another kit")})}),
        ("release", lambda r: {"release": r.release.model_copy(update={"record": digest_of("another")})}),
        ("start", lambda r: {"executed_by": "quentin"}),
        ("start", lambda r: {"subset": "smoke"}),
        ("registration", lambda r: {"registration": r.registration.model_copy(update={"sequence": 0})}),
        (
            "registration",
            lambda r: {"registration": r.registration.model_copy(update={"registered_by": "ada"})},
        ),
        (
            "cosigners",
            lambda r: {"registration": r.registration.model_copy(update={"cosigned_by": ("rosa",)})},
        ),
        ("deviations", lambda r: {"deviations": ()}),
        ("attempts", lambda r: {"attempts": r.attempts[:-1]}),
        ("attempts", lambda r: {"attempts": (*r.attempts, r.attempts[-1])}),
        ("attempts", lambda r: {"attempts": (r.attempts[-1].model_copy(update={"verdict": "not met"}),)}),
        ("attempts", lambda r: {"attempts": (r.attempts[-1].model_copy(update={"attempt": 2}),)}),
        (
            "deviations",
            lambda r: {"deviations": (r.deviations[0].model_copy(update={"reason": "a typing error"}),)},
        ),
        (
            "deviations",
            lambda r: {"deviations": (r.deviations[0].model_copy(update={"after_executions": 0}),)},
        ),
        ("deviations", lambda r: {"deviations": (r.deviations[0].model_copy(update={"criteria": ()}),)}),
    ],
)
def test_a_report_that_says_else_than_its_proof_is_refused(
    proven: tuple[TinyHost, Report], what: str, change: Callable[[Report], dict[str, Any]]
) -> None:
    host, report = proven
    with pytest.raises(
        ReportMismatchError, match=f"the {what} in the report (is|are) not what its proof shows"
    ):
        verify_order(told_otherwise(report, **change(report)), proof_of(report), pin=pin_of(host))


def test_another_text_of_the_protocol_is_refused(proven: tuple[TinyHost, Report]) -> None:
    host, report = proven
    harmed = proof_of(report).model_copy(update={"protocol": proof_of(report).protocol + "\n"})
    with pytest.raises(ReportMismatchError, match="protocol's text"):
        verify_order(report, harmed, pin=pin_of(host))


# ---- what only the whole log can show -----------------------------------------------------------


def test_a_report_without_its_proof_is_found_out(host: TinyHost) -> None:
    done = host.validate()
    with pytest.raises(ReportMismatchError, match="does not prove"):
        recheck(host.registry, forged(host, done, order_proof=None))


def test_a_report_that_leaves_an_earlier_execution_out_is_found_out(host: TinyHost) -> None:
    host.validate()
    done = host.validate()
    assert [one.attempt for one in done.report.attempts] == [1, 2]
    with pytest.raises(ReportMismatchError, match="the attempts in the report"):
        recheck(host.registry, forged(host, done, attempts=done.report.attempts[1:]))


@pytest.mark.parametrize("field", ["verdict", "finished", "runs", "deviation", "subset"])
def test_an_earlier_execution_told_better_than_it_was_is_found_out(host: TinyHost, field: str) -> None:
    host.validate(smoke=True)
    done = host.validate()
    better = {"verdict": "met", "finished": False, "runs": 3, "deviation": 1, "subset": "whole kit"}[field]
    first, second = done.report.attempts
    with pytest.raises(ReportMismatchError, match="the attempts in the report"):
        told = (first.model_copy(update={field: better}), second)
        recheck(host.registry, forged(host, done, attempts=told))


def test_executions_before_a_deviation_cannot_be_counted_down(host: TinyHost) -> None:
    host.validate()
    host.validate()
    host.deviate(OVERLAP, OVERLAP.replace("1.0", "0.5"))
    done = host.validate()
    (told,) = done.report.deviations
    assert told.after_executions == 2
    fewer = (told.model_copy(update={"after_executions": 1}),)
    with pytest.raises(ReportMismatchError, match="the deviations in the report"):
        recheck(host.registry, forged(host, done, deviations=fewer))


def test_a_mask_that_was_scored_too_well_is_found_out(host: TinyHost) -> None:
    """Dice is computed again from the stored mask and the kit's reference, not believed."""
    from tests.support.forged_reports import with_case

    host.deviate(OVERLAP, OVERLAP.replace("1.0", "0.5"))
    done = host.validate()
    cases = with_case(done, "cube-3", {"values": {"dice_bright": 0.999, "ended_as_expected": 1.0}})
    with pytest.raises(ReportMismatchError, match=r"row of cube-3 .*values\.dice_bright: 0\.999"):
        recheck(host.registry, forged(host, done, cases=cases))
