"""What recorded runs left, out of the blob store: the same execution as on the day of the run, files included.

Invariants
----------
* Outputs were checked when the run was recorded, and are named by digest; a stored file is hashed again before what an
  earlier command recorded is used.
* A file gets its name back through a link, since the name says how an image is to be read.
"""

import re
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from host.content.document_ports import DocumentPort, Surroundings, check_document
from host.execution import Execution
from host.outputs import CheckedOutput
from host.run_ledger import RecordedRun
from plugin_spec.case import QcEntry, Result
from plugin_spec.documents import MeasurementRows
from plugin_spec.manifest import Manifest
from registry.blobs import BlobStore
from registry.log import Record
from registry.statements import OutputRef, RunFinished, RunStarted

_IMAGES: Final = (".nii", ".nii.gz")
_QC: Final = re.compile(r"([a-z0-9][a-z0-9_-]*): (pass|warn|fail) \((.*)\)", re.DOTALL)


class StoredOutputs:
    """Recorded runs of one plugin, with their outputs as files; safe for threads.

    Parameters
    ----------
    blobs : BlobStore
    manifest : Manifest
        Of the release that ran.
    links : Path
        An empty folder for links, which must stay as long as what was read from here.
    """

    def __init__(self, blobs: BlobStore, manifest: Manifest, links: Path) -> None:
        self._blobs = blobs
        self._manifest = manifest
        self._links = links

    def kept(self, run: RecordedRun) -> RecordedRun:
        """A run of this command, whose outputs are where they stay once its folder is gone."""
        outputs = tuple(
            replace(one, path=self._file(run.record.run, one.port, one.path.name, one.digest))
            for one in run.execution.outputs
        )
        return replace(run, execution=replace(run.execution, outputs=outputs))

    def recorded(self, started: Record, finished: Record) -> RecordedRun:
        """A run that an earlier command recorded.

        Raises
        ------
        BlobMismatchError, MissingBlobError
            An output is not what was recorded, or is gone.
        """
        begun, ended = started.statement.read(RunStarted), finished.statement.read(RunFinished)
        execution = Execution(
            ended.outcome,
            ended.reason_code,
            ended.message,
            result=Result(
                outcome=ended.outcome,
                qc=tuple(_quality(line) for line in ended.qc),
                environment=ended.environment,
            ),
            outputs=tuple(self._output(one, begun, ended) for one in ended.outputs),
            warnings=ended.warnings,
        )
        return RecordedRun(started, finished, ended, execution)

    def has(self, output: OutputRef) -> bool:
        """Whether an output is stored here."""
        return self._blobs.has(output.digest)

    def verified(self, run: str, output: OutputRef) -> Path:
        """An output's file, its bytes hashed again; faults as in `recorded`."""
        self._blobs.verify(output.digest)
        return self._file(run, output.port, output.name, output.digest)

    def _file(self, run: str, port: str, name: str, digest: str) -> Path:
        """An output's file under the name it had."""
        link = self._links / f"{run}-{port}-{name}"
        with suppress(FileExistsError):  # another thread, or an earlier question, has made it
            link.symlink_to(self._blobs.path(digest))
        return link

    def _output(self, ref: OutputRef, begun: RunStarted, ended: RunFinished) -> CheckedOutput:
        path = self.verified(ended.run, ref)
        found = CheckedOutput(ref.port, path, ref.digest, ref.bytes)
        port = self._manifest.output(ref.port)
        if not isinstance(port, DocumentPort):
            return found
        surroundings = Surroundings.of(self._manifest, {}, _files_given(begun))
        document = check_document(port, path.read_bytes(), surroundings, csv=ref.name.endswith(".csv"))
        if isinstance(document, MeasurementRows):
            return replace(found, rows=document.rows)
        return replace(found, document=document)


def _files_given(begun: RunStarted) -> Counter[str]:
    """How many files each input port was given; an image's sidecar is recorded beside it and is none of them."""
    images = {one.port for one in begun.inputs if one.name.endswith(_IMAGES)}
    return Counter(one.port for one in begun.inputs if one.port not in images or one.name.endswith(_IMAGES))


def _quality(line: str) -> QcEntry:
    """A quality figure as a run's record writes it."""
    match = _QC.fullmatch(line)
    assert match is not None  # noqa: S101 - `host.records` has written it
    name, verdict, text = match.groups()
    value: float | str = text
    with suppress(ValueError):  # a word
        value = float(text) if str(float(text)) == text else text
    return QcEntry.model_validate({"id": name, "verdict": verdict, "value": value})
