"""The manifest ``plugin.toml``: what an author declares about a plugin. Declarations only, never code."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, model_validator

from plugin_spec.command import Command
from plugin_spec.domain import DomainRule
from plugin_spec.errors import ContractError
from plugin_spec.image import ImageSource, PackagesImage
from plugin_spec.model import (
    ColumnName,
    Identifier,
    PortName,
    ReasonCode,
    RelativePath,
    Sha256,
    StrictModel,
    read_toml,
)
from plugin_spec.ports import InputPort, MeasurementsPort, Modality, OutputPort, Parameter
from plugin_spec.resources import Resources
from plugin_spec.rules import COLLECT_FAULTS, faults_of

SemVer = Annotated[
    str, StringConstraints(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$")
]
Spdx = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+() -]{2,120}$")]
Doi = Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")]
EnvironmentName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=3000)]


class Indication(StrictModel):
    """Where the plugin belongs in the catalogue.

    Attributes
    ----------
    area : str
        Therapeutic area.
    disease : str
        Disease, or "any".
    """

    area: Literal["neurology", "oncology", "cardiology", "every area"]
    disease: str = Field(min_length=1, max_length=120)


class Weights(StrictModel):
    """A data file the algorithm needs, pinned by digest and mounted read-only at /assay/weights.

    Attributes
    ----------
    name : PortName
        Name of the file at /assay/weights.
    sha256, bytes : Sha256, int
        Digest and size of the file; another file is never mounted.
    licence : Spdx
        SPDX expression; NOASSERTION until a human has looked.
    uri : str
        ``local:PATH`` in the plugin's folder, ``package:NAME==VERSION@sha256:WHEEL!MEMBER``, or ``url:https://…``.
    """

    name: PortName
    sha256: Sha256
    bytes: int = Field(gt=0)
    licence: Spdx
    uri: str = Field(min_length=1, max_length=500)


class Runtime(StrictModel):
    """How the container is started, and by what it answers: an adapter in Python, or the command of a tool.

    ``mode = "serve"`` declares that one container may answer for many cases, one after another: nothing of a case
    may change the answer to the next.

    Attributes
    ----------
    mode : str
        ``exec`` starts a container per case; ``serve`` may keep one for many.
    adapter : RelativePath or None
        Python module in the plugin's folder whose function answers for a case.
    command : Command or None
        Command line of a tool that is not Python.
    requirements : RelativePath or None
        Hashed requirements, installed into the image; ``assay plugin lock`` writes them.
    threads, seed : int
        What the algorithm is given, the same in every run.
    environment : mapping
        Variables of the container; no secrets.
    """

    mode: Literal["exec", "serve"]
    adapter: RelativePath | None = None
    command: Command | None = None
    requirements: RelativePath | None = None
    threads: int = Field(default=1, ge=1, le=64)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    environment: dict[EnvironmentName, str] = {}


class Tolerance(StrictModel):
    """How far a repeated run may differ in one output.

    ``absolute`` (in the column's or the voxels' unit) or ``relative`` for numbers and volumes, the lowest ``dice``
    for label maps. ``port`` may be left out where a column's name is enough.
    """

    port: PortName | None = None
    column: ColumnName | None = None
    absolute: float | None = Field(default=None, gt=0)
    relative: float | None = Field(default=None, gt=0, lt=1)
    dice: float | None = Field(default=None, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_figure_for_one_thing(self) -> "Tolerance":
        if (self.port, self.column) == (None, None):
            raise ValueError("a tolerance is about nothing; add port, column or both")
        if sum(figure is not None for figure in (self.absolute, self.relative, self.dice)) != 1:
            raise ValueError("a tolerance has one figure; give one of absolute, relative and dice")
        return self


class Determinism(StrictModel):
    """What the author claims about repeated runs; the host measures it.

    Attributes
    ----------
    claim : str
        ``bitwise``: the same bytes anywhere; ``bitwise_same_device``: on one kind of device; ``tolerance``:
        within ``tolerances``; ``stochastic``: without bound.
    tolerances : tuple of Tolerance
        How far repeated runs may differ.
    """

    claim: Literal["bitwise", "bitwise_same_device", "tolerance", "stochastic"]
    tolerances: tuple[Tolerance, ...] = ()


class Comparison(StrictModel):
    """What an embedded test expects of one output.

    | output | fields |
    |---|---|
    | measurements | ``column``, ``value``, ``absolute`` or ``relative`` (and ``row``, counted from 0) |
    | score | ``value``, ``absolute`` or ``relative`` |
    | classification | ``equals``: the class |
    | detections | ``count``, and ``absolute`` where it may differ |
    | label_map | ``reference`` file and lowest ``dice``, of one ``label`` or of each |
    | volume | ``reference`` file and ``absolute``: the largest difference of a voxel |
    """

    port: PortName
    column: ColumnName | None = None
    row: int = Field(default=0, ge=0)
    label: PortName | None = None
    value: float | None = None
    equals: str | None = None
    count: int | None = Field(default=None, ge=0)
    reference: RelativePath | None = None
    absolute: float | None = Field(default=None, ge=0)
    relative: float | None = Field(default=None, ge=0)
    dice: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _expects_one_thing(self) -> "Comparison":
        expected = (self.value, self.equals, self.count, self.reference)
        if sum(one is not None for one in expected) != 1:
            raise ValueError("a comparison expects one thing; give one of value, equals, count and reference")
        return self


class EmbeddedTest(StrictModel):
    """A case shipped with the plugin: it must answer, or must refuse.

    An input is a file or folder of the plugin's own folder; a list of them where the port takes several.

    Attributes
    ----------
    name : Identifier
        Lower-case letters, digits and hyphens.
    inputs : mapping
        Input port to the file or files it is given.
    parameters : mapping
        Parameters that differ from their default.
    expect : str
        ``ok``: it must answer; ``refused``: it must refuse, with ``reason_code``.
    reason_code : str or None
        The reason a refusal must give.
    compare : tuple of Comparison
        What is expected of the outputs.
    """

    name: Identifier
    inputs: dict[PortName, RelativePath | tuple[RelativePath, ...]]
    parameters: dict[PortName, bool | int | float | str] = {}
    expect: Literal["ok", "refused"]
    reason_code: ReasonCode | None = None
    compare: tuple[Comparison, ...] = ()

    @model_validator(mode="after")
    def _expectation_is_complete(self) -> "EmbeddedTest":
        if (self.expect == "refused") != (self.reason_code is not None):
            fix = "remove it" if self.expect == "ok" else 'add reason_code = "…", as the plugin gives it'
            raise ValueError(f"reason_code stands exactly where refused is expected; {fix}")
        return self

    def files(self) -> dict[str, tuple[str, ...]]:
        """The files of every input, as lists."""
        return {
            port: (given,) if isinstance(given, str) else tuple(given) for port, given in self.inputs.items()
        }


class Citation(StrictModel):
    """A published source of the method.

    Attributes
    ----------
    text : str
        The reference as it is printed.
    doi : Doi
        The DOI alone, such as 10.1109/42.906424.
    """

    text: str = Field(min_length=1, max_length=500)
    doi: Doi


class TrainingDataset(StrictModel):
    """A data set the method was trained or tuned on, so that a kit made of the same subjects can be told.

    Attributes
    ----------
    name, source : str
        The name under which the set is known, and where it is had from.
    subjects : int or None
        How many subjects of it were used.
    digests : tuple of Sha256
        Of its files, where they are known.
    identifiers : tuple of str
        DICOM UIDs, or the set's own names of cases.
    doi : Doi or None
        The set's DOI alone.
    subject_ids : tuple of str
        The set's own names of the subjects that were used, where not all were: a kit of the others stays possible.
    """

    name: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=500)
    subjects: int | None = Field(default=None, ge=0)
    digests: tuple[Sha256, ...] = ()
    identifiers: tuple[str, ...] = ()
    doi: Doi | None = None
    subject_ids: tuple[str, ...] = ()


class Attribution(StrictModel):
    """Intended use, limits, licences and sources: what a reviewer reads first.

    Attributes
    ----------
    intended_use : Text
        What it is for: population, images, use of the result.
    not_for : Text
        What it must not be used for.
    device_status : Text
        Clearances with their numbers, or that it is no medical device.
    training_data : Text
        What it was trained or tuned on, or None.
    training_datasets : tuple of TrainingDataset
        The same, set by set, so that a kit made of them can be told.
    known_failure_modes : tuple of Text
        How it is known to go wrong, and how one sees it.
    citations : tuple of Citation
        Publications of the method.
    authors : tuple of Text
        Who made it.
    licence : Spdx
        SPDX expression of the code.
    commercial_use : str
        Whether a company may use it: ``allowed``, ``forbidden`` or ``ask``.
    """

    intended_use: Text
    not_for: Text
    device_status: Text
    training_data: Text
    training_datasets: tuple[TrainingDataset, ...] = ()
    known_failure_modes: tuple[Text, ...] = Field(min_length=1)
    citations: tuple[Citation, ...] = Field(min_length=1)
    authors: tuple[Text, ...] = Field(min_length=1)
    licence: Spdx
    commercial_use: Literal["allowed", "forbidden", "ask"]


class Manifest(StrictModel):
    """A plugin's whole declaration.

    Attributes
    ----------
    contract : str
        Always ``assay.plugin/1``.
    id : Identifier
        Name in the catalogue: lower-case letters, digits and hyphens.
    version : SemVer
        Semantic version, such as 1.0.0; a release never changes.
    title : str
        Name for people.
    summary : str
        What it does, in a sentence or two.
    capabilities : tuple of str
        What its answer is.
    indications : tuple of Indication
        Where it belongs in the catalogue.
    modalities : tuple of Modality
        DICOM modalities it reads.
    runtime : Runtime
        How it is run.
    image : ImageSource
        Where its container image comes from.
    weights : tuple of Weights
        Data files it needs.
    inputs, outputs : tuple of InputPort
        Ports: what goes in and what comes out.
    parameters : tuple of Parameter
        Values an operator or a trial lock may set.
    domain : tuple of DomainRule
        The images on which the evidence holds; checked before a run.
    resources : Resources
        What a run may use.
    determinism : Determinism
        What is claimed about repeated runs.
    tests : tuple of EmbeddedTest
        Cases shipped with it: at least one it must answer and one it must refuse.
    attribution : Attribution
        Intended use, limits, licences and sources.
    """

    contract: Literal["assay.plugin/1"]
    id: Identifier
    version: SemVer
    title: str = Field(min_length=1, max_length=120)
    summary: str = Field(min_length=1, max_length=500)
    capabilities: tuple[
        Literal["detection", "segmentation", "classification", "quantification", "prediction"], ...
    ] = Field(min_length=1)
    indications: tuple[Indication, ...] = Field(min_length=1)
    modalities: tuple[Modality, ...] = Field(min_length=1)
    runtime: Runtime
    image: ImageSource = PackagesImage()
    weights: tuple[Weights, ...] = ()
    inputs: tuple[InputPort, ...] = Field(min_length=1)
    outputs: tuple[OutputPort, ...] = Field(min_length=1)
    parameters: tuple[Parameter, ...] = ()
    domain: tuple[DomainRule, ...] = ()
    resources: Resources
    determinism: Determinism
    tests: tuple[EmbeddedTest, ...] = Field(min_length=2)
    attribution: Attribution

    @model_validator(mode="after")
    def _keeps_the_rules(self, info: ValidationInfo) -> "Manifest":
        """Refuse what breaks a rule of `plugin_spec.rules`; a list in the context collects all faults instead."""
        found = faults_of(self)
        collected = (info.context or {}).get(COLLECT_FAULTS)
        if collected is not None:
            collected.extend(found)
        elif found:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise ValueError(f"{found[0].path}: {found[0].message}{more}")
        return self

    def columns_of(self, port_name: str) -> tuple[str, ...]:
        """Column names of a measurements output; empty for any other port."""
        port = self.output(port_name)
        return tuple(column.name for column in port.columns) if isinstance(port, MeasurementsPort) else ()

    def input(self, name: str) -> InputPort | None:
        """The declared input port called ``name``, if there is one."""
        return next((port for port in self.inputs if port.name == name), None)

    def output(self, name: str) -> OutputPort | None:
        """The declared output port called ``name``, if there is one."""
        return next((port for port in self.outputs if port.name == name), None)


def read_manifest(path: Path) -> Manifest:
    """Read and check a ``plugin.toml``.

    Raises
    ------
    ContractError
        One line with the file, the field and what is wrong.
    """
    return read_toml(path, Manifest, error=ContractError)
