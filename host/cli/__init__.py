"""The ``assay`` command."""

from host.cli.app import main

__all__ = ["main"]
