"""``assay validate --replay``: a report made again, and what is told of it."""

from host.cli import session
from host.cli.answer import show
from host.errors import OptionError

MAX_SHOWN = 20  # differences; --json lists them all


def replayed(report: str, *, others: tuple[object, ...], as_json: bool) -> int:
    """Make a report again and say where it differs."""
    from host.cli.report import find_report, read_file, report_file
    from host.reports.recheck.evidence import Evidence
    from host.reports.replay import replay
    from plugin_spec.errors import ExitCode

    if any(one is not None for one in others):
        raise OptionError("--replay runs nothing: leave PLUGIN@VERSION, --kit and --as out", subject=report)
    path = report_file(report)
    if path is not None:
        found = replay(read_file(path))
    else:
        _, registry = session.open_registry()
        evidence = Evidence.of(registry, find_report(registry, report))
        found = replay(registry.blobs.path(evidence.logged.report_json.digest).read_bytes(), evidence)
    told = [*found.differences[:MAX_SHOWN]]
    more = len(found.differences) - len(told)
    show(
        {
            "validation": found.validation,
            "verdict": found.verdict,
            "same": found.is_same,
            "report_json": found.told,
            "made_again": found.again,
            "replayed": found.replayed,
            "not_replayed": found.not_replayed,
            "differences": [
                {"field": one.field, "told": one.told, "again": one.again, "rounding": one.is_rounding}
                for one in found.differences
            ],
        },
        [
            *[f"made again: {line}" for line in found.replayed],
            *[f"not made again: {line}" for line in found.not_replayed],
            *[f"{'rounding' if one.is_rounding else 'DIFFERS'}  {one}" for one in told],
            *([f"and {more} more"] if more else []),
            f"verdict when made again: {found.verdict}; "
            + (f"the same bytes, {found.told}" if found.is_same else f"NOT THE SAME as {found.told}"),
        ],
        as_json=as_json,
    )
    return ExitCode.OK if found.is_same else ExitCode.NOT_TRUSTED
