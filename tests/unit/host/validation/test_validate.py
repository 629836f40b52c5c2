"""A validation from protocol to report: nothing before the plan is logged, and every case counted."""

import json
from pathlib import Path

import pytest

from host.engines.interface import ContainerSpec
from host.errors import EngineDiedError, KitDigestError, KitFitError, KitLeakError, ReportMismatchError
from host.kits.data import data_folder
from host.kits.kit import read_kit
from host.reports.recheck import recheck
from host.reports.sections import ReaderSection
from host.validation.attempt import Executor
from host.validation.preregistration import find_protocol
from registry.errors import BlobMismatchError, NotPreregisteredError, RoleError
from registry.statements import RunFinished, RunStarted, ValidationReport, ValidationStarted
from registry.trace import trace
from tests.support.forged_reports import forged, with_case
from tests.support.memory_engine import Ending, ending, raising, tiny_adapter
from tests.support.tiny import kit_folder
from tests.support.tiny_host import TinyHost, finished, refusals, tiny_host


def on_case(host: TinyHost, case: str, ended: Ending) -> None:
    """Let the container of one case end so, and every other run the plugin."""

    def container(spec: ContainerSpec) -> Ending:
        request = json.loads((spec.inputs / "request.json").read_text())
        return ended if request["case_id"] == case else tiny_adapter(spec)

    host.engine.container = container


def started(host: TinyHost) -> list[ValidationStarted]:
    return [
        one.statement.read(ValidationStarted)
        for one in host.registry.records(ValidationStarted.predicate_type)
    ]


def test_a_plugin_that_does_what_the_protocol_asks_is_met(host: TinyHost) -> None:
    done = host.validate()
    assert done.report.verdict.verdict == "met"
    assert [(one.criterion, one.scope, one.worst_value) for one in done.report.verdict.criteria] == [
        ("every_case_ends_as_expected", "overall", 1.0),
        ("overlap", "size=2", 1.0),
        ("overlap", "size=3", 1.0),
    ]
    assert done.report.flow.cases == 3


def test_the_report_is_logged_under_the_digests_of_its_bytes(host: TinyHost) -> None:
    done = host.validate()
    logged = done.record.statement.read(ValidationReport)
    for file in (logged.report_json, logged.report_html):
        assert host.registry.blobs.verify(file.digest) == file.bytes
    assert done.report.renderings == (logged.report_html,)


@pytest.mark.parametrize(
    ("ended", "reason"),
    [
        (Ending(137, timed_out=True), "timeout"),
        (Ending(137, oom_killed=True), "out-of-memory"),
        (Ending(139), "crashed"),
    ],
)
def test_a_failed_case_stays_in_the_denominator_and_is_imputed(
    ended: Ending, reason: str, host: TinyHost
) -> None:
    on_case(host, "cube-2", ended)
    report = host.validate().report
    row = next(one.row for one in report.cases if one.row.case == "cube-2")
    assert (row.outcome, row.reason_code, row.imputed) == ("failed", reason, ("dice_bright",))
    assert row.values == {"dice_bright": 0.0, "ended_as_expected": 0.0}
    assert report.verdict.verdict == "not met"
    assert [(one.scope, one.verdict, one.cases) for one in report.verdict.criteria] == [
        ("overall", "not met", 3),
        ("size=2", "not met", 1),
        ("size=3", "met", 1),
    ]


def test_a_case_that_had_to_be_refused_and_was_answered_is_a_failure_and_no_crash(host: TinyHost) -> None:
    def never_refuse(spec: ContainerSpec) -> Ending:
        scan = spec.inputs / "scan.nii"
        data = bytearray(scan.read_bytes())
        data[352] = 0  # behave on the scan that says refuse as on any other
        scan.chmod(0o600)
        scan.write_bytes(data)
        return tiny_adapter(spec)

    host.engine.container = never_refuse
    report = host.validate().report
    row = next(one.row for one in report.cases if one.row.expected == "refused")
    assert (row.outcome, row.values) == ("ok", {"dice_bright": None, "ended_as_expected": 0.0})
    assert report.verdict.verdict == "not met"


