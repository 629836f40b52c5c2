from collections.abc import Mapping

import pytest

from registry.drift import DriftReport, compare_sites
from registry.dsse import sign
from registry.keys import Signer, generate
from registry.results import RUN_TYPES, trial_runs
from registry.statements import PAYLOAD_TYPE, make_statement
from registry.trust_root import Person, Role
from tests.support.registry_builders import World, digest_of, seeded

SITES = tuple(f"site-{number:02d}" for number in range(1, 51))


@pytest.fixture
def many(world: World) -> tuple[World, Mapping[str, Signer]]:
    """A lock in force that names fifty sites."""
    nodes = {site: generate(seeded(site)) for site in SITES}
    people = [
        Person(id=site, name=site, roles=(Role.SITE,), keys=(node.public,)) for site, node in nodes.items()
    ]
    world.approved()
    world.sponsor.enrol(people, [world.keys["rosa"]], reason="fifty sites join")
    world.open_trial()
    world.lock(sites=SITES)
    world.sign("simone", "lock")
    world.sign("quinn", "lock")
    return world, nodes


def declare(world: World, nodes: Mapping[str, Signer], changed: Mapping[str, Mapping[str, object]]) -> None:
    """One run of each site, signed by it, as if its records had been taken in."""
    for number, (site, node) in enumerate(nodes.items()):
        run = world.run_started(f"{number:016x}", actor=site, chain=1, previous=None, **changed.get(site, {}))
        world.sponsor.append_returned([sign(make_statement(run), PAYLOAD_TYPE, [node])])


def drift(world: World) -> DriftReport:
    known = world.sponsor.trial("trial-1")
    assert known.effective is not None
    return compare_sites(known.effective, trial_runs(world.sponsor.records(RUN_TYPES), known.locks))


@pytest.mark.requirement("R2")
def test_fifty_sites_under_one_lock_are_the_same(many: tuple[World, Mapping[str, Signer]]) -> None:
    world, nodes = many
    declare(world, nodes, {})
    assert drift(world) == DriftReport(SITES, (), ())


@pytest.mark.requirement("R2")
@pytest.mark.parametrize(
    ("field", "changes", "found"),
    [
        ("image", {"image": digest_of("other")}, f'"{digest_of("other")}"'),
        ("manifest", {"manifest": digest_of("other")}, f'"{digest_of("other")}"'),
        ("weights", {"weights": ()}, "{}"),
        ("parameters", {"parameters": {"smoothing_mm": 2.5}}, '{"smoothing_mm":2.5}'),
        ("engine", {"engine": "runc"}, '"runc"'),
        ("engine version", {"engine_version": "28.0"}, '"28.0"'),
        ("host version", {"host_version": "0.2.0"}, '"0.2.0"'),
    ],
)
def test_one_site_of_fifty_that_drifted_is_named_with_what_differs(
    many: tuple[World, Mapping[str, Signer]], field: str, changes: Mapping[str, object], found: str
) -> None:
    world, nodes = many
    declare(world, nodes, {"site-37": changes})
    (one,) = drift(world).drifts
    assert (one.site, one.slot, one.field, one.found) == ("site-37", "volumes", field, found)
    assert one.expected not in ("", one.found)
    assert one.run == f"{36:016x}"


def test_a_site_that_still_runs_the_lock_before_is_named(imported: World) -> None:
    imported.run()
    imported.take_in(imported.returned())
    imported.lock()
    imported.sign("simone", "lock")
    imported.sign("quinn", "lock")
    (one,) = drift(imported).drifts
    assert (one.site, one.field) == ("site-1", "lock")


def test_where_half_say_one_thing_and_half_another_all_are_named(
    many: tuple[World, Mapping[str, Signer]],
) -> None:
    world, nodes = many
    pair = {site: nodes[site] for site in SITES[:2]}
    declare(world, pair, {"site-01": {"host_version": "0.2.0"}})
    found = drift(world)
    assert [(one.site, one.expected) for one in found.drifts] == [("site-01", ""), ("site-02", "")]
    assert found.silent == SITES[2:]


def test_a_trial_that_nobody_ran_has_no_drift(imported: World) -> None:
    assert drift(imported) == DriftReport((), ("site-1",), ())
