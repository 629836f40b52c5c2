"""Run one command: one line per error, documented exit codes, a crash as a report file."""

import json
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer

from host import __version__
from host.cli import nouns
from host.cli.answer import say_fault
from plugin_spec.errors import AssayError, ExitCode, InputError
from plugin_spec.files import write_atomic

USAGE_EXIT = 2  # as every command line program has it


def main(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name, and return its exit code."""
    try:
        code = int(nouns.root()(args=arguments, prog_name="assay", standalone_mode=False) or ExitCode.OK)
        if code == ExitCode.INTERRUPTED:
            raise KeyboardInterrupt  # typer has made an exit code of it
        return code
    except AssayError as error:
        return _refuse(error, arguments)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as usage:
        noun = arguments[0] if arguments and arguments[0] in nouns.NOUNS else ""
        return _refuse(
            UsageFault(usage.format_message(), hint=f"assay {noun} --help".replace("  ", " ")), arguments
        )
    except (KeyboardInterrupt, typer.Abort):
        return _refuse(_interruption(arguments), arguments)
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.OK
    except Exception:  # noqa: BLE001 - the last line of defence: a crash is reported, never shown as a traceback
        return _crash(arguments)


class UsageFault(InputError):
    """The words of the command line do not fit any command."""

    code = "usage"


class InterruptFault(AssayError):
    """The operator stopped the command."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED


def _interruption(arguments: Sequence[str]) -> InterruptFault:
    many = any(word.partition("=")[0] == "--cases" for word in arguments)
    return InterruptFault(
        "what was under way is recorded or was never started",
        hint="run the same command again: finished cases are kept" if many else "",
    )


def _refuse(error: AssayError, arguments: Sequence[str]) -> int:
    """End a command that has shown nothing yet: one line on stderr, and with ``--json`` one document on stdout."""
    exit_code = USAGE_EXIT if isinstance(error, UsageFault) else int(error.exit_code)
    if "--json" in arguments:
        fields = ("code", "message", "subject", "hint")
        document = {field: getattr(error, field) for field in fields}
        print(json.dumps({"error": document, "exit_code": exit_code}))
    say_fault(error)
    return exit_code


class CrashFault(AssayError):
    """Something we did not foresee."""

    code = "crash"


def _without_values(arguments: Sequence[str]) -> str:
    """The command and its options, without paths and values: those can hold a patient's name."""
    shown = [arguments[0] if arguments and arguments[0] in nouns.NOUNS else "…"] if arguments else []
    shown += [word.partition("=")[0] if word.startswith("--") else "…" for word in arguments[1:]]
    return " ".join(shown)


def _crash(arguments: Sequence[str]) -> int:
    """Write the traceback where it can be sent to us, and say so in one line."""
    folder = Path(os.environ.get("ASSAY_HOME") or Path.cwd())
    name = datetime.now(UTC).strftime("assay-crash-%Y%m%dT%H%M%SZ.txt")
    text = f"assay {__version__} {_without_values(arguments)}\n\n{traceback.format_exc()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / name, text.encode(), mode=0o600)
        where = str(folder / name)
    except OSError:
        print(text, file=sys.stderr)
        where = "above"
    return _refuse(CrashFault(f"this is a defect of Assay; the report is {where}"), arguments)
