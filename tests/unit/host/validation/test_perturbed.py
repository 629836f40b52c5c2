"""Perturbed copies in a validation: cases of their own, judged by the criteria about them and by no others."""

from pathlib import Path

import pytest

from host.cases.nifti import read_header, read_label_map
from host.engines.interface import ContainerSpec
from host.errors import KitError, KitFitError, ReportMismatchError
from host.reports.recheck import recheck
from plugin_spec.errors import AssayError
from registry.statements import Protocol, RunStarted, ValidationStarted
from tests.support.forged_reports import forged, with_case
from tests.support.memory_engine import Ending, tiny_adapter
from tests.support.robust_plan import ROBUST, bearing, case_of, criterion, perturbation, planned
from tests.support.tiny_host import TinyHost, tiny_host

COPIES = ["cube-2--noise_2", "cube-3--noise_2", "cube-3--turned", "cube-2--fine", "cube-3--fine"]


@pytest.fixture
def robust(tmp_path: Path) -> TinyHost:
    host = tiny_host(tmp_path, planned=planned(*ROBUST))
    host.engine.container = bearing()
    return host


def begun(host: TinyHost) -> list[RunStarted]:
    return [one.statement.read(RunStarted) for one in host.registry.records(RunStarted.predicate_type)]


def test_each_copy_is_a_case_of_its_subject_with_a_run_of_its_own(robust: TinyHost) -> None:
    done = robust.validate()
    rows = {one.row.case: one.row for one in done.report.cases}
    assert list(rows) == ["cube-2", "cube-3", "told-to-refuse", *COPIES]
    assert {rows[case].subject for case in COPIES} == {"cube"}
    assert rows["cube-3--turned"].strata == {"size": "3", "perturbation": "turned"}
    assert [one.case for one in begun(robust)] == list(rows)
    registered = next(robust.registry.records(Protocol.predicate_type)).statement.read(Protocol)
    assert registered.cases == len(rows) == done.report.flow.cases
    assert recheck(robust.registry, done.record)


def test_the_plugin_gets_the_changed_image_and_its_digest_is_recorded(robust: TinyHost) -> None:
    seen: dict[str, bytes] = {}

    def look(spec: ContainerSpec) -> Ending:
        seen[case_of(spec)] = (spec.inputs / "scan.nii").read_bytes()
        return tiny_adapter(spec)

    robust.engine.container = bearing(look)
    robust.validate()
    assert len(set(seen.values())) == len(seen)
    assert read_header_shape(seen["cube-3--fine"]) == (12, 10, 8)
    digests = {one.case: [ref.digest for ref in one.inputs] for one in begun(robust)}
    assert len({tuple(one) for one in digests.values()}) == len(digests)


def read_header_shape(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[42 + 2 * axis : 44 + 2 * axis], "little") for axis in range(3))


def test_copies_are_judged_against_the_moved_reference_and_the_unperturbed_answer(robust: TinyHost) -> None:
    done = robust.validate()
    values = {one.row.case: one.row.values for one in done.report.cases}
    for case in COPIES:
        assert values[case] == {
            "dice_bright": 1.0,
            "ended_as_expected": 1.0,
            "shift": pytest.approx(0, abs=1.6),  # interpolation takes a corner voxel of 64 off a cube
            "overlap_shift": 1.0,
        }, case
    assert values["cube-3"]["shift"] is None and values["cube-3"]["overlap_shift"] is None
    assert done.report.verdict.verdict == "met"


def test_only_criteria_about_perturbations_count_the_copies(robust: TinyHost) -> None:
    done = robust.validate()
    counted = {(one.criterion, one.scope): one.cases for one in done.report.verdict.criteria}
    assert counted["every_case_ends_as_expected", "overall"] == 3
    assert counted["overlap", "size=3"] == 1
    assert counted["dice_bright_perturbation", "perturbation=noise_2"] == 2
    assert counted["dice_bright_perturbation", "perturbation=turned"] == 1
    assert counted["shift_overall", "overall"] == 5


def test_an_answer_that_changes_with_the_image_is_not_met_by_the_criterion_on_it_alone(
    robust: TinyHost,
) -> None:
    def forgetful(spec: ContainerSpec) -> Ending:
        """A quarter turn too far: the cube of a turned image is missed altogether."""
        ended = tiny_adapter(spec)
        if case_of(spec) == "cube-3--turned":
            path = spec.outputs / "mask.nii"
            data = bytearray(path.read_bytes())
            voxels = data[352:]
            voxels.reverse()
            path.write_bytes(bytes(data[:352]) + bytes(voxels))
        return ended

    robust.engine.container = bearing(forgetful)
    verdicts = {(one.criterion, one.scope): one.verdict for one in robust.validate().report.verdict.criteria}
    missed = {key for key, word in verdicts.items() if word == "not met"}
    assert missed == {
        ("dice_bright_perturbation", "perturbation=turned"),
        ("overlap_shift_perturbation", "perturbation=turned"),
    }


def test_a_copy_that_fails_stays_in_the_denominator_of_its_criteria(robust: TinyHost) -> None:
    def container(spec: ContainerSpec) -> Ending:
        return Ending(139) if case_of(spec) == "cube-2--fine" else tiny_adapter(spec)

    robust.engine.container = bearing(container)
    done = robust.validate()
    row = next(one.row for one in done.report.cases if one.row.case == "cube-2--fine")
    assert (row.values["overlap_shift"], row.imputed) == (0.0, ("dice_bright", "overlap_shift"))
    assert row.never_met == ("shift",)
    assert done.report.verdict.verdict == "not met"
    assert recheck(robust.registry, done.record)


