import pytest

from registry.errors import BrokenTraceError, UnknownRecordError
from registry.statements import RunStarted
from registry.trace import trace
from tests.support.registry_builders import World, digest_of


@pytest.mark.requirement("R32")
def test_a_number_leads_to_its_inputs_image_lock_validation_and_signatures(imported: World) -> None:
    finished = imported.run()
    imported.take_in(imported.returned())
    for registry in (imported.site, imported.sponsor):
        found = trace(registry, "b" * 16, port="volumes", column="brain_ml")
        assert (found.value.value, found.value.unit) == (1450.25, "mL")
        assert found.started.inputs[0].digest == digest_of("t1")
        assert found.release.plugin == "brain-volumes"
        assert found.lock is not None
        assert found.lock.digest == imported.logged["lock"].digest
        assert [one.printed_name for one in found.lock.signatures] == ["Simone Sponsor", "Quinn Quality"]
        assert found.validation is not None
        assert found.validation.protocol.kit == "brain-kit"
        assert [one.meaning for one in found.validation.signatures] == ["approval"]
        assert finished.digest in {record.digest for record in found.records}
        assert registry.log.open_own(found.checkpoint).size == registry.log.size


@pytest.mark.parametrize(
    ("run", "port", "column", "row"),
    [
        ("0" * 16, "volumes", "brain_ml", 0),
        ("b" * 16, "masks", "brain_ml", 0),
        ("b" * 16, "volumes", "gm_ml", 0),
        ("b" * 16, "volumes", "brain_ml", 1),
    ],
)
def test_a_run_or_value_that_does_not_exist_is_named(
    imported: World, run: str, port: str, column: str, row: int
) -> None:
    imported.run()
    with pytest.raises(UnknownRecordError):
        trace(imported.site, run, port=port, column=column, row=row)


def test_a_run_without_an_end_has_no_trace(imported: World) -> None:
    imported.site.act(imported.run_started(), imported.site.node)
    with pytest.raises(BrokenTraceError, match="0 recorded ends"):
        trace(imported.site, "b" * 16, port="volumes", column="brain_ml")


def test_two_runs_of_one_name_are_told_apart_by_refusing_both(imported: World) -> None:
    first = imported.run().statement
    chain, previous = imported.site.next_link()
    again = imported.run_started(chain=chain, previous=previous, case="case-2")
    imported.site.log_act(again, [imported.site.node], ())
    assert first.predicate["run"] == RunStarted.model_validate(again.model_dump()).run
    with pytest.raises(BrokenTraceError, match="2 runs"):
        trace(imported.site, "b" * 16, port="volumes", column="brain_ml")
