"""Whether a comparison with an earlier release is with the one that was named, and follows from the cases."""

from host.reports.recheck.evidence import Evidence
from host.reports.version_delta import EarlierRelease, version_delta
from registry.plans import find_plan
from registry.statements import Release, ValidationReport


def comparison_is_with_the_named_release(evidence: Evidence) -> str:
    """Make the section again from the records of the earlier report; without one, there has to be none."""
    told, against = evidence.report.version_delta, evidence.started.against
    evidence.same("earlier report", told.report if told else None, against)
    if told is None or against is None:
        return "it is compared with no earlier release"
    registry = evidence.registry
    _, earlier = registry.find(against, ValidationReport)
    _, release = registry.find(earlier.release, Release)
    _, plan = find_plan(registry, earlier.protocol)
    evidence.same("kit of the earlier report", plan.kit_digest, evidence.plan.kit_digest)
    evidence.same("plugin of the earlier report", release.plugin, evidence.report.release.plugin)
    if told.trial:
        locked = {slot.release for view in registry.trial(told.trial).locks for slot in view.lock.slots}
        evidence.same(f"release that {told.trial} locks", earlier.release in locked, True)
    named = EarlierRelease(earlier.release, release.version, against, earlier.validation, told.trial)
    report = evidence.report
    again = version_delta(evidence.kit.protocol, report.cases, report.verdict, named)
    evidence.same("comparison with the earlier release", told, again)
    return f"its comparison with version {release.version} follows from {told.cases} cases that both answered"
