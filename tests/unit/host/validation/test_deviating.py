"""A deviation from a registered protocol: recorded before it is validated by, and told in every later report."""

import pytest

from host.errors import KitDigestError, KitError
from host.kits.kit import read_kit
from host.reports.recheck import recheck
from host.validation.deviating import Approver, deviate
from registry.errors import IndependenceError, NotPreregisteredError, WrongStateError
from registry.plans import plans_of, read_plan
from registry.witness import cosign_own
from tests.support.tiny_host import TinyHost

OVERLAP = 'metric = "dice_bright"\nstatistic = "every_case"\ncomparator = ">="\nbound = 1.0'
LOWER = OVERLAP.replace("1.0", "0.5")


def test_an_edited_protocol_does_not_run_before_the_edit_is_recorded(host: TinyHost) -> None:
    host.edit_protocol(OVERLAP, LOWER)
    with pytest.raises(KitDigestError) as refused:
        host.validate()
    assert "assay kit deviate" in refused.value.hint
    assert host.engine.ran == []


def test_a_deviation_before_any_run_is_told_as_such(host: TinyHost) -> None:
    done = host.deviate(OVERLAP, LOWER)
    assert [one.field for one in done.deviation.changes] == ["criteria.overlap.bound"]
    report = host.validate().report
    (told,) = report.deviations
    assert (told.number, told.by, told.after_executions) == (1, "quentin", 0)
    assert (told.reason, told.criteria) == ("the readers asked", ("overlap",))
    assert [(one.field, one.before, one.after) for one in told.changes] == [
        ("criteria.overlap.bound", "1", "0.5")
    ]
    assert next(one for one in report.protocol.criteria if one.id == "overlap").bound == 0.5


def test_a_deviation_after_a_run_says_how_many_executions_went_before(host: TinyHost) -> None:
    host.validate(smoke=True)
    host.deviate(OVERLAP, LOWER)
    host.validate()
    host.deviate(LOWER, OVERLAP)
    done = host.validate()
    assert [(one.number, one.after_executions) for one in done.report.deviations] == [(1, 1), (2, 2)]
    assert [(one.attempt, one.deviation, one.runs) for one in done.report.attempts] == [
        (1, 0, 2),
        (1, 1, 3),
        (1, 2, 3),
    ]
    lines = recheck(host.registry, done.record)
    assert "deviations from the registered protocol: 2" in lines


def test_the_registered_protocol_is_no_longer_validated_by_once_it_was_deviated_from(host: TinyHost) -> None:
    host.deviate(OVERLAP, LOWER)
    host.edit_protocol(LOWER, OVERLAP)
    with pytest.raises(WrongStateError, match="deviation 1 of tiny-cubes 1.0.0 is in force"):
        host.validate()
    assert host.engine.ran == []


def test_an_edit_that_changes_no_field_is_no_deviation(host: TinyHost) -> None:
    with pytest.raises(KitError, match="says the same"):
        host.deviate("[[metrics]]", "# in words of our own\n[[metrics]]")


def test_a_deviation_changes_no_other_file_of_the_kit(host: TinyHost) -> None:
    table = host.kit.path / "cases.csv"
    table.write_text(table.read_text().replace(",no,", ",yes,"))
    with pytest.raises(KitDigestError, match=r"cases\.csv was changed too"):
        host.deviate(OVERLAP, LOWER)


def test_a_kit_that_was_not_registered_is_not_deviated_from(host: TinyHost) -> None:
    for name in ("protocol.toml", "kit.toml"):
        path = host.kit.path / name
        path.write_text(path.read_text().replace('version = "1.0.0"', 'version = "1.1.0"'))
    host.kit = read_kit(host.kit.path)
    with pytest.raises(NotPreregisteredError):
        host.deviate(OVERLAP, LOWER)


def test_who_ran_the_kit_does_not_approve_a_deviation(host: TinyHost) -> None:
    host.validate()
    with pytest.raises(IndependenceError, match="ran a validation against tiny-cubes"):
        host.deviate(OVERLAP, LOWER, by="ada")
    assert len(plans_of(host.registry, "tiny-cubes", "1.0.0")) == 1


def test_who_approved_a_deviation_does_not_run_the_kit(host: TinyHost) -> None:
    host.deviate(OVERLAP, LOWER, by="ada")
    with pytest.raises(NotPreregisteredError):  # nobody but Ada cosigned
        host.validate()
    host.edit_protocol(LOWER, OVERLAP)
    stamp = host.stamp("quentin")["at"]
    deviate(host.registry, host.kit, Approver("quentin", "qa", host.keys["quentin"], stamp, "back again"))
    cosign_own(host.registry, "quentin", host.keys["quentin"])
    with pytest.raises(IndependenceError, match="ada approved deviation 1"):
        host.validate()
    assert host.engine.ran == []


def test_the_records_of_a_deviation_read_back_as_they_were_signed(host: TinyHost) -> None:
    done = host.deviate(OVERLAP, LOWER)
    plans = plans_of(host.registry, "tiny-cubes", "1.0.0")
    assert read_plan(plans[-1].statement) == done.deviation
    assert done.deviation.previous == plans[0].digest
