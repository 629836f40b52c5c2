"""Runs as the log sees them, with every way a container or an engine can end."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from host.engines.interface import ContainerSpec
from host.engines.owner import owner_labels
from host.errors import (
    EngineDiedError,
    ImageMissingError,
    InputFileError,
    PortError,
    RunCancelledError,
    WeightsError,
)
from host.execution import CaseRequest
from host.releases import InstalledRelease
from host.run_ledger import close_interrupted
from plugin_spec.errors import ExitCode
from registry.errors import BlobMismatchError, LockMismatchError
from registry.statements import RunFinished, RunStarted
from tests.support.memory_engine import Container, Ending, ending, raising, tiny_adapter, writing
from tests.support.tiny_host import TinyHost, finished, refusals, run_on

SECRET = "Doe_John_1970-01-01"


def replace_weights(release: InstalledRelease) -> None:
    """What somebody who can write to the store would do."""
    (weights,) = release.weights.values()
    weights.chmod(0o600)
    weights.write_bytes(b"these are other weights")


def test_an_ok_run_keeps_outputs_numbers_and_log(host: TinyHost) -> None:
    record = run_on(host, host.scan()).record
    assert (record.outcome, record.reason_code, record.exit_code) == ("ok", "", 0)
    assert [(one.column, one.value, one.unit) for one in record.measured] == [("bright_ml", 27.0, "mL")]
    for one in record.outputs:
        host.registry.blobs.verify(one.digest)
    assert record.log is not None
    assert host.registry.blobs.path(record.log).read_text() == "the container was here\n"
    assert (record.memory_peak_bytes, record.memory_limit_bytes) == (24 * 2**20, 64 * 2**20)


def test_the_container_sees_names_of_our_own_and_the_checked_weights(host: TinyHost) -> None:
    seen: dict[str, object] = {}

    def look(spec: ContainerSpec) -> Ending:
        seen["inputs"] = sorted(os.listdir(spec.inputs))
        seen["weights"] = sorted(os.listdir(spec.weights or ""))
        seen["request"] = json.loads((spec.inputs / "request.json").read_text())
        return tiny_adapter(spec)

    host.engine.container = look
    run_on(host, host.scan(name=f"{SECRET}.nii"))
    assert (seen["inputs"], seen["weights"]) == (["request.json", "scan.nii"], ["net"])
    assert SECRET not in json.dumps(seen["request"])


def test_nothing_of_a_run_is_left_in_the_home(host: TinyHost) -> None:
    run_on(host, host.scan())
    assert os.listdir(host.home.runs) == []


def test_a_refusal_by_the_plugin_keeps_its_reason(host: TinyHost) -> None:
    record = run_on(host, host.scan("refuse")).record
    assert (record.outcome, record.reason_code, record.exit_code) == ("refused", "told-to-refuse", 10)
    assert record.outputs == ()


def test_a_failure_inside_the_plugin_keeps_its_message(host: TinyHost) -> None:
    record = run_on(host, host.scan("raise_error")).record
    assert (record.outcome, record.reason_code) == ("failed", "plugin-error")
    assert record.message == "RuntimeError: told to fail"


ANSWER = {"outputs": [], "qc": [], "warnings": [], "environment": {}, "reason_code": "x", "message": "m"}


@pytest.mark.parametrize(
    ("container", "reason", "said"),
    [
        (writing(10, **ANSWER, outcome="ok"), "contract-violation", "says ok, but .* exit code 10"),
        (writing(0, **ANSWER, outcome="refused"), "contract-violation", "says refused, but .* exit code 0"),
        (writing(0, **ANSWER, outcome="failed"), "contract-violation", "says failed, but .* exit code 0"),
        (writing(0, **ANSWER, outcome="ok"), "output-missing", "mask"),
        (writing(0, outcome="fine"), "contract-violation", "result.json: outcome"),
        (ending(0), "output-missing", "result.json"),
        (ending(20), "output-missing", "result.json"),
        (ending(139), "crashed", "exit code 139 and no readable result.json"),
        (ending(137, timed_out=True), "timeout", "still running after 10 s"),
        (
            ending(137, oom_killed=True, memory_peak_bytes=64 * 2**20),
            "out-of-memory",
            "peak 64 MiB, limit 64 MiB",
        ),
        (ending(137, oom_killed=True, memory_peak_bytes=None), "out-of-memory", "peak unknown, limit 64 MiB"),
        (ending(137, output_overflow=True), "output-limit", "resources.output_mib"),
    ],
)
def test_a_container_that_breaks_its_word_fails_with_a_reason(
    container: Container, reason: str, said: str, host: TinyHost
) -> None:
    host.engine.container = container
    record = run_on(host, host.scan()).record
    assert (record.outcome, record.reason_code) == ("failed", reason)
    assert re.search(said, record.message)
    assert (record.outputs, record.measured) == ((), ())


@pytest.mark.parametrize("flag", ["timed_out", "oom_killed", "output_overflow"])
def test_an_answer_is_not_believed_once_the_engine_had_to_stop_the_container(
    flag: str, host: TinyHost
) -> None:
    def answer_then_stop(spec: ContainerSpec) -> Ending:
        tiny_adapter(spec)
        return Ending(0, **{flag: True})  # type: ignore[arg-type]  # a flag by its name

    host.engine.container = answer_then_stop
    record = run_on(host, host.scan()).record
    assert (record.outcome, record.measured) == ("failed", ())


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("wrong_grid", "output-grid"),
        ("unknown_label", "output-labels"),
        ("extra_file", "output-undeclared"),
        ("link", "output-not-a-file"),
        ("missing_output", "output-missing"),
        ("not_a_number", "output-malformed"),
        ("out_of_range", "output-range"),
    ],
)
def test_outputs_that_break_the_manifest_are_not_taken(behaviour: str, reason: str, host: TinyHost) -> None:
    record = run_on(host, host.scan(behaviour)).record
    assert (record.outcome, record.reason_code, record.outputs) == ("failed", reason, ())


def test_an_engine_that_dies_is_recorded_and_the_error_passes_on(host: TinyHost) -> None:
    host.engine.container = raising(EngineDiedError("the engine stopped answering"))
    with pytest.raises(EngineDiedError):
        run_on(host, host.scan())
    (record,) = finished(host.registry)
    assert (record.outcome, record.reason_code) == ("failed", "engine-failed")
    assert record.message == "the engine stopped answering"


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), RunCancelledError("the operator stopped the run")])
def test_a_run_that_the_operator_stops_is_recorded_as_cancelled(
    stopped: BaseException, host: TinyHost
) -> None:
    host.engine.container = raising(stopped)
    with pytest.raises(type(stopped)):
        run_on(host, host.scan())
    (record,) = finished(host.registry)
    assert (record.outcome, record.reason_code) == ("failed", "cancelled")
    assert os.listdir(host.home.runs) == []


def test_an_image_the_engine_does_not_hold_is_never_pulled(host: TinyHost) -> None:
    host.engine.images.clear()
    with pytest.raises(ImageMissingError) as refused:
        run_on(host, host.scan())
    assert "assay plugin build" in refused.value.hint
    assert host.engine.ran == []


@pytest.mark.attack("weights swapped")
def test_weights_that_were_tampered_with_are_not_installed(host: TinyHost) -> None:
    replace_weights(host.release)
    with pytest.raises(BlobMismatchError):
        run_on(host, host.scan())
    assert (host.engine.ran, finished(host.registry)) == ([], [])


def test_weights_swapped_after_they_were_installed_never_reach_a_container(host: TinyHost) -> None:
    release, ledger = host.release, host.ledger()
    replace_weights(release)
    with pytest.raises(WeightsError) as refused:
        run_on(host, host.scan(), ledger, release)
    assert refused.value.exit_code == ExitCode.NOT_TRUSTED
    assert host.engine.ran == []
    (record,) = finished(host.registry)
    assert (record.outcome, record.reason_code) == ("failed", "weights-mismatch")


def everything_logged(host: TinyHost) -> bytes:
    """Every record and every blob, as one haystack."""
    blobs = [path.read_bytes() for path in (host.home.path / "blobs").rglob("*") if path.is_file()]
    return b"".join([one.statement.payload for one in host.registry.records()] + blobs)


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("fault", ["none", "missing", "not an image", "bad sidecar"])
def test_no_record_says_what_an_input_was_called(fault: str, host: TinyHost) -> None:
    folder = host.folder / SECRET
    folder.mkdir()
    scan = folder / f"{SECRET}.nii"
    if fault != "missing":
        scan.write_bytes(b"no image" if fault == "not an image" else host.scan().read_bytes())
    if fault == "bad sidecar":
        scan.with_suffix(".json").write_text("{")
    if fault == "missing":
        with pytest.raises(InputFileError, match=SECRET):
            run_on(host, scan)
        (refusal,) = refusals(host.registry)
        assert (refusal.error, refusal.subject_id) == ("input-file", "case-1")
    else:
        assert run_on(host, scan).record.reason_code == ("" if fault == "none" else "unreadable-input")
    assert SECRET.encode() not in everything_logged(host)


def test_a_bad_sidecar_is_named_to_the_operator_by_its_port(host: TinyHost) -> None:
    scan = host.scan()
    scan.with_suffix(".json").write_text("{")
    done = run_on(host, scan)
    assert done.record.message.startswith("scan.json: not valid JSON")
    assert done.execution.hint == "correct the sidecar, or remove it"


def test_runs_of_one_node_form_a_chain_without_gaps(host: TinyHost) -> None:
    ledger = host.ledger()
    for behaviour in ("answer", "refuse"):
        run_on(host, host.scan(behaviour), ledger)
    records = list(host.registry.records({RunStarted.predicate_type, RunFinished.predicate_type}))
    assert [one.statement.predicate["chain"] for one in records] == [1, 2, 3, 4]
    previous = [None, *[one.digest for one in records[:-1]]]
    assert [one.statement.predicate["previous"] for one in records] == previous


@pytest.mark.requirement("R3")
def test_the_start_is_logged_before_the_container_exists(host: TinyHost) -> None:
    started: list[int] = []

    def look(spec: ContainerSpec) -> Ending:
        started.append(len(list(host.registry.records(RunStarted.predicate_type))))
        return tiny_adapter(spec)

    host.engine.container = look
    run_on(host, host.scan())
    assert started == [1]


class HostDied(BaseException):
    """Stands for the end of the process: nothing after it is written."""


@pytest.mark.requirement("R3")
@pytest.mark.attack("kill mid-run")
def test_a_run_without_an_end_is_closed_as_interrupted_and_only_once(host: TinyHost) -> None:
    def die(spec: ContainerSpec) -> Ending:
        # What a killed process leaves: a start in the log, a folder, a container; no line of its own code runs on.
        host.registry.log.append = refuse_to_write  # type: ignore[method-assign]  # the process is gone
        raise HostDied

    def refuse_to_write(envelope: bytes) -> None:
        raise HostDied

    host.engine.container = die
    append = host.registry.log.append
    with pytest.raises(HostDied):
        run_on(host, host.scan())
    host.registry.log.append = append  # type: ignore[method-assign]  # the next process
    host.engine.left_behind = {
        "dead": {**owner_labels(), "assay.owner.start_ticks": "0"},
        "alive": owner_labels(),
    }
    (closed,) = close_interrupted(host.home, host.registry, host.engine, role="log")
    (record,) = finished(host.registry)
    assert (record.run, record.outcome, record.reason_code) == (closed.run, "failed", "interrupted")
    assert list(host.engine.left_behind) == ["alive"]
    assert close_interrupted(host.home, host.registry, host.engine, role="log") == ()


def test_an_unreadable_image_is_a_recorded_failure_without_a_container(host: TinyHost) -> None:
    path = host.folder / "scan.nii"
    path.write_bytes(b"no image")
    record = run_on(host, path).record
    assert (record.outcome, record.reason_code, record.exit_code) == ("failed", "unreadable-input", None)
    assert str(host.folder) not in record.message
    assert host.engine.ran == []


def test_a_request_for_an_undeclared_port_is_refused_and_logged(host: TinyHost) -> None:
    with pytest.raises(PortError, match="declares no input 'ct'"):
        host.ledger().run(
            host.release,
            CaseRequest("case-1", {"scan": host.scan(), "ct": Path("x")}, {}),
            subject="subject-1",
            visit="baseline",
            cancelled=lambda: False,
        )
    (refusal,) = refusals(host.registry)
    assert (refusal.error, refusal.attempted) == ("port-unknown", "run-started")


def test_a_run_record_that_the_rules_refuse_is_logged_as_one_refusal_and_nothing_else(host: TinyHost) -> None:
    swapped = replace(host.release, manifest_digest="sha256:" + "0" * 64)
    ledger, size = host.ledger(), host.registry.log.size
    with pytest.raises(LockMismatchError):
        run_on(host, host.scan(), ledger, swapped)
    assert host.registry.log.size == size + 1
    assert [(one.attempted, one.error) for one in refusals(host.registry)] == [
        ("run-started/v1", LockMismatchError.code)
    ]
    assert host.engine.ran == []
