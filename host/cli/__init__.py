"""The ``assay`` command: ``--version`` is answered here, before anything is imported; all else is `host.cli.app`'s."""

import contextvars
import gc
import os
import sys
from collections.abc import Sequence

from host import __version__

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code, which the console script exits with.

    Parameters
    ----------
    arguments : sequence of str, optional
        Defaults to the process's own, which is then this command's alone.
    """
    own_process = arguments is None
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        print(__version__)
        return 0
    if own_process:
        _start_fast()
    from host.cli import app

    code = contextvars.copy_context().run(app.main, given)  # what one command remembers is not the next one's
    if own_process:
        gc.freeze()  # the end is near: going through everything for cycles once more would free nothing
    return code


def _start_fast() -> None:
    """Save a good part of the time that imports take, before they begin."""
    # Modules are kept for good: looking through them for cycles again and again frees nothing.
    gc.set_threshold(50_000)
    # numpy's BLAS would start one thread per core as it loads, and nothing here multiplies large matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # pydantic would search every installed package for plugins to load into our models; there shall be none.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
