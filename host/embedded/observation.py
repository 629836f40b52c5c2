"""What is kept of a run of an embedded test until all runs can be held against each other."""

from dataclasses import dataclass
from pathlib import Path

from host.embedded.plan import PlannedRun
from host.execution import Execution
from host.outputs import CheckedOutput
from plugin_spec.manifest import EmbeddedTest
from registry.statements import Measured


@dataclass(frozen=True)
class Observation:
    """One run, its numbers as a record would hold them, and its log. Its outputs lie where ``execution`` says."""

    planned: PlannedRun
    test: EmbeddedTest
    execution: Execution
    measured: tuple[Measured, ...]
    log: str

    def output(self, port: str) -> CheckedOutput | None:
        """The output of a port, if the run has one."""
        return next((one for one in self.execution.outputs if one.port == port), None)

    def file(self, port: str) -> Path | None:
        """Where it lies."""
        found = self.output(port)
        return found.path if found else None
