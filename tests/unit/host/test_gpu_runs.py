"""Runs of a plugin that needs a GPU: preflight, lease, request, what the container saw, and the records of it."""

import json
import platform
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from host.engines.interface import ContainerSpec
from host.errors import GpuLeaseError, GpuUnsuitableError, RunCancelledError
from host.execution import CaseRequest
from host.gpu.grant import granted
from host.gpu.lease import Wanted, holder_of, lease
from host.gpu.lease_files import FOLDER_VARIABLE, Holder, file_of, lease_folder
from host.releases import InstalledRelease
from host.reports.html import render
from registry.statements import RunFinished, RunStarted, ValidationStarted
from tests.support.gpus import A100, L4, a_gpu, a_need
from tests.support.memory_engine import Ending, MemoryEngine, ending, tiny_adapter
from tests.support.nvml_library import Card, NvmlLibrary, installed
from tests.support.tiny_host import TinyHost, finished, refusals, run_on

ELSEWHERE = Holder(pid=1, run="another", engine="memory")


@pytest.fixture(autouse=True)
def leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "leases"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, no_driver: None) -> Iterator[NvmlLibrary]:
    """A machine with one GPU, which its containers see."""
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", A100)
    with installed(NvmlLibrary((Card(A100),))) as library:
        yield library


@pytest.fixture
def bare() -> Iterator[None]:
    """A machine whose driver sees no GPU."""
    with installed(NvmlLibrary()):
        yield


def needing(host: TinyHost, **changes: Any) -> InstalledRelease:
    """The release as if its manifest asked for a GPU."""
    release = host.release
    resources = release.manifest.resources.model_copy(update={"gpu": a_need(**changes)})
    return replace(release, manifest=release.manifest.model_copy(update={"resources": resources}))


