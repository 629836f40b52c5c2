"""``assay doctor``: what this machine has, and what it lacks."""

from typing import Annotated

import typer

from host.cli.answer import JsonFlag, show, table


def doctor(
    engine: Annotated[
        str, typer.Option("--engine", help="Container engine to look for; auto looks for all of ours.")
    ] = "auto",
    json: JsonFlag = False,
) -> int:
    """Check engine, GPU, tools, disk and home, and say what to do about what is missing."""
    from host.diagnosis import diagnose
    from host.home import Home
    from plugin_spec.errors import ExitCode

    findings = diagnose(Home.from_environment(), engine)
    show(
        [vars(one) for one in findings],
        table(("check", "", "found"), [(one.check, one.verdict, one.found) for one in findings]),
        as_json=json,
    )
    return ExitCode.ENGINE_FAILED if any(one.verdict == "missing" for one in findings) else ExitCode.OK
