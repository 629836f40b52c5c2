"""What unrecorded runs leave: one folder with a document per case, and of a batch two tables over all of them.

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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from host.disk_errors import disk_errors
from host.emptying import remove_folder
from host.errors import TargetError
from plugin_spec.case import CaseId, Scalar
from plugin_spec.errors import AssayError
from plugin_spec.files import write_atomic
from plugin_spec.model import Sha256, StrictModel
from plugin_spec.resources import MIB
from registry.canonical import canonical_json, parse_json
from registry.statements import FileRef, InputRef, Measured, OutputRef, Timestamp

DOCUMENT = "result.json"
LOG = "log.txt"
BATCH_CONTRACT = "assay.batch/1"


class CaseDocument(StrictModel):
    """How an unrecorded case ended: ``result.json`` in its folder."""

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


@dataclass(frozen=True)
class Expected:
    """What the results in a batch's folder have to be of, for a batch to go on in it."""

    release: tuple[str, Sha256, Sha256]
    parameters: Mapping[str, Mapping[str, Scalar]]

    def differs(self, found: CaseDocument) -> str:
        """How an earlier result is another one than the batch would make; empty where it is not."""
        if found.case_id not in self.parameters:
            return "is of a case that the table does not name"
        if (found.plugin, found.image, found.manifest) != self.release:
            return f"comes from {found.plugin} {found.version} in another build"
        if found.outcome != "failed" and found.parameters != self.parameters[found.case_id]:
            return "has other parameters"
        return ""


def check_results_folder(out: Path, expected: Expected, *, replace: bool = False) -> None:
    """Make the batch's folder, and refuse to write over what is no result of the same cases, plugin and parameters.

    Parameters
    ----------
    out : Path
    expected : Expected
        What may lie there.
    replace : bool, optional
        Whether results of other cases, plugins and parameters are removed; what is no result never is.

    Raises
    ------
    TargetError
        The folder cannot be made, or holds something that the batch would overwrite.
    """
    with target_errors(out):
        out.mkdir(exist_ok=True)
        names = {*expected.parameters, *(one.name for one in out.iterdir() if not one.name.startswith("."))}
    _require_own_tables(out)
    others: list[tuple[Path, str]] = []
    for folder in (out / name for name in sorted(names)):
        found = _earlier(folder)
        if found is None:
            if (
                folder.name in expected.parameters
                and os.path.lexists(folder)
                and not (folder / DOCUMENT).is_file()
            ):
                raise TargetError(
                    f"--out {out}: {folder} exists and holds no result of a case",
                    subject=str(folder),
                    hint="name another folder, or move it away",
                )
        elif difference := expected.differs(found):
            others.append((folder, difference))
    if others and not replace:
        folder, difference = others[0]
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        raise TargetError(
            f"--out {out}: the result in {folder.name}{more} {difference}",
            subject=str(folder),
            hint="name another folder, or add --replace, which removes such results",
        )
    for folder, _ in others:
        with target_errors(folder):
            remove_folder(folder)


def _earlier(folder: Path) -> CaseDocument | None:
    try:
        found = CaseDocument.model_validate_json((folder / DOCUMENT).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.case_id == folder.name else None


def _require_own_tables(out: Path) -> None:
    """Refuse tables of results that no batch has written."""
    paths = [path for path in (out / "results.json", out / "results.csv") if os.path.lexists(path)]
    if not paths:
        return
    try:
        document = parse_json((out / "results.json").read_bytes(), where="results.json")
        own = isinstance(document, dict) and document.get("contract") == BATCH_CONTRACT
    except (OSError, ValueError, AssayError):
        own = False
    if not own:
        raise TargetError(
            f"--out {out}: {paths[-1].name} was not written by a batch",
            subject=str(paths[-1]),
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


@contextmanager
def result_folder(folder: Path, *, replace: bool = False) -> Iterator[Path]:
    """A folder to be filled that takes its place when the block ends well, and leaves nothing where it does not.

    Parameters
    ----------
    folder : Path
        Where it ends up; its parent exists.
    replace : bool, optional
        Whether it may take the place of an earlier one.

    Raises
    ------
    StorageFullError, TargetError
        The folder cannot be made there.
    """
    making = folder.with_name(f".{folder.name}.part")
    try:
        with target_errors(folder):
            if os.path.lexists(making):
                remove_folder(making)
            making.mkdir()
        yield making
        with target_errors(folder):
            if replace and os.path.lexists(folder):
                remove_folder(folder)
            os.rename(making, folder)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)  # half a result would be taken for a whole one
        raise


def target_errors(target: Path) -> AbstractContextManager[None]:
    """Name the place that the operator chose, where it cannot be written."""

    def unwritable(error: OSError) -> TargetError:
        return TargetError(
            f"--out {target}: cannot be written: {error.strerror}",
            subject=str(target),
            hint="name a folder on a disk that can be written",
        )

    return disk_errors(target, unwritable)


def fill_result(
    making: Path, document: CaseDocument, outputs: Sequence[Path], *, log: Path | None
) -> tuple[str, ...]:
    """Copy a case's outputs and log into its folder, write its document, and return the names of all."""
    sources = {path.name: path for path in outputs}
    if log is not None and log.is_file():
        sources[LOG if LOG not in sources else f"container-{LOG}"] = log
    with target_errors(making):
        for name, source in sources.items():
            shutil.copyfile(source, making / name)
        (making / DOCUMENT).write_bytes(canonical_json(document.model_dump(mode="json")) + b"\n")
    return (*sources, DOCUMENT)


def keep_result(out: Path, document: CaseDocument, outputs: Sequence[Path], *, log: Path | None) -> None:
    """Put a case's outputs, log and document into its folder, in place of an earlier one."""
    with result_folder(out / document.case_id, replace=True) as making:
        fill_result(making, document, outputs, log=log)


def write_tables(out: Path, results: Sequence[CaseDocument | NotRun]) -> tuple[Path, Path]:
    """Write ``results.csv`` and ``results.json`` over all cases, in their order."""
    table, document = out / "results.csv", out / "results.json"
    listed = [
        one.model_dump(mode="json")
        if isinstance(one, CaseDocument)
        else {"case_id": one.case_id, "outcome": "not run", "reason_code": one.reason}
        for one in results
    ]
    with target_errors(table):
        # The document first: it is what tells the two tables from somebody else's.
        write_atomic(document, canonical_json({"contract": BATCH_CONTRACT, "cases": listed}) + b"\n")
        write_atomic(table, _csv(results).encode())
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
        "warnings": "; ".join(one.warnings),
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
