"""One step on a world of `registry_builders`, in a process of its own that somebody may kill.

``python -m tests.support.registry_steps FOLDER STEP`` opens the world in FOLDER, says ``ready``, does the step and says
``done`` once it is acknowledged.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from registry.bundle import import_trial
from registry.keys import generate
from registry.registry import Registry
from tests.support.registry_builders import STAFF, FixedClock, World, seeded

TRIAL_BUNDLE, RETURN = "trial.zip", "return.zip"


def opened(folder: Path) -> World:
    """The world whose homes lie in a folder, with everybody's keys."""
    clock = FixedClock()
    keys = {name: generate(seeded(name)) for name in STAFF}
    sponsor, site = Registry.open(folder / "sponsor", clock), Registry.open(folder / "site", clock)
    return World(folder, clock, keys, sponsor, site)


def _act(world: World) -> None:
    world.submit("7.0.0")


def _sign(world: World) -> None:
    lock = world.sponsor.trial("trial-1").locks[-1]
    world.logged["lock"] = lock.record
    world.sign("quentin", "lock")


def _import(world: World) -> None:
    import_trial(world.site, world.folder / TRIAL_BUNDLE, pin=world.pin)


def _take_in(world: World) -> None:
    world.take_in(world.folder / RETURN)


def _export(world: World) -> None:
    world.exported("killed.zip")


STEPS: Mapping[str, Callable[[World], None]] = MappingProxyType(
    {"act": _act, "sign": _sign, "import": _import, "take in": _take_in, "export": _export}
)


def main() -> int:
    """Do the step that was asked for."""
    world = opened(Path(sys.argv[1]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    STEPS[sys.argv[2]](world)
    sys.stdout.write("done\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