def test_a_kit_where_every_case_fails_still_gets_its_report(host: TinyHost) -> None:
    host.engine.container = ending(139)
    report = host.validate().report
    assert (report.verdict.verdict, report.flow.failed) == ("not met", 3)


def test_the_attempt_is_logged_before_the_first_run_and_counted(host: TinyHost) -> None:
    host.validate()
    host.validate()
    assert [(one.attempt, one.subset, one.cases) for one in started(host)] == [
        (1, "whole kit", 3),
        (2, "whole kit", 3),
    ]
    first_attempt = next(host.registry.records(ValidationStarted.predicate_type))
    first_run = next(host.registry.records(RunStarted.predicate_type))
    assert first_attempt.sequence < first_run.sequence


def test_an_engine_that_dies_leaves_an_attempt_without_a_report_which_the_next_report_tells(
    host: TinyHost,
) -> None:
    host.engine.container = raising(EngineDiedError("gone"))
    with pytest.raises(EngineDiedError):
        host.validate()
    assert [one.reason_code for one in finished(host.registry)] == ["engine-failed"]
    host.engine.container = tiny_adapter
    report = host.validate().report
    assert [(one.attempt, one.finished, one.verdict) for one in report.attempts] == [
        (1, False, "no report"),
        (2, True, "met"),
    ]


def test_the_smoke_subset_says_that_it_supports_no_claim(host: TinyHost) -> None:
    report = host.validate(smoke=True).report
    assert (report.subset, report.flow.cases) == ("smoke", 2)
    assert report.limitations[0].startswith("Only the kit's smoke subset ran")
    assert report.verdict.verdict == "insufficient evidence"


def test_a_smoke_subset_without_a_case_is_refused_before_anything_is_logged(host: TinyHost) -> None:
    table = host.kit.path / "cases.csv"
    table.write_text(table.read_text().replace(",yes,", ",no,"))
    host.kit = read_kit(host.kit.path)
    with pytest.raises(KitFitError, match="no case is marked smoke"):
        host.validate(smoke=True)
    assert started(host) == []


def test_the_executors_own_cosignature_is_not_enough(host: TinyHost) -> None:
    with pytest.raises(NotPreregisteredError):
        find_protocol(host.registry, host.kit, executor="quentin")
    record, _ = find_protocol(host.registry, host.kit, executor="ada")
    assert record.statement.predicate["kit"] == "tiny-cubes"


@pytest.mark.parametrize("file", ["protocol.toml", "cases.csv", "kit.toml", "make_kit.py"])
def test_a_kit_edited_after_its_registration_does_not_run(file: str, host: TinyHost) -> None:
    path = host.kit.path / file
    text = path.read_text()
    path.write_text(
        text.replace("Test", "Tent") if "Test" in text else text.replace("cube,", "cubes,") + "\n"
    )
    host.kit = read_kit(host.kit.path)
    with pytest.raises(KitDigestError, match="is not the tiny-cubes 1.0.0 that was registered"):
        host.validate()
    assert (started(host), host.engine.ran) == ([], [])


def test_a_kit_that_nobody_registered_does_not_run(host: TinyHost) -> None:
    for name in ("protocol.toml", "kit.toml"):
        path = host.kit.path / name
        path.write_text(path.read_text().replace('version = "1.0.0"', 'version = "1.1.0"'))
    host.kit = read_kit(host.kit.path)
    with pytest.raises(NotPreregisteredError) as refused:
        host.validate()
    assert "assay kit register" in refused.value.hint


@pytest.mark.parametrize("harm", ["changed", "missing", "link"])
def test_a_case_file_that_is_not_the_declared_one_stops_the_validation(harm: str, host: TinyHost) -> None:
    path = data_folder(host.home, host.kit) / "cases" / "cube-3.nii"
    data = path.read_bytes()
    path.unlink()
    if harm == "changed":
        path.write_bytes(data[:-1] + b"\x07")
    if harm == "link":
        (host.folder / "elsewhere.nii").write_bytes(data)
        path.symlink_to(host.folder / "elsewhere.nii")
    with pytest.raises(KitDigestError, match="cube-3.nii"):
        host.validate()
    assert host.engine.ran == []