def test_a_copy_has_nothing_to_be_held_against_where_its_original_failed(robust: TinyHost) -> None:
    def container(spec: ContainerSpec) -> Ending:
        return Ending(139) if case_of(spec) == "cube-2" else tiny_adapter(spec)

    robust.engine.container = bearing(container)
    done = robust.validate()
    row = next(one.row for one in done.report.cases if one.row.case == "cube-2--noise_2")
    assert (row.values["shift"], row.values["dice_bright"], row.imputed) == (None, 1.0, ())
    words = {one.criterion: one.verdict for one in done.report.verdict.criteria}
    assert words["shift_overall"] == "insufficient evidence"
    assert recheck(robust.registry, done.record)


def test_copies_are_made_once_and_made_again_where_somebody_changed_them(robust: TinyHost) -> None:
    said: list[str] = []
    robust.validate(told=said.append)
    made = [line for line in said if line.startswith("make ")]
    assert len(made) == 5 and "make cube-3--turned: rotation 180 deg about z" in made
    folders = sorted(robust.home.perturbed.iterdir())
    before = {path: path.read_bytes() for folder in folders for path in folder.iterdir()}
    said.clear()
    robust.validate(told=said.append)
    assert [line for line in said if line.startswith("make ")] == []
    changed = next(path for path in before if path.name == "in-scan-1.nii")
    changed.chmod(0o600)
    changed.write_bytes(before[changed][:-1] + b"\x07")
    said.clear()
    done = robust.validate(told=said.append)
    assert any("were changed since they were made" in line for line in said)
    assert {path: path.read_bytes() for path in before} == before
    assert recheck(robust.registry, done.record)


def test_references_move_with_their_images(robust: TinyHost) -> None:
    robust.validate()
    references = {path.parent: path for path in robust.home.perturbed.glob("*/ref-mask.nii")}
    assert len(references) == 3  # noise moves nothing
    for folder, reference in references.items():
        assert read_header(folder / "in-scan-1.nii").grid == read_header(reference).grid
        counts = read_label_map(reference).voxel_counts
        assert counts[1] in {27, 8 * 8 - 1, 8 * 27 - 1}  # less than half of the corner voxel is cube


def test_side_by_side_and_one_by_one_give_the_same_rows(robust: TinyHost) -> None:
    one, three = robust.validate(), robust.validate(jobs=3)
    assert [section.row for section in one.report.cases] == [section.row for section in three.report.cases]


def test_the_smoke_subset_has_the_copies_of_its_cases(robust: TinyHost) -> None:
    done = robust.validate(smoke=True)
    cases = [one.row.case for one in done.report.cases]
    assert cases == ["cube-2", "told-to-refuse", "cube-2--noise_2", "cube-2--fine"]
    assert recheck(robust.registry, done.record)


def test_a_report_cannot_give_a_copy_another_value_than_its_numbers_say(robust: TinyHost) -> None:
    def larger(spec: ContainerSpec) -> Ending:
        ended = tiny_adapter(spec)
        if case_of(spec) == "cube-2--noise_2":
            path = spec.outputs / "volumes.json"
            path.write_text(path.read_text().replace("8.0", "9.0"))
        return ended

    robust.engine.container = bearing(larger)
    done = robust.validate()
    row = next(one.row for one in done.report.cases if one.row.case == "cube-2--noise_2")
    assert row.values["shift"] == pytest.approx(12.5)
    lie = with_case(done, "cube-2--noise_2", {"values": {**row.values, "shift": 0.5}})
    with pytest.raises(ReportMismatchError, match="cube-2--noise_2"):
        recheck(robust.registry, forged(robust, done, cases=lie))


def test_a_report_cannot_leave_copies_out(robust: TinyHost) -> None:
    done = robust.validate()
    with pytest.raises(ReportMismatchError):
        recheck(robust.registry, forged(robust, done, cases=done.report.cases[:-2]))


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ((perturbation("turned").replace('axis = "z"', 'axis = "y"'),), None),
        ((perturbation("noise_2").replace('"scan"', '"flair"'),), "there is no in.flair"),
        (
            (perturbation("noise_2").replace('unit = "%"\nreference_intensity = 200.0', 'unit = "ms"'),),
            "noise is in ms",
        ),
    ],
)
def test_a_perturbation_that_cannot_be_made_stops_before_an_attempt_is_logged(
    parts: tuple[str, ...], told: str | None, tmp_path: Path
) -> None:
    try:
        host = tiny_host(tmp_path, planned=planned(*parts))
    except KitError as error:
        assert told is not None and told in error.message
        return
    host.engine.container = bearing()
    if told is None:
        assert host.validate().report.flow.cases == 5
        return
    with pytest.raises(KitFitError, match=told):
        host.validate()
    assert list(host.registry.records(ValidationStarted.predicate_type)) == []


def test_a_rotation_that_takes_the_reference_out_of_the_image_is_the_kits_fault_and_no_attempt(
    tmp_path: Path,
) -> None:
    turned = perturbation("turned").replace("180.0", "45.0")
    host = tiny_host(tmp_path, planned=planned(turned, criterion("dice_bright", scope="each:perturbation")))
    with pytest.raises(AssayError, match="labelled voxels of mask leave the image"):
        host.validate()
    assert list(host.registry.records(ValidationStarted.predicate_type)) == []
    assert host.engine.ran == []
    assert list(host.home.perturbed.iterdir()) == list(host.home.runs.iterdir()) == []
