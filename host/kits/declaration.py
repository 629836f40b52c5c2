"""What ``kit.toml`` declares: the question's frame, the data and what may be done with them, the reference standard."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from host.added_fields import added, newer_fields
from host.kits.cases import Evidence
from plugin_spec.codes import UcumUnit
from plugin_spec.manifest import Doi, Spdx
from plugin_spec.model import Identifier, PortName, RelativePath, Sha256, StrictModel

FIRST: Final = "assay.kit/1"
CURRENT: Final = "assay.kit/2"
Text = Annotated[str, StringConstraints(min_length=1, max_length=3000)]


class Measurand(StrictModel):
    """What the kit's numbers are numbers of.

    Attributes
    ----------
    column : PortName
        The column of a measurements output, or ``value`` of a score.
    title : str
        For people.
    unit : UcumUnit
    operating_min, operating_max : float
        The range over which the kit's cases reach.
    """

    column: PortName
    title: str = Field(min_length=1, max_length=200)
    unit: UcumUnit
    operating_min: float
    operating_max: float


class Dataset(StrictModel):
    """Where the images come from and what may be done with them.

    Attributes
    ----------
    title : str
        The name under which the data set is known.
    doi : str
        The DOI alone; empty where it has none.
    licence : str
        An SPDX expression; ``LicenseRef-…`` for a licence that is not listed, with its words in ``licence_text``.
    provenance : str
        Whose images these are, and everything that was done to them before they came here.
    deidentification : str
        How persons were made unrecognisable, and by whom.
    citation : str
        The publication, as its authors ask for it.
    licence_text : str
        The words that a licence outside SPDX's list asks to be shown.
    other_names : tuple of str
        Names under which the same images go elsewhere, so that a plugin trained on them can be told.
    """

    title: str = Field(min_length=1, max_length=300)
    doi: str
    licence: str
    provenance: str
    deidentification: str
    citation: str = added("")
    licence_text: str = added("")
    other_names: tuple[Text, ...] = added(())


class Reader(StrictModel):
    """Somebody who made, or took part in making, the reference standard.

    Attributes
    ----------
    id : PortName
        As in the columns ``reader.ID.…`` of cases.csv.
    role : str
        What they did, such as: drew every lesion, settled disagreements.
    experience : str
        Training and years, or that it is not published.
    blinded_to : str
        What was kept from them, such as clinical data, the other readers' marks, the order of visits.
    """

    id: PortName
    role: Text
    experience: Text
    blinded_to: str = ""


class Agreement(StrictModel):
    """How far readers agreed, as somebody published it.

    Attributes
    ----------
    statistic : str
        Its name and definition, such as: Dice of two readers, mean over 30 patients.
    between : str
        Which readers.
    value, low, high, level : float
        The figure, and its interval where one was published.
    subjects : int
        On how many.
    source : str
        The publication and the table or page.
    """

    statistic: Text
    between: Text
    value: float
    low: float | None = None
    high: float | None = None
    level: float = Field(default=0.95, gt=0, lt=1)
    subjects: int = Field(ge=1)
    source: Text

    @model_validator(mode="after")
    def _interval_is_whole(self) -> "Agreement":
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high stand together")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"value: {self.value:g} lies outside its own interval")
        return self


class ReferenceStandard(StrictModel):
    """What the outputs are compared with, and how it was made.

    Attributes
    ----------
    kind : str
        ``expert``, ``consensus`` of several, ``derived`` from other data or ``constructed`` with the images.
    description : str
    readers : int
        How many readers made it.
    reader : tuple of Reader
        Who they were.
    adjudication : str
        How disagreements were settled.
    agreement : tuple of Agreement
        What is published about their agreement; where cases.csv has their own references, it is computed from these.
    """

    kind: Literal["expert", "consensus", "derived", "constructed"]
    description: str
    readers: int = Field(ge=0)
    reader: tuple[Reader, ...] = added(())
    adjudication: str = added("")
    agreement: tuple[Agreement, ...] = added(())

    @model_validator(mode="after")
    def _readers_are_counted(self) -> "ReferenceStandard":
        if self.reader and len(self.reader) != self.readers:
            raise ValueError(
                f"readers is {self.readers} and {len(self.reader)} are described; make them agree"
            )
        if len({one.id for one in self.reader}) != len(self.reader):
            raise ValueError("reader: each id may stand once")
        return self


class Source(StrictModel):
    """A pinned file, or a folder of them: read by the generator under ``file`` in its input folder, or a case file.

    Attributes
    ----------
    name : PortName
        As in cells ``source:NAME`` of cases.csv.
    uri : str
        Where it is found, as in ``host.sources``.
    file : RelativePath
        What it is called here.
    sha256, bytes : Sha256, int
        Of the file; of a folder, the digest of its listing and the bytes of all its files.
    licence : Spdx or None
        Where it is not the data set's.
    listing : RelativePath or None
        The kit's file that lists the files of a folder, whose ``uri`` and ``file`` end in ``/``.
    """

    name: PortName
    uri: str = Field(min_length=1, max_length=500)
    file: RelativePath
    sha256: Sha256
    bytes: int = Field(gt=0)
    licence: Spdx | None = added(None)
    listing: RelativePath | None = added(None)

    @model_validator(mode="after")
    def _folders_are_listed(self) -> "Source":
        ends = {self.uri.endswith("/"), self.file.endswith("/"), self.listing is not None}
        if len(ends) > 1:
            raise ValueError(f"source {self.name}: uri and file end in / exactly where a listing is named")
        return self


class Generator(StrictModel):
    """A script that makes the case files from the sources, in a container without a network."""

    script: RelativePath
    requirements: RelativePath | None = None


class Kit(StrictModel):
    """The declarations of ``kit.toml``.

    ``assay.kit/1`` asks for a generator, a source and a measurand at least. With ``assay.kit/2`` case files may be
    sources themselves or lie in the kit's folder, a kit of findings or classes measures nothing, and licences are SPDX
    expressions.

    Attributes
    ----------
    time_unit : UcumUnit or None
        Of the columns ``time.PORT``, and of every horizon in the protocol.
    """

    contract: Literal["assay.kit/1", "assay.kit/2"]
    id: Identifier
    version: str
    title: str = Field(min_length=1, max_length=200)
    summary: str = Field(min_length=1, max_length=1000)
    capability: Literal["detection", "segmentation", "classification", "quantification", "prediction"]
    area: Literal["neurology", "oncology", "cardiology", "every area"]
    disease: str
    evidence: Evidence
    licence: str
    context_of_use: str
    measurands: tuple[Measurand, ...] = ()
    dataset: Dataset
    reference_standard: ReferenceStandard
    sources: tuple[Source, ...] = ()
    generator: Generator | None = None
    time_unit: UcumUnit | None = added(None)

    @property
    def is_first(self) -> bool:
        """Whether it is of the contract's first version, which cases.csv follows."""
        return self.contract == FIRST

    @model_validator(mode="after")
    def _keeps_its_contract(self) -> "Kit":
        names = [one.name for one in self.sources]
        files = [one.file for one in self.sources]
        if len(set(names)) != len(names) or len(set(files)) != len(files):
            raise ValueError("sources: each name and each file may stand once")
        if self.is_first:
            self._keep_the_first()
        else:
            _require(Spdx, self.licence, "licence", "an SPDX expression, such as CC-BY-4.0")
            _require(Spdx, self.dataset.licence, "dataset.licence", "an SPDX expression, such as CC-BY-4.0")
            if self.dataset.doi:
                _require(Doi, self.dataset.doi, "dataset.doi", "the DOI alone, or nothing")
        return self

    def _keep_the_first(self) -> None:
        newer = next(newer_fields(self), None)
        if newer is not None:
            raise ValueError(f'{newer} is not of {FIRST}; write contract = "{CURRENT}"')
        for name in ("measurands", "sources", "generator"):
            if not getattr(self, name):
                raise ValueError(
                    f'{name} is missing; only {CURRENT} goes without: write contract = "{CURRENT}"'
                )


def _require(kind: Any, value: str, field: str, wanted: str) -> None:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise ValueError(f"{field}: write {wanted}") from error
