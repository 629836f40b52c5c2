"""Check a logged report again, from what was registered and recorded, not from what it says of itself.

Every step reads the log, the registered kit and the stored outputs, and compares what they give with what the report
says; a reader without the registry is served by `host.reports.order` and `host.validation.replay`.
"""

from collections.abc import Callable

from host.reports.recheck.cases import cases_are_registered, runs_are_recorded
from host.reports.recheck.evidence import Evidence
from host.reports.recheck.figures import figures_follow
from host.reports.recheck.identity import bytes_are_signed, identity_is_logged, limits_are_told
from host.reports.recheck.leak import nothing_was_learnt_from_the_kit
from host.reports.recheck.plan import deviations_are_told, executions_are_told, plan_was_first
from host.reports.recheck.readers import readers_are_registered
from host.reports.recheck.signatures import signatures_hold
from host.reports.recheck.values import values_follow, verdict_follows
from host.reports.recheck.versions import comparison_is_with_the_named_release
from registry.record import Record
from registry.registry import Registry

STEPS: tuple[Callable[[Evidence], str], ...] = (
    bytes_are_signed,
    identity_is_logged,
    cases_are_registered,
    plan_was_first,
    deviations_are_told,
    executions_are_told,
    runs_are_recorded,
    values_follow,
    verdict_follows,
    figures_follow,
    comparison_is_with_the_named_release,
    nothing_was_learnt_from_the_kit,
    readers_are_registered,
    limits_are_told,
)


def recheck(registry: Registry, record: Record) -> tuple[str, ...]:
    """Verify a report and say in one line each what was verified.

    Raises
    ------
    BlobMismatchError, MissingBlobError
        A stored file is not what was signed, or is gone.
    OrderNotShownError
        The plan is not shown to have been there first.
    ReportMismatchError
        The report does not follow from the registered kit and the recorded runs.
    """
    evidence = Evidence.of(registry, record)
    return (*[step(evidence) for step in STEPS], *signatures_hold(evidence))
