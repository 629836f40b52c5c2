"""What is checked on the machine before the first case runs, so that a report can say it was."""

from collections.abc import Callable
from dataclasses import dataclass

from host.engines.interface import Engine
from host.errors import SelfTestError
from host.home import Home
from host.machine import Room
from host.planning import plan_limits
from host.releases import InstalledRelease
from host.reports.sections import InstallationCheck, SelfTestSection
from host.reports.self_test import self_test_section
from registry.canonical import short
from registry.registry import Registry

MIB = 1024 * 1024


@dataclass(frozen=True)
class Installation:
    """Checks that passed, one line each, and the self-test of the statistics."""

    checks: tuple[InstallationCheck, ...]
    self_test: SelfTestSection


def examine(
    home: Home,
    registry: Registry,
    engine: Engine,
    *,
    release: InstalledRelease,
    room: Room,
    say: Callable[[str], None],
) -> Installation:
    """Check image, room and statistics; whatever does not pass stops the validation.

    Raises
    ------
    ImageTamperedError
        What the engine holds was edited.
    MachineTooSmallError
        A case would not fit.
    SelfTestError
        The statistics do not reproduce a published number here.
    """
    engine.verify(release.image, registry.blobs.path)
    info = engine.describe()
    image = InstallationCheck(
        check="the engine holds the image of the release",
        found=f"{info.name} {info.version} holds {short(release.image)}",
        passed=True,
    )
    limits = plan_limits(release.manifest, 0)
    room.require(limits, release.title)
    fits = InstallationCheck(
        check="the machine has room for a case",
        found=f"a case may use {limits.cpus:g} CPUs and {limits.memory_bytes // MIB} MiB",
        passed=True,
    )
    self_test = self_test_section(home, say=say)
    require_passed(self_test)
    numbers = len(self_test.oracles)
    statistics = InstallationCheck(
        check="the statistics reproduce published numbers",
        found=f"{numbers} of {numbers}; {sum(one.numbers for one in self_test.not_run)} more could not be run here",
        passed=True,
    )
    return Installation((image, fits, statistics), self_test)


def require_passed(self_test: SelfTestSection) -> None:
    """Refuse to judge with statistics that are wrong on this installation.

    Raises
    ------
    SelfTestError
        The first published number that is not reproduced.
    """
    wrong = [one for one in self_test.oracles if not one.passed]
    if wrong:
        raise SelfTestError(
            f"this installation does not reproduce {wrong[0].id}: {wrong[0].quantity}",
            subject=wrong[0].id,
            hint="assay kit self-test",
        )
