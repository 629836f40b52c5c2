"""Tools that are not Python: their command line for one case, and their exit code and files read as a result.

Invariants
----------
* Words reach the program as the manifest's template and the staged names make them; no shell is involved, and nothing
  an operator typed stands among them but parameter values that the manifest allows.
* A result.json that the tool wrote itself counts where it is valid and its exit code says the same; it never turns a
  failing exit code into an answer.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from host.engines.interface import INPUTS_TARGET, OUTPUTS_TARGET, SCRATCH_TARGET, WEIGHTS_TARGET
from host.outputs import RESULT_NAME, read_result
from plugin_spec.case import OutputEntry, Request, Result
from plugin_spec.command import Command, CommandValues, render
from plugin_spec.errors import ContractError
from plugin_spec.manifest import Manifest
from plugin_spec.runtime import protocol as wall

_OUTCOME_OF_OWN_CODE: Final[Mapping[int, str]] = {wall.EXIT_OK: "ok", wall.EXIT_REFUSED: "refused"}
_KILLED_FROM: Final = 128


def command_argv(command: Command, request: Request) -> tuple[str, ...]:
    """The words of one case's command line, with the paths that the container sees.

    Parameters
    ----------
    command : Command
        Of the manifest.
    request : Request
        What is written to request.json for the same case.
    """
    inputs = {
        port: tuple(f"{INPUTS_TARGET}/{name}" for name in ((given,) if isinstance(given, str) else given))
        for port, given in request.inputs.items()
    }
    return render(
        command,
        CommandValues(
            inputs=inputs,
            outputs={port: f"{OUTPUTS_TARGET}/{name}" for port, name in command.outputs.items()},
            parameters=request.parameters,
            weights={name: f"{WEIGHTS_TARGET}/{path}" for name, path in request.weights.items()},
            scratch=SCRATCH_TARGET,
            threads=request.threads,
            seed=request.seed,
        ),
    )


def read_command_result(manifest: Manifest, command: Command, exit_code: int, folder: Path) -> Result:
    """What a tool says by its exit code and files.

    Parameters
    ----------
    manifest, command
        The command is the manifest's.
    exit_code : int
        0 is ok with the declared files; a listed code is what the manifest says; any other is a failure.
    folder : Path
        The output folder, after the container is gone.

    Raises
    ------
    ContractError
        The tool wrote a result.json that is not valid, or that its exit code contradicts.
    """
    if os.path.lexists(folder / RESULT_NAME):
        result = read_result(folder)
        if result.outcome != _outcome_of(command, exit_code):
            raise ContractError(
                f"{RESULT_NAME} says {result.outcome}, but the command ended with exit code {exit_code}, "
                f"which means {_outcome_of(command, exit_code)}",
                subject=RESULT_NAME,
            )
        return result
    meaning = command.exit_codes.get(str(exit_code))
    if meaning is not None:
        return Result(outcome=meaning.outcome, reason_code=meaning.reason_code, message=meaning.message)
    if exit_code == wall.EXIT_OK:
        return Result(outcome="ok", outputs=_written(manifest, command, folder))
    return Result(outcome="failed", reason_code="plugin-error", message=_unlisted(exit_code))


def _outcome_of(command: Command, exit_code: int) -> str:
    meaning = command.exit_codes.get(str(exit_code))
    return _OUTCOME_OF_OWN_CODE.get(exit_code, "failed") if meaning is None else meaning.outcome


def _written(manifest: Manifest, command: Command, folder: Path) -> tuple[OutputEntry, ...]:
    """The file of every output; an optional one only where the tool left something under its name."""
    return tuple(
        OutputEntry(port=port.name, path=command.outputs[port.name])
        for port in manifest.outputs
        if port.at_least or os.path.lexists(folder / command.outputs[port.name])
    )


def _unlisted(exit_code: int) -> str:
    if exit_code > _KILLED_FROM:
        return f"the command was ended by signal {exit_code - _KILLED_FROM}"
    return f"the command ended with exit code {exit_code}, which runtime.command.exit_codes does not list"
