"""``assay validate``: run a release against a registered kit and log the report."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, say, show
from host.cli.engines import EngineOption, connected
from host.cli.options import JobsOption
from host.cli.replay import replayed
from host.cli.targets import check_target, write_target
from host.cli.verdict_lines import lines_of_verdict
from host.errors import OptionError

if TYPE_CHECKING:
    from host.kits.kit import KitFolder
    from host.releases import InstalledRelease
    from host.reports.sections import SamenessRow
    from host.validation.attempt import Validated
    from host.validation.validate import Asked
    from registry.registry import Registry


def validate(
    release: Annotated[str | None, typer.Argument(help="PLUGIN@VERSION of a submitted release.")] = None,
    kit: Annotated[
        Path | None, typer.Option(help="The kit's folder; its protocol must be registered.")
    ] = None,
    person: Annotated[
        str | None,
        typer.Option("--as", metavar="PERSON", help="Enrolled id of who acts; their key signs."),
    ] = None,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Run the small subset that proves the path only.")
    ] = False,
    jobs: JobsOption = 1,
    warm: Annotated[
        bool,
        typer.Option("--warm", help="Run every case in warm containers too, and report whether they agree."),
    ] = False,
    against: Annotated[
        str, typer.Option(metavar="VALIDATION", help="The signed report of the release to compare with.")
    ] = "",
    against_trial: Annotated[
        str,
        typer.Option(metavar="TRIAL", help="Compare with the release that a trial's lock in force names."),
    ] = "",
    resume: Annotated[
        str, typer.Option(metavar="VALIDATION", help="Go on with a validation that was stopped.")
    ] = "",
    engine: EngineOption = "auto",
    html: Annotated[Path | None, typer.Option(help="Also write the HTML report here.")] = None,
    pdf: Annotated[
        bool,
        typer.Option(
            help="Print the report as PDF too, the form that shows its e-signatures in a PDF reader."
        ),
    ] = True,
    replay: Annotated[
        str | None,
        typer.Option(
            metavar="REPORT",
            help="Run nothing: make a report again, by a validation's id (with its stored outputs) or from a "
            "report.json alone. Exit code 0: the same bytes, 4: a field differs, and is named.",
        ),
    ] = None,
    json: JsonFlag = False,
) -> int:
    """Run every case of a kit, judge the results by the registered protocol, and log the report."""
    if replay is not None:
        return replayed(replay, others=(release, kit, person), as_json=json)
    if person is None or (not resume and (release is None or kit is None)):
        raise OptionError(
            "a validation needs PLUGIN@VERSION, --kit and --as; or --resume VALIDATION and --as; or --replay REPORT",
            hint="assay validate --help",
        )
    from host.cli.progress import CaseProgress
    from host.run_ledger import close_interrupted
    from host.validation.attempt import Executor
    from host.validation.session import Progress
    from host.validation.validate import validate as run_validation
    from plugin_spec.errors import ExitCode
    from registry.policy import Action

    if html is not None:
        check_target(html, "--html")
    home, registry = session.open_registry()
    wanted = Wanted(release, kit, smoke, jobs, warm, pdf, against, against_trial)
    found, folder, asked = _resumed(registry, wanted, resume) if resume else _begun(registry, wanted)
    runner = connected(engine)
    actor = session.act_as(home, registry, person, Action.VALIDATION_RUN)
    with home.running(), CaseProgress() as bar:
        for closed in close_interrupted(home, registry, runner, role="log"):
            say(f"found run {closed.run} of {closed.at} without an end; logged as interrupted")
        done = run_validation(
            home,
            registry,
            runner,
            release=found,
            folder=folder,
            executor=Executor(actor.person, actor.role, actor.signer),
            asked=asked,
            progress=Progress(say=bar.say, case_done=bar.case_done, told=bar.told, cancelled=bar.cancelled),
        )
    if html is not None:
        write_target(html, registry.blobs.path(done.report.renderings[0].digest).read_bytes())
    _show(done, as_json=json)
    return ExitCode.OK if done.report.verdict.verdict == "met" else ExitCode.NOT_MET


@dataclass(frozen=True)
class Wanted:
    """What stands on the command line."""

    release: str | None
    kit: Path | None
    smoke: bool
    jobs: int
    warm: bool
    pdf: bool
    against: str
    against_trial: str


def _begun(registry: "Registry", wanted: Wanted) -> "tuple[InstalledRelease, KitFolder, Asked]":
    """A validation that begins."""
    from host.installed import find_release, install
    from host.kits.kit import read_kit
    from host.validation.validate import Asked

    assert wanted.release is not None and wanted.kit is not None  # noqa: S101 - asked for above
    if wanted.against and wanted.against_trial:
        raise OptionError("--against and --against-trial exclude each other", subject="--against")
    release = install(registry, find_release(registry, wanted.release))
    asked = Asked(
        smoke=wanted.smoke,
        jobs=wanted.jobs,
        warm=wanted.warm,
        against=wanted.against,
        trial=wanted.against_trial,
        pdf=wanted.pdf,
    )
    return release, read_kit(wanted.kit), asked


def _resumed(
    registry: "Registry", wanted: Wanted, validation: str
) -> "tuple[InstalledRelease, KitFolder, Asked]":
    """A validation that goes on, as it was asked for when it began."""
    from host.installed import find_release, install
    from host.kits.kit import read_kit
    from host.kits.stored import stored_kit
    from host.validation.resume import find_stopped
    from host.validation.validate import Asked
    from registry.plans import find_plan

    given = {
        "--smoke": wanted.smoke,
        "--warm": wanted.warm,
        "--against": wanted.against,
        "--against-trial": wanted.against_trial,
    }
    if strange := [name for name, value in given.items() if value]:
        raise OptionError(
            f"{strange[0]}: a validation that goes on is what it was when it began", subject=strange[0]
        )
    stopped = find_stopped(registry, validation)
    release = install(registry, find_release(registry, wanted.release or stopped.started.release))
    _, planned = find_plan(registry, stopped.started.protocol)
    folder = read_kit(wanted.kit) if wanted.kit is not None else stored_kit(registry, planned)
    return release, folder, Asked.again(stopped, jobs=wanted.jobs, pdf=wanted.pdf)


def _show(done: "Validated", *, as_json: bool) -> None:
    report, verdict = done.report, done.report.verdict
    show(
        {
            "report": done.record.digest,
            "validation": report.validation,
            "verdict": verdict,
            "flow": report.flow,
            "sameness": report.sameness,
        },
        [
            *lines_of_verdict(report),
            *[_compared(one) for one in report.sameness],
            f"report {report.validation}, log entry {done.record.sequence}, not yet signed",
        ],
        as_json=as_json,
        next_command=f"assay report sign {report.validation} --as PERSON --meaning approval",
    )


def _compared(row: "SamenessRow") -> str:
    if row.not_made:
        return f"sameness {row.id}: not compared: {row.not_made}"
    return f"sameness {row.id}: {row.check}: {row.agreement} ({row.same} of {row.cases} cases the same)"