@pytest.fixture
def seeing(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the runtime in the container see these devices."""
    return lambda *uuids: monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", ",".join(uuids))


def started(host: TinyHost) -> RunStarted:
    return [one.statement.read(RunStarted) for one in host.registry.records(RunStarted.predicate_type)][-1]


def test_the_leased_device_is_asked_for_by_its_uuid_and_recorded(
    host: TinyHost, machine: NvmlLibrary
) -> None:
    done = run_on(host, host.scan(), release=needing(host))
    assert done.record.outcome == "ok", done.record.message
    (spec,) = host.engine.ran
    assert spec.gpu is not None
    assert (spec.gpu.device_ids, spec.gpu.count) == ((A100,), 1)
    request = started(host)
    assert request.gpu == (A100,)
    (device,) = request.gpu_devices
    assert (device.uuid, device.model, device.driver, device.compute_capability, device.vram_bytes) == (
        A100, "NVIDIA A100-PCIE-40GB", "550.54.15", "8.0", 40 * 1024**3
    )  # fmt: skip
    assert request.gpu_fallback == ""
    (seen,) = done.record.gpu_visible
    assert (seen.source, seen.uuid) == ("environment", A100)


def test_the_adapter_is_told_the_uuids_it_may_use(host: TinyHost, machine: NvmlLibrary) -> None:
    told = []

    def look(spec: ContainerSpec) -> Ending:
        told.append(json.loads((spec.inputs / "request.json").read_text())["gpu"])
        return tiny_adapter(spec)

    host.engine.container = look
    run_on(host, host.scan(), release=needing(host))
    assert told == [[A100]]


def test_the_device_is_held_while_the_container_runs_and_free_after_it(
    host: TinyHost, machine: NvmlLibrary
) -> None:
    held = []

    def look(spec: ContainerSpec) -> Ending:
        held.append(holder_of(a_gpu()))
        return tiny_adapter(spec)

    host.engine.container = look
    run_on(host, host.scan(), release=needing(host))
    assert "engine memory" in held[0]
    assert holder_of(a_gpu()) == ""


@pytest.mark.parametrize("visible", [(A100, L4), (L4,)])
@pytest.mark.parametrize("behaviour", ["answer", "refuse"])
def test_a_case_that_saw_another_device_fails_and_keeps_no_number(
    host: TinyHost,
    machine: NvmlLibrary,
    seeing: Callable[..., None],
    visible: tuple[str, ...],
    behaviour: str,
) -> None:
    seeing(*visible)
    record = run_on(host, host.scan(behaviour), release=needing(host)).record
    assert (record.outcome, record.reason_code) == ("failed", "gpu-not-as-leased")
    assert record.message == f"visible in the container and not leased: {L4}"
    assert (record.outputs, record.measured) == ((), ())
    assert {one.uuid for one in record.gpu_visible} == {*visible}


def test_a_container_that_did_not_look_is_said_to_be_unverified(host: TinyHost, machine: NvmlLibrary) -> None:
    def without_our_runtime(spec: ContainerSpec) -> Ending:
        ended = tiny_adapter(spec)
        path = spec.outputs / "result.json"
        told = json.loads(path.read_text())
        del told["gpu"]
        path.write_text(json.dumps(told))
        return ended

    host.engine.container = without_our_runtime
    record = run_on(host, host.scan(), release=needing(host)).record
    assert record.outcome == "ok"
    assert "is not verified" in record.warnings[0]


def test_a_leased_gpu_that_the_container_does_not_see_is_unusable(
    host: TinyHost, machine: NvmlLibrary, seeing: Callable[..., None]
) -> None:
    seeing("void")
    record = run_on(host, host.scan(), release=needing(host)).record
    assert (record.outcome, record.reason_code, record.exit_code) == ("failed", "gpu-unusable", 30)


def test_a_tool_that_ends_with_the_code_for_an_unusable_gpu_needs_no_words(
    host: TinyHost, machine: NvmlLibrary
) -> None:
    host.engine.container = ending(30)
    record = run_on(host, host.scan(), release=needing(host)).record
    assert (record.outcome, record.reason_code, record.exit_code) == ("failed", "gpu-unusable", 30)


def test_without_a_fitting_gpu_nothing_starts_and_the_refusal_is_logged(host: TinyHost, bare: None) -> None:
    with pytest.raises(GpuUnsuitableError, match="driver 550.54.15 sees no GPU"):
        run_on(host, host.scan(), release=needing(host))
    assert host.engine.ran == []
    assert finished(host.registry) == []
    assert refusals(host.registry)[-1].error == "gpu-unsuitable"


def test_a_declared_fallback_runs_without_a_gpu_and_the_record_says_so(host: TinyHost, bare: None) -> None:
    record = run_on(host, host.scan(), release=needing(host, cpu_fallback="within_tolerance")).record
    assert record.outcome == "ok"
    assert host.engine.ran[0].gpu is None
    assert started(host).gpu == ()
    assert "results declared within tolerance" in started(host).gpu_fallback
    assert "sees no GPU" in started(host).gpu_fallback
    assert record.warnings[0] == started(host).gpu_fallback


def test_an_untested_device_is_told(host: TinyHost, machine: NvmlLibrary) -> None:
    record = run_on(host, host.scan(), release=needing(host, compute_capability_tested=("8.6",))).record
    assert "compute capability 8.0 is not among the tested 8.6" in record.warnings[0]


def test_a_plugin_without_a_gpu_takes_no_inventory(host: TinyHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.gpu.grant.take_inventory", lambda: pytest.fail("looked"))
    assert run_on(host, host.scan()).record.outcome == "ok"
    assert (started(host).gpu, started(host).gpu_devices, started(host).gpu_fallback) == ((), (), "")


def test_a_case_that_starts_no_container_waits_for_no_gpu(host: TinyHost, machine: NvmlLibrary) -> None:
    broken = host.folder / "broken.nii"
    broken.write_bytes(b"no image")
    with lease(Wanted(candidates=(a_gpu(),), count=1), ELSEWHERE):
        record = run_on(host, broken, release=needing(host)).record
    assert (record.outcome, record.reason_code) == ("failed", "unreadable-input")


def test_two_runs_of_one_device_follow_each_other(host: TinyHost, machine: NvmlLibrary) -> None:
    """Through the grant that every run takes, in two threads as two workers would."""
    said: list[str] = []
    inside: list[str] = []
    release = threading.Event()

    def first() -> None:
        with granted(a_need(), host.engine, run_id="first", say=said.append, cancelled=lambda: False):
            inside.append("first")
            release.wait(30)
            inside.append("first ends")

    worker = threading.Thread(target=first)
    worker.start()
    while not inside:
        worker.join(0.01)

    def say(line: str) -> None:
        said.append(line)
        release.set()

    with granted(a_need(), host.engine, run_id="second", say=say, cancelled=lambda: False) as grant:
        inside.append("second")
    worker.join(30)
    assert inside == ["first", "first ends", "second"]
    assert grant.uuids == (A100,)
    assert len(said) == 1
    assert "run first" in said[0]


def test_waiting_for_a_gpu_can_be_cancelled_and_leaves_no_record(
    host: TinyHost, machine: NvmlLibrary
) -> None:
    host.home.ensure()
    with lease(Wanted(candidates=(a_gpu(),), count=1), ELSEWHERE), pytest.raises(RunCancelledError):
        host.ledger().run(
            needing(host),
            CaseRequest("case-1", {"scan": host.scan()}, {}),
            subject="subject-1",
            visit="baseline",
            cancelled=lambda: True,
        )
    assert finished(host.registry) == []
    assert list(host.home.runs.iterdir()) == []


def test_containers_of_a_dead_host_are_removed_before_its_device_is_used(machine: NvmlLibrary) -> None:
    engine = MemoryEngine(left_behind={"dead": {"assay.owner.boot": "another"}})
    engine.left_behind["dead"] = {**engine.left_behind["dead"], "assay.owner.node": platform.node()}
    with granted(a_need(), engine, run_id="one", say=lambda line: None, cancelled=lambda: False):
        assert engine.left_behind == {}


def test_a_dead_holder_on_an_engine_that_does_not_answer_is_told_once(machine: NvmlLibrary) -> None:
    engine = MemoryEngine()
    with lease(Wanted(candidates=(a_gpu(),), count=1), Holder(pid=99, run="gone", engine="no-such")) as held:
        path = file_of(lease_folder(), A100, "whole")
        note = path.read_bytes()
    assert held.devices
    path.write_bytes(note)  # as a killed process leaves it
    with (
        pytest.raises(
            GpuLeaseError, match=r"process 99 \(run gone, engine no-such\) ended without letting go"
        ),
        granted(a_need(), engine, run_id="one", say=lambda line: None, cancelled=lambda: False),
    ):
        raise AssertionError("a device that may be in use")
    with granted(a_need(), engine, run_id="two", say=lambda line: None, cancelled=lambda: False) as grant:
        assert grant.uuids == (A100,)


def test_a_report_names_the_kinds_of_gpu_its_cases_ran_on(host: TinyHost, machine: NvmlLibrary) -> None:
    report = host.validate(release=needing(host)).report
    assert report.environment.gpus == ("NVIDIA A100-PCIE-40GB, compute capability 8.0, driver 550.54.15",)
    assert b"NVIDIA A100-PCIE-40GB" in render(report, ())
    assert host.validate().report.environment.gpus == ()


def test_a_report_tells_why_cases_ran_without_a_gpu(host: TinyHost, bare: None) -> None:
    report = host.validate(release=needing(host, cpu_fallback="same_results")).report
    (line,) = report.environment.gpus
    assert line.startswith("no GPU used, results declared same results")


def test_records_from_before_gpus_were_recorded_are_still_read(host: TinyHost) -> None:
    run_on(host, host.scan())
    document = started(host).model_dump(mode="json")
    for field in ("gpu_devices", "gpu_fallback"):
        del document[field]
    assert RunStarted.model_validate_json(json.dumps(document)) == started(host)
    document = finished(host.registry)[0].model_dump(mode="json")
    del document["gpu_visible"]
    assert RunFinished.model_validate_json(json.dumps(document)) == finished(host.registry)[0]


def test_a_validation_is_refused_before_its_attempt_is_logged(host: TinyHost, bare: None) -> None:
    with pytest.raises(GpuUnsuitableError):
        host.validate(release=needing(host))
    assert list(host.registry.records(ValidationStarted.predicate_type)) == []
