"""The ``assay`` command: ``--version`` is answered here, before anything is imported; all else is `host.cli.app`'s."""

import sys
from collections.abc import Sequence

from host import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code, which the console script exits with.

    Parameters
    ----------
    arguments : sequence of str, optional
        Defaults to the process's own.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        print(__version__)
        return 0
    from host.cli import app

    return app.main(given)