def learnt_from(tmp_path: Path, training: str) -> TinyHost:
    """A host whose plugin declares so of its training data."""
    return tiny_host(tmp_path, declared=lambda text: text + training)


def test_a_plugin_that_learnt_from_a_case_of_the_kit_does_not_run_on_it(tmp_path: Path) -> None:
    drawn = read_kit(kit_folder(tmp_path / "drawn")).cases[0].inputs["scan"][0].sha256
    training = f"""
[[attribution.training_datasets]]
name = "Cubes of our own"
source = "https://example.org"
digests = ["{drawn}"]
"""
    host = learnt_from(tmp_path, training)
    with pytest.raises(KitLeakError, match=r"cube-2: cases/cube-2\.nii"):
        host.validate()
    assert host.engine.ran == []
    assert started(host) == []
    assert refusals(host.registry)[-1].error == "kit-leak"


def test_the_report_says_what_was_compared_with_the_declared_training_data(tmp_path: Path) -> None:
    training = """
[[attribution.training_datasets]]
name = "Spheres"
source = "https://example.org"
"""
    host = learnt_from(tmp_path, training)
    done = host.validate()
    assert done.report.leak is not None
    assert (done.report.leak.declared, done.report.leak.training_data) == (True, ("Spheres",))
    assert "nothing that the plugin declares to have learnt from is in the kit" in recheck(
        host.registry, done.record
    )


def test_a_report_cannot_say_of_its_training_data_what_the_plugin_does_not(host: TinyHost) -> None:
    done = host.validate()
    assert done.report.leak is not None
    for other in ({"declared": False}, {"training_data": ("Spheres",)}):
        forgery = forged(host, done, leak=done.report.leak.model_copy(update=other))
        with pytest.raises(ReportMismatchError, match="leak check"):
            recheck(host.registry, forgery)


def test_a_report_cannot_tell_of_readers_that_the_kit_does_not_have(host: TinyHost) -> None:
    done = host.validate()
    assert done.report.readers is None
    forgery = forged(host, done, readers=ReaderSection(adjudication="Three neuroradiologists agreed."))
    with pytest.raises(ReportMismatchError, match="section on readers"):
        recheck(host.registry, forgery)


def test_a_report_that_leaves_its_leak_check_out_is_refused(host: TinyHost) -> None:
    done = host.validate()
    with pytest.raises(ReportMismatchError, match="does not say whether the plugin learnt"):
        recheck(host.registry, forged(host, done, leak=None))


def test_somebody_without_a_role_for_it_does_not_validate(host: TinyHost) -> None:
    from host.validation.session import Progress
    from host.validation.validate import Asked, validate

    with pytest.raises(RoleError):
        validate(
            host.home,
            host.registry,
            host.engine,
            release=host.release,
            folder=host.kit,
            executor=Executor("sofia", "sponsor", host.keys["sofia"]),
            asked=Asked(pdf=False),
            progress=Progress(
                say=lambda line: None,
                case_done=lambda case, run, number, total: None,
                told=lambda line, number, total: None,
                cancelled=lambda: False,
            ),
        )
    assert host.engine.ran == []


def test_a_logged_report_checks_out_from_what_was_registered_and_recorded(host: TinyHost) -> None:
    done = host.validate()
    lines = recheck(host.registry, done.record)
    assert any("verdict (met) follows" in line for line in lines)


def test_a_lowered_bound_is_found_out(host: TinyHost) -> None:
    done = host.validate()
    criteria = [one.model_copy(update={"bound": 0.5}) for one in done.report.protocol.criteria]
    protocol = done.report.protocol.model_copy(update={"criteria": tuple(criteria)})
    with pytest.raises(ReportMismatchError, match="the protocol in the report"):
        recheck(host.registry, forged(host, done, protocol=protocol))


