"""A recorded case scored again, from its stored outputs and the kit's reference files.

What a run left is in the blob store under the digests that its record names, and the reference files are under those
of ``cases.csv``: whoever holds both can compute every figure of a results table anew, without running anything.
"""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from host.content.document_ports import DocumentPort, Surroundings, check_document
from host.execution import Execution
from host.kits.cases import KitCase
from host.kits.kit import KitFolder
from host.outputs import CheckedOutput
from host.records import measured
from host.validation.differences import Difference, differences
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.scoring import follows_from_records, score
from plugin_spec.documents import MeasurementRows
from plugin_spec.manifest import Manifest
from registry.blobs import BlobStore
from registry.statements import Measured, OutputRef, RunFinished, RunStarted

Outcome = Literal["ok", "refused", "failed"]


@dataclass(frozen=True)
class Rescorer:
    """Scores recorded runs of one release against one kit.

    Attributes
    ----------
    data : Path or None
        The kit's case files, whose digests were checked; None where they are not in this home.
    """

    blobs: BlobStore
    manifest: Manifest
    kit: KitFolder
    data: Path | None

    def obstacle(self, case: KitCase, ended: RunFinished) -> str:
        """Why a case's figures cannot all be computed again; empty where they can."""
        if not all(self.blobs.has(one.digest) for one in ended.outputs):
            return "its outputs are not stored in this home"
        if self.data is None and self._of_files(case, ended.outcome):
            return "the kit's case files are not in this home"
        return ""

    def _of_files(self, case: KitCase, outcome: Outcome) -> set[str]:
        """The metrics that need a file of this case."""
        if case.expected != "ok":
            return set()
        return {one.id for one in self.kit.protocol.metrics if not follows_from_records(one, outcome)}

    def row(self, case: KitCase, begun: RunStarted, ended: RunFinished) -> CaseRow:
        """Compute a case's row from its files.

        Raises
        ------
        BlobMismatchError
            A stored output is not what its record names.
        """
        with TemporaryDirectory() as links:
            outputs = tuple(self._output(one, begun, Path(links)) for one in ended.outputs)
            execution = Execution(ended.outcome, ended.reason_code, "", outputs=outputs)
            return self._scored(case, execution, measured(self.manifest, execution), self.kit.protocol)

    def row_of_numbers(self, case: KitCase, ended: RunFinished, found: CaseRow) -> CaseRow:
        """Compute a case's row from the recorded numbers; what needs files is taken over from ``found``."""
        taken = self._of_files(case, ended.outcome)
        left = tuple(one for one in self.kit.protocol.metrics if one.id not in taken)
        plan = self.kit.protocol.model_copy(update={"metrics": left})
        execution = Execution(ended.outcome, ended.reason_code, "")
        again = self._scored(case, execution, ended.measured, plan)
        imputed = {*again.imputed, *(taken if ended.outcome != "ok" else ())}
        values = {name: found.values.get(name) for name in taken}
        observations = {name: found.observations[name] for name in taken & found.observations.keys()}
        return again.model_copy(
            update={
                "values": {**again.values, **values},
                "observations": {**again.observations, **observations},
                "imputed": tuple(one.id for one in self.kit.protocol.metrics if one.id in imputed),
            }
        )

    def _scored(
        self, case: KitCase, execution: Execution, numbers: tuple[Measured, ...], protocol: Protocol
    ) -> CaseRow:
        files = case.references if self.data is not None else {}
        data = self.data or Path()
        return score(
            case,
            execution,
            manifest=self.manifest,
            protocol=protocol,
            measured=numbers,
            references={port: data / one.path for port, one in files.items()},
        )

    def _output(self, stored: OutputRef, begun: RunStarted, links: Path) -> CheckedOutput:
        """Read a stored output as it was when it was checked, under its own name, which says how to read it."""
        self.blobs.verify(stored.digest)
        blob, port = self.blobs.path(stored.digest), self.manifest.output(stored.port)
        if isinstance(port, DocumentPort):
            counts = {one.port: 0 for one in begun.inputs}
            for one in begun.inputs:
                counts[one.port] += 1
            around = Surroundings.of(self.manifest, {}, counts)
            document = check_document(port, blob.read_bytes(), around, csv=stored.name.endswith(".csv"))
            rows = document.rows if isinstance(document, MeasurementRows) else None
            return CheckedOutput(
                stored.port, blob, stored.digest, stored.bytes, rows=rows, document=None if rows else document
            )
        link = links / f"{stored.port}-{stored.name}"
        link.symlink_to(blob)
        return CheckedOutput(stored.port, link, stored.digest, stored.bytes)


def differing(found: CaseRow, again: CaseRow) -> list[Difference]:
    """Where two rows differ by more than rounding."""
    every = differences(found.model_dump(), again.model_dump())
    return [one for one in every if not one.is_rounding]
