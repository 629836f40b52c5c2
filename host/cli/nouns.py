"""The nouns of ``assay``: one line each, and the module that is loaded only when its noun is called.

A new noun is one line of `NOUNS` and a module of the same name, which holds either ``app`` (a ``typer.Typer`` of
verbs) or a function of that name (a command that stands alone). A new verb is one more ``@app.command()`` in its
noun's module, or, where the noun is a package (`host.cli.plugin`), a function in the module of its group of verbs and
one more line ``app.command("verb")(module.verb)``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from host import __version__

if TYPE_CHECKING:
    from typer._click import Command, Context
    from typer.core import TyperOption

# In the order of ``assay --help``. A test compares each line with the first line of the module's own help.
NOUNS = {
    "doctor": "Check engine, GPU, tools, disk and home, and say what to do about what is missing.",
    "validate": "Run every case of a kit, judge the results by the registered protocol, and log the report.",
    "verify": "Verify a bundle offline: every signature, role, proof and digest, from the pinned trust root on.",
    "trace": "Follow a number to its scan, image, manifest, lock, report, signatures and log entries; check each link.",
    "engine": "The container engines of this machine, and their images.",
    "gpu": "The GPUs of this machine.",
    "trust": "The trust root: people, roles and keys.",
    "plugin": "Check, build, test, run and submit a plugin.",
    "kit": "Check, show and register validation kits.",
    "report": "Show, sign and verify validation reports.",
    "catalogue": "List, show, approve, suspend and recall releases.",
    "trial": "Lock, export, import and run trials.",
    "audit": "Read and verify the audit trail.",
}
EPILOGUE = (
    "Exit codes: 0 done; 2 usage; 3 criteria not met; 4 not trusted; 5 not permitted; 6 bad input; "
    "7 contract violation; 8 engine failed; 9 bad state; 10 case refused; 11 case failed; 70 crash; 130 interrupted."
)


class QuickGroup(TyperGroup):
    """A group whose help option is False, not None, where it is not given.

    typer turns None into a flag's value by pydantic, whose import takes longer than all the rest of a help text.
    """

    def get_help_option(self, ctx: Context) -> TyperOption | None:  # noqa: D102 - the base class documents it
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option


class LazyGroup(QuickGroup):
    """Lists its commands from their help lines; loads the one that is called, or completed in a shell."""

    def resolve_command(  # noqa: D102 - the base class documents it
        self, ctx: Context, args: list[str]
    ) -> tuple[str | None, Command | None, list[str]]:
        if args and args[0] in NOUNS:
            self.commands[args[0]] = load(args[0])
        return super().resolve_command(ctx, args)


def load(noun: str) -> Command:
    """Import a noun's module and build its command.

    Parameters
    ----------
    noun : str
        A key of `NOUNS`.
    """
    module = import_module(f"host.cli.{noun}")
    part = typer.Typer(rich_markup_mode=None)
    if hasattr(module, "app"):
        part.add_typer(module.app, name=noun, cls=QuickGroup)
    else:
        part.command(noun)(getattr(module, noun))
    return typer.main.get_group(part).commands[noun]


def root() -> Any:
    """Build the command ``assay``, none of whose nouns is loaded yet."""
    app = typer.Typer(
        name="assay",
        cls=LazyGroup,
        help="Run imaging algorithms as evidence: packaged, validated, signed, locked per trial.",
        epilog=EPILOGUE,
        rich_markup_mode=None,  # rich costs seconds at start; tables and progress load it when they are shown
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=True,
    )
    app.callback(invoke_without_command=True)(_version)
    for noun, line in NOUNS.items():
        app.command(noun, help=line)(_unloaded)
    return typer.main.get_group(app)


def _version(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def _unloaded() -> None:
    """Stand in for a noun that was not called: its name and line are all that ``--help`` shows."""