def test_a_case_that_was_left_out_is_found_out(host: TinyHost) -> None:
    done = host.validate()
    with pytest.raises(ReportMismatchError, match="the cases in the report"):
        recheck(host.registry, forged(host, done, cases=done.report.cases[:-1]))


def test_a_number_that_was_not_measured_is_found_out(host: TinyHost) -> None:
    done = host.validate()
    (measured,) = next(one.measured for one in done.report.cases if one.row.case == "cube-3")
    better = (measured.model_copy(update={"value": 26.0}),)
    cases = with_case(done, "cube-3", {}, measured=better)
    with pytest.raises(ReportMismatchError, match="the run in the report"):
        recheck(host.registry, forged(host, done, cases=cases))


def test_a_failed_case_that_the_report_calls_ok_is_found_out(host: TinyHost) -> None:
    on_case(host, "cube-2", Ending(137, timed_out=True))
    done = host.validate()
    cases = with_case(done, "cube-2", {"outcome": "ok", "reason_code": ""})
    with pytest.raises(ReportMismatchError, match="the run in the report"):
        recheck(host.registry, forged(host, done, cases=cases))


@pytest.mark.parametrize(
    "row",
    [
        {"values": {"dice_bright": 1.0, "ended_as_expected": 0.0}},
        {"values": {"dice_bright": 0.0, "ended_as_expected": 1.0}},
        {"values": {"dice_bright": None, "ended_as_expected": 0.0}},
        {"imputed": ()},
    ],
)
def test_a_failed_case_that_counts_as_more_than_the_protocol_says_is_found_out(
    row: dict[str, object], host: TinyHost
) -> None:
    on_case(host, "cube-2", Ending(137, timed_out=True))
    done = host.validate()
    recheck(host.registry, done.record)
    with pytest.raises(ReportMismatchError, match="the row of cube-2 in the report"):
        recheck(host.registry, forged(host, done, cases=with_case(done, "cube-2", row)))


def test_a_report_that_was_not_forged_passes_the_same_way(host: TinyHost) -> None:
    done = host.validate(smoke=True)
    assert recheck(host.registry, forged(host, done))


def test_a_stored_rendering_that_was_edited_is_found_out(host: TinyHost) -> None:
    done = host.validate()
    logged = done.record.statement.read(ValidationReport)
    page: Path = host.registry.blobs.path(logged.report_html.digest)
    page.chmod(0o600)
    page.write_bytes(page.read_bytes() + b" ")
    with pytest.raises(BlobMismatchError):
        recheck(host.registry, done.record)


def test_cases_side_by_side_give_the_same_report_in_the_kits_order(host: TinyHost) -> None:
    one, two = host.validate(), host.validate(jobs=3)
    assert [section.row for section in two.report.cases] == [section.row for section in one.report.cases]
    assert [section.measured for section in two.report.cases] == [s.measured for s in one.report.cases]
    chains = [
        record.statement.read(RunStarted if "started" in record.statement.predicate_type else RunFinished)
        for record in host.registry.records([RunStarted.predicate_type, RunFinished.predicate_type])
    ]
    assert [act.chain for act in chains] == list(range(1, 13))
    answered = next(one for one in two.report.cases if one.measured)
    assert trace(host.registry, answered.run, port="volumes", column="bright_ml").finished.run == answered.run
    assert recheck(host.registry, two.record)


def test_an_engine_that_dies_under_several_cases_records_them_all(host: TinyHost) -> None:
    host.engine.container = raising(EngineDiedError("gone"))
    with pytest.raises(EngineDiedError):
        host.validate(jobs=3)
    begun = {one.statement.read(RunStarted).run for one in host.registry.records(RunStarted.predicate_type)}
    assert {one.run for one in finished(host.registry)} == begun
    assert {one.reason_code for one in finished(host.registry)} <= {"engine-failed", "cancelled"}
    assert list(host.home.runs.iterdir()) == []
