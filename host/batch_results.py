"""What a batch leaves: one folder with a document per case, and two tables over all of them.

Invariants
----------
* A case's folder appears whole or not at all; one that is there holds its document and every file the document names.
* A result is kept only for the same inputs, image, manifest, weights and parameters, and if its files still have their
  digests.
"""

import csv
import hashlib
import io
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from host.errors import TargetError
from host.staging import work_errors
from plugin_spec.case import CaseId, Scalar
from plugin_spec.files import write_atomic
from plugin_spec.model import Sha256, StrictModel
from plugin_spec.resources import MIB
from registry.canonical import canonical_json
from registry.statements import FileRef, InputRef, Measured, OutputRef, Timestamp

DOCUMENT = "result.json"
LOG = "log.txt"


class CaseDocument(StrictModel):
    """How a case of a batch ended: ``result.json`` in its folder."""

    contract: Literal["assay.case-result/1"] = "assay.case-result/1"
    case_id: CaseId
    plugin: str
    version: str
    image: Sha256
    manifest: Sha256
    weights: tuple[FileRef, ...]
    inputs: tuple[InputRef, ...]
    parameters: dict[str, Scalar]
    container: Literal["fresh", "warm"]
    outcome: Literal["ok", "refused", "failed"]
    reason_code: str
    message: str
    outputs: tuple[OutputRef, ...]
    measured: tuple[Measured, ...]
    warnings: tuple[str, ...]
    duration_s: float
    memory_peak_bytes: int | None
    memory_limit_bytes: int
    finished_at: Timestamp

    def is_of(self, other: "CaseDocument") -> bool:
        """Whether both come from the same inputs, image, manifest, weights and parameters."""
        return all(
            getattr(self, field) == getattr(other, field)
            for field in ("case_id", "image", "manifest", "weights", "inputs", "parameters")
        )


@dataclass(frozen=True)
class NotRun:
    """A case that was not brought to its end, and why."""

    case_id: str
    reason: str


def check_results_folder(out: Path, case_ids: Sequence[str]) -> None:
    """Make the batch's folder, and refuse to write over folders that hold something else than results of cases.

    Raises
    ------
    TargetError
        The folder cannot be made, or a case's folder is somebody else's.
    """
    try:
        out.mkdir(exist_ok=True)
    except OSError as error:
        raise TargetError(f"--out {out}: {error.strerror}", subject=str(out)) from error
    for case_id in case_ids:
        folder = out / case_id
        if os.path.lexists(folder) and not (folder / DOCUMENT).is_file():
            raise TargetError(
                f"--out {out}: {folder} exists and holds no result of a case",
                subject=str(folder),
                hint="name another folder, or move it away",
            )


def kept_result(out: Path, planned: CaseDocument) -> CaseDocument | None:
    """An earlier result of the same case, if it is whole; a failed one is run again.

    Parameters
    ----------
    out : Path
        The batch's folder.
    planned : CaseDocument
        What would be run: its identity counts, not its outcome.
    """
    folder = out / planned.case_id
    try:
        found = CaseDocument.model_validate_json((folder / DOCUMENT).read_bytes())
        whole = all(_digest(folder / one.name) == one.digest for one in found.outputs)
    except (OSError, ValidationError):
        return None
    return found if whole and found.outcome != "failed" and found.is_of(planned) else None


def keep_result(out: Path, document: CaseDocument, outputs: Sequence[Path], *, log: Path | None) -> None:
    """Put a case's outputs, log and document into its folder, in place of an earlier one."""
    folder, making = out / document.case_id, out / f".{document.case_id}.part"
    taken = {path.name for path in outputs}
    with work_errors(folder):
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        for path in outputs:
            shutil.copyfile(path, making / path.name)
        if log is not None and log.is_file():
            shutil.copyfile(log, making / (LOG if LOG not in taken else f"container-{LOG}"))
        (making / DOCUMENT).write_bytes(canonical_json(document.model_dump(mode="json")) + b"\n")
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(making, folder)


def write_tables(out: Path, results: Sequence[CaseDocument | NotRun]) -> tuple[Path, Path]:
    """Write ``results.csv`` and ``results.json`` over all cases, in their order."""
    table, document = out / "results.csv", out / "results.json"
    listed = [
        one.model_dump(mode="json")
        if isinstance(one, CaseDocument)
        else {"case_id": one.case_id, "outcome": "not run", "reason_code": one.reason}
        for one in results
    ]
    with work_errors(table):
        write_atomic(table, _csv(results).encode())
        write_atomic(document, canonical_json({"contract": "assay.batch/1", "cases": listed}) + b"\n")
    return table, document


def _csv(results: Sequence[CaseDocument | NotRun]) -> str:
    rows = [_row(one) for one in results]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(one: CaseDocument | NotRun) -> dict[str, object]:
    if isinstance(one, NotRun):
        return {"case_id": one.case_id, "outcome": "not run", "reason_code": one.reason}
    peak = "" if one.memory_peak_bytes is None else round(one.memory_peak_bytes / MIB, 1)
    row: dict[str, object] = {
        "case_id": one.case_id,
        "outcome": one.outcome,
        "reason_code": one.reason_code,
        "container": one.container,
        "duration_s": round(one.duration_s, 3),
        "memory_peak_mib": peak,
    }
    many = {number.port for number in one.measured if number.row > 0}
    for number in one.measured:
        place = f"{number.port}.{number.row}" if number.port in many else number.port
        row[f"{place}.{number.column}"] = number.value
    row |= {f"{output.port}.sha256": output.digest.removeprefix("sha256:") for output in one.outputs}
    return row


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()
