"""``assay validate``: run a release against a registered kit and log the report."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, say, show
from host.cli.engines import EngineOption, connected
from host.cli.options import JobsOption
from host.cli.replay import replayed
from host.cli.targets import check_target, write_target
from host.cli.verdict_lines import verdict_lines
from host.errors import OptionError

if TYPE_CHECKING:
    from host.validation.attempt import Validated


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
    if release is None or kit is None or person is None:
        raise OptionError(
            "a validation needs PLUGIN@VERSION, --kit and --as; or else --replay REPORT",
            hint="assay validate --help",
        )
    from host.cli.progress import CaseProgress
    from host.installed import find_release, install
    from host.kits.kit import read_kit
    from host.run_ledger import close_interrupted
    from host.validation.attempt import Executor
    from host.validation.session import Progress
    from host.validation.validate import validate as run_validation
    from plugin_spec.errors import ExitCode
    from registry.policy import Action

    if html is not None:
        check_target(html, "--html")
    home, registry = session.open_registry()
    found = install(registry, find_release(registry, release))
    folder = read_kit(kit)
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
            smoke=smoke,
            progress=Progress(say=bar.say, case_done=bar.case_done, told=bar.told, cancelled=bar.cancelled),
            jobs=jobs,
            warm=warm,
            pdf=pdf,
        )
    if html is not None:
        write_target(html, registry.blobs.path(done.report.renderings[0].digest).read_bytes())
    _show(done, as_json=json)
    return ExitCode.OK if done.report.verdict.verdict == "met" else ExitCode.NOT_MET


def _show(done: "Validated", *, as_json: bool) -> None:
    report, verdict = done.report, done.report.verdict
    show(
        {
            "report": done.record.digest,
            "validation": report.validation,
            "verdict": verdict,
            "flow": report.flow,
            "warm": report.warm,
        },
        [
            *verdict_lines(report),
            *([f"warm containers: {report.warm.agreement}"] if report.warm else []),
            f"report {report.validation}, log entry {done.record.sequence}, not yet signed",
        ],
        as_json=as_json,
        next_command=f"assay report sign {report.validation} --as PERSON --meaning approval",
    )
