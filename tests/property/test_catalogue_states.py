"""Any order of steps by anybody: what the table of decisions forbids is refused, and the log says the same (R10).

The model below is written by hand from the table in `registry/README.md`; nothing of `registry.standing` decides in it.
"""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from plugin_spec.errors import AssayError
from registry.registry import Registry
from registry.standing import ReleaseRecalled, ReleaseReinstated, ReleaseRetired, ReleaseSuspended
from registry.statements import Refusal
from tests.support.registry_builders import World, build_world

QA = ("quinn", "quentin")
# The one who may do most comes up most often, so that the walks get far.
WHO = st.sampled_from(("quinn", "quinn", "quentin", "simone"))


class Catalogue(RuleBasedStateMachine):
    """One release, evaluated or not, on which three persons decide in any order; quentin ran its validation."""

    template: World

    @initialize(steps=st.integers(min_value=0, max_value=4))
    def begin(self, steps: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.world = self.template.copied(Path(self.folder.name))
        self.signed, self.approved, self.recalled, self.retired = False, False, False, False
        self.ended = ""
        self.suspended_by = ""
        for step in (self.sign, self.approve, self.suspend)[:steps]:
            step(who="simone" if step == self.suspend and steps == 3 else "quinn")

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.holds(Registry.open(self.world.sponsor.home, self.world.clock))
            self.folder.cleanup()

    def attempt(self, act: object, *, allowed: bool) -> bool:
        """Do it, and hold what happened against what may; a refusal is a record and changes nothing else."""
        assert callable(act)
        self.world.clock.move(seconds=1)
        before = self.world.sponsor.log.size
        if allowed:
            act()
            return True
        with pytest.raises(AssayError) as caught:
            act()
        last = list(self.world.sponsor.records(Refusal.predicate_type))[-1].statement.read(Refusal)
        assert (self.world.sponsor.log.size, last.error) == (before + 1, caught.value.code)
        return False

    @rule(who=WHO)
    def sign(self, who: str) -> None:
        allowed = who == "quinn" and not self.signed
        self.signed |= self.attempt(lambda: self.world.sign(who, "report"), allowed=allowed)

    @rule(who=WHO)
    def approve(self, who: str) -> None:
        allowed = who == "quinn" and self.signed and not (self.suspended_by or self.ended)
        self.approved |= self.attempt(lambda: self.world.approve(who), allowed=allowed)

    @rule(who=WHO)
    def suspend(self, who: str) -> None:
        allowed = self.approved and not (self.suspended_by or self.ended)
        if self.attempt(lambda: self.world.change(ReleaseSuspended, who), allowed=allowed):
            self.suspended_by = who

    @rule(who=WHO)
    def reinstate(self, who: str) -> None:
        independent = who == "quinn" and self.suspended_by != "quinn"
        allowed = independent and bool(self.suspended_by) and not self.ended
        if self.attempt(lambda: self.world.change(ReleaseReinstated, who), allowed=allowed):
            self.suspended_by = ""

    @rule(who=WHO)
    def recall(self, who: str) -> None:
        allowed = not self.recalled
        if self.attempt(lambda: self.world.change(ReleaseRecalled, who), allowed=allowed):
            self.recalled, self.ended = True, "recalled"

    @rule(who=WHO)
    def retire(self, who: str) -> None:
        allowed = who in QA and self.ended != "retired"
        if self.attempt(lambda: self.world.change(ReleaseRetired, who), allowed=allowed):
            self.ended = "retired"

    @rule()
    def lock(self) -> None:
        allowed = self.approved and not (self.suspended_by or self.ended)
        if allowed:
            self.attempt(self.world.lock, allowed=True)
            return
        with pytest.raises(AssayError):
            self.world.lock()

    @invariant()
    def the_log_says_the_same(self) -> None:
        if hasattr(self, "world"):
            self.holds(self.world.sponsor)

    def holds(self, registry: Registry) -> None:
        expected = self.ended or ("suspended" if self.suspended_by else "")
        expected = expected or ("approved" if self.approved else "evaluated" if self.signed else "submitted")
        assert str(registry.catalogue()[self.world.logged["release"].digest].state) == expected


@pytest.mark.requirement("R10", "R17")
def test_no_order_of_steps_leads_where_the_table_does_not(tmp_path: Path) -> None:
    world = build_world(tmp_path)
    world.submit()
    world.register_kit(by="quinn")
    world.cosign()
    world.start_validation(by="quentin")
    world.report(by="quentin")
    world.open_trial()
    Catalogue.template = world
    run_state_machine_as_test(
        Catalogue,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
