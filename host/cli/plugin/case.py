"""``assay plugin run``: a build on a case of the author's own, or on a table of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import JsonFlag, conclude, say, show, table
from host.cli.engines import EngineOption, connected
from host.cli.options import JobsOption
from host.cli.plugin.batch import run_table
from host.cli.plugin.options import FolderArgument
from host.cli.targets import check_target
from host.errors import OptionError

if TYPE_CHECKING:
    from host.workbench import BenchAnswer


def run(
    folder: FolderArgument,
    out: Annotated[
        Path,
        typer.Option(help="New folder for outputs; with --cases one per case, finished ones are kept."),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input", metavar="PORT=FILE", help="Per input port; once per file where it takes several."
        ),
    ] = None,
    parameter: Annotated[list[str] | None, typer.Option("--parameter", metavar="NAME=VALUE")] = None,
    cases: Annotated[
        Path | None, typer.Option(help="Table with a column case_id and one per input port and parameter.")
    ] = None,
    jobs: JobsOption = 1,
    warm: Annotated[
        bool, typer.Option("--warm", help="With --cases: one container for many cases, where declared.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="With --cases: remove results of other cases, builds, parameters in OUT."
        ),
    ] = False,
    engine: EngineOption = "auto",
    json: JsonFlag = False,
) -> int:
    """Run the built plugin on one case or a table of cases, for its author; nothing is recorded or evidence."""
    if cases is not None:
        if inputs or parameter:
            raise OptionError("--cases names inputs and parameters itself: leave --input and --parameter out")
        from host.batch import BatchOrder

        order = BatchOrder(folder, cases, out, jobs=jobs, warm=warm, replace=replace)
        return run_table(order, engine=engine, json=json)
    if jobs != 1 or warm or replace:
        raise OptionError("--jobs, --warm and --replace are for many cases: give them with --cases")
    check_target(out, "--out", new=True)
    from host import workbench
    from host.cli.values import parse_files, parse_parameters
    from host.home import Home

    home = Home.from_environment()
    files, values = parse_files(inputs or [], "--input"), parse_parameters(parameter or [])
    workbench.built(home, folder)  # what is wrong of the folder is said before an engine is looked for
    answer = workbench.run_once(
        home,
        folder,
        connected(engine),
        inputs=files,
        parameters=values,
        out=out,
        say=say,
    )
    _show(answer, as_json=json)
    return conclude(answer.fault())


def _show(answer: "BenchAnswer", *, as_json: bool) -> None:
    measured, warnings = answer.document.measured, answer.execution.warnings
    rows = [(one.port, one.column, f"{one.value}", one.unit or "") for one in measured]
    show(
        {
            "outcome": answer.execution.outcome,
            "reason_code": answer.execution.reason_code,
            "message": answer.execution.message,
            "hint": answer.explanation.hint,
            "measured": measured,
            "warnings": warnings,
            "outputs": answer.files,
        },
        [
            f"{answer.execution.outcome} {answer.execution.reason_code} {answer.execution.message}".rstrip(),
            *[f"warning: {one}" for one in warnings],
            *(table(("port", "column", "value", "unit"), rows) if rows else ()),
            *[f"wrote {path}" for path in answer.files],
        ],
        as_json=as_json,
    )
    for line in answer.explanation.lines:
        say(line)
