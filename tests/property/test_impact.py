"""What a recall concerns, against a search of every envelope in the log that knows nothing of the registry (R22)."""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.dsse import sign
from registry.impact import affected
from registry.record import Record
from registry.standing import ReleaseRecalled
from registry.statements import PAYLOAD_TYPE, Act, Release, TrialLock, make_statement
from tests.support.registry_builders import World, build_world

SUBJECTS = ("s-1", "s-2", "s-3")
TRIALS = ("trial-1", "trial-2")
RUN = st.tuples(
    st.just("run"), st.sampled_from("AB"), st.sampled_from((*TRIALS, None)), st.sampled_from(SUBJECTS)
)
LOCK = st.tuples(st.just("lock"), st.sampled_from("AB"), st.sampled_from(TRIALS), st.just(""))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A release under lock in trial-1, and another version of it that nobody locked."""
    world = build_world(tmp_path_factory.mktemp("impact")).locked()
    world.logged["A"] = world.logged["release"]
    world.logged["B"] = world.submit("2.0.0")
    return world


def log(world: World, act: Act, person: str) -> Record:
    """Log an act beside the rules, as a return would bring it."""
    signer = world.site.node if person == "site-1" else world.keys[person]
    return world.sponsor.log.append(sign(make_statement(act), PAYLOAD_TYPE, [signer]))


def add(world: World, number: int, event: tuple[str, str, str | None, str]) -> None:
    kind, which, trial, subject = event
    release = world.logged[which].digest
    if kind == "run":
        changes = {"release": release, "trial": trial, "subject": subject}
        log(world, world.run_started(f"{number:016x}", **changes), "site-1")
        return
    lock = world.logged["lock"].statement.read(TrialLock)
    named = world.logged[which].statement.read(Release)
    slot = lock.slots[0].model_copy(update={"release": release, "version": named.version})
    log(
        world,
        lock.model_copy(
            update={"trial": trial, "slots": (slot,), "sequence": number + 2, "sites": ("site-9",)}
        ),
        "simone",
    )


def brute_force(world: World, release: str) -> dict[str, Any]:
    """The same list from the stored bytes alone."""
    trials, locks, sites, runs, subjects = set(), set(), set(), [], set()
    for row in world.sponsor.log.rows():
        statement = json.loads(base64.b64decode(json.loads(row.envelope)["payload"]))
        said = statement["predicate"]
        if statement["predicateType"].endswith("/trial-lock/v1"):
            if release in [slot["release"] for slot in said["slots"]]:
                trials.add(said["trial"])
                locks.add((said["trial"], said["sequence"], row.payload_digest))
                sites |= set(said["sites"])
        elif statement["predicateType"].endswith("/run-started/v1") and said["release"] == release:
            runs.append(said["run"])
            if said["trial"] is not None:
                trials.add(said["trial"])
                sites.add(said["actor"])
                subjects.add((said["trial"], said["subject"]))
    return {
        "trials": sorted(trials),
        "locks": sorted(locks),
        "sites": sorted(sites),
        "runs": runs,
        "subjects": sorted(subjects),
    }


@pytest.mark.requirement("R22")
@settings(max_examples=20, deadline=None)
@given(events=st.lists(st.one_of(RUN, LOCK), max_size=8))
def test_a_recall_lists_what_a_search_of_every_envelope_finds(
    template: World, events: list[tuple[str, str, str | None, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = template.copied(Path(folder))
        for number, event in enumerate(events):
            add(world, number, event)
        for which in "AB":
            release = world.logged[which].digest
            found = affected(world.sponsor, release)
            assert brute_force(world, release) == {
                "trials": list(found.trials),
                "locks": [(one.trial, one.sequence, one.lock) for one in found.locks],
                "sites": list(found.sites),
                "runs": [one.run for one in found.runs],
                "subjects": [(one.trial, one.subject) for one in found.subjects],
            }
        world.logged["release"] = world.logged["B"]
        recall = world.change(ReleaseRecalled)
        add(world, len(events), ("run", "B", "trial-1", "s-late"))
        then = affected(world.sponsor, world.logged["B"].digest, before=recall.sequence)
        assert then.digest == recall.statement.read(ReleaseRecalled).impact
