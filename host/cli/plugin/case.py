"""``assay plugin run``: a build on a case of the author's own."""

from pathlib import Path
from typing import Annotated

import typer

from host.cli.answer import JsonFlag, conclude, say, show, table
from host.cli.engines import EngineOption, connected
from host.cli.plugin.options import FolderArgument
from host.cli.targets import check_target


def run(
    folder: FolderArgument,
    inputs: Annotated[list[str], typer.Option("--input", metavar="PORT=FILE", help="One per input port.")],
    out: Annotated[Path, typer.Option(help="New folder for the outputs.")],
    parameter: Annotated[list[str] | None, typer.Option("--parameter", metavar="NAME=VALUE")] = None,
    engine: EngineOption = "auto",
    json: JsonFlag = False,
) -> int:
    """Run the built plugin on one case, for its author; nothing is recorded and nothing is evidence."""
    check_target(out, "--out", new=True)
    from host import workbench
    from host.cli.values import parse_pairs, parse_parameters
    from host.home import Home

    answer = workbench.run_once(
        Home.from_environment(),
        folder,
        connected(engine),
        inputs={port: Path(path) for port, path in parse_pairs(inputs, "--input").items()},
        parameters=parse_parameters(parameter or []),
        out=out,
        say=say,
    )
    rows = [(one.port, one.column, f"{one.value}", one.unit or "") for one in answer.measured]
    show(
        {
            "outcome": answer.execution.outcome,
            "reason_code": answer.execution.reason_code,
            "message": answer.execution.message,
            "measured": answer.measured,
            "outputs": answer.files,
        },
        [
            f"{answer.execution.outcome} {answer.execution.reason_code} {answer.execution.message}".rstrip(),
            *table(("port", "column", "value", "unit"), rows),
            *[f"wrote {path}" for path in answer.files],
        ],
        as_json=json,
    )
    return conclude(answer.fault())
