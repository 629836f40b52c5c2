"""The cases of a kit: what a row of ``cases.csv`` gives, and what its outputs are compared with.

Columns. A kit of ``assay.kit/1`` has the first group only; an empty cell is absent.

| column | what it holds |
|---|---|
| ``case_id``, ``subject_id``, ``expected``, ``evidence``, ``smoke`` | who it is; ok or refused; yes or no |
| ``in.PORT``, ``ref.PORT`` with ``….sha256`` | a file given to the plugin; the reference file of an output |
| ``value.COLUMN``, ``stratum.NAME`` | a reference number; the subgroup it belongs to |
| ``session`` | the visit |
| ``in.PORT.1``, ``in.PORT.2``, … with ``….sha256`` | the files of a port that takes several, in order |
| ``param.NAME`` | a parameter that differs from its default |
| ``class.PORT`` | the reference class of a classification output |
| ``time.PORT``, ``event.PORT`` | time to event or censoring, and whether the event was seen (yes or no) |
| ``baseline.PORT`` | the risk score of the comparator that a prediction has to beat |
| ``reader.READER.PORT`` with ``….sha256`` | one reader's own reference file |
| ``reader.READER.COLUMN``, ``reader.READER.class.PORT`` | one reader's own number or class |

A file is ``PATH``, made by the kit's generator, or ``source:NAME``, a source of ``kit.toml`` as it is, whose digest
stands there, or ``local:PATH``, a file of the kit's own folder. A path that ends in ``/`` is a folder, such as a DICOM
series.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from plugin_spec.case import CaseId
from plugin_spec.model import PortName, RelativePath, Sha256, StrictModel

Evidence = Literal["patient", "derived", "phantom"]
EVIDENCE_ORDER: tuple[Evidence, ...] = ("patient", "derived", "phantom")  # strongest first
SOURCE_FOLDER: Final = "source"
LOCAL_FOLDER: Final = "local"
Word = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class CaseFile(StrictModel):
    """A file, or a folder whose path ends in ``/``, in the kit's data folder, and the digest it must have."""

    path: RelativePath
    sha256: Sha256

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder: its digest is then that of the listing of its files."""
        return self.path.endswith("/")


class ReaderReference(StrictModel):
    """What one reader found in a case, apart from the reference standard made of all of them."""

    files: dict[PortName, CaseFile] = {}
    values: dict[PortName, float] = {}
    classes: dict[PortName, Word] = {}


class KitCase(StrictModel):
    """One row of ``cases.csv``.

    Attributes
    ----------
    case_id, subject_id : str
        The evaluated unit, and the person it counts under.
    expected : str
        ``ok``: it is to answer; ``refused``: it is to refuse.
    evidence : str
        ``patient``, ``derived`` or ``phantom``.
    smoke : bool
        Whether it belongs to the small subset that proves the path.
    inputs : dict
        Port to its files, in order; one for most ports.
    references : dict
        Output port to the file it is compared with, of the kind that the port is of.
    values : dict
        Column to its reference number.
    strata : dict
        Stratum to the level this case belongs to.
    session : str or None
        The visit.
    parameters : dict
        Parameter to its cell, which is read as the plugin declares it.
    classes, times, events, baselines : dict
        Output port to its reference class; time to event or censoring; whether the event was seen; and the
        comparator's score.
    readers : dict
        Reader to what they found.
    """

    case_id: CaseId
    subject_id: CaseId
    expected: Literal["ok", "refused"]
    evidence: Evidence
    smoke: bool
    inputs: dict[PortName, Annotated[tuple[CaseFile, ...], Field(min_length=1)]]
    references: dict[PortName, CaseFile]
    values: dict[PortName, float]
    strata: dict[PortName, str]
    session: CaseId | None = None
    parameters: dict[PortName, Word] = {}
    classes: dict[PortName, Word] = {}
    times: dict[PortName, Annotated[float, Field(ge=0)]] = {}
    events: dict[PortName, bool] = {}
    baselines: dict[PortName, float] = {}
    readers: dict[PortName, ReaderReference] = {}

    @model_validator(mode="after")
    def _times_have_events(self) -> "KitCase":
        if alone := sorted(set(self.times) ^ set(self.events)):
            raise ValueError(f"time.{alone[0]} and event.{alone[0]} stand together")
        return self

    def files(self) -> Iterator[CaseFile]:
        """Every file it names: inputs, references, readers' references."""
        for given in self.inputs.values():
            yield from given
        yield from self.references.values()
        for reader in self.readers.values():
            yield from reader.files.values()


def evidence_of(cases: Sequence[KitCase], *, first: bool) -> Evidence:
    """What a kit's answers are evidence of: its weakest case, among those whose answer is compared.

    Parameters
    ----------
    cases : sequence of KitCase
        One at least.
    first : bool
        Whether the kit is of ``assay.kit/1``, where cases that must be refused count too. They have no answer: a
        patient's row with a value taken out does not make the others less than patients. A kit of refusals alone is
        what they are.
    """
    answered = [case for case in cases if case.expected == "ok" or first]
    return max((case.evidence for case in answered or cases), key=EVIDENCE_ORDER.index)
