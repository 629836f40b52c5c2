"""The manifest ``plugin.toml``: what an author declares about a plugin. Declarations only, never code."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from plugin_spec.domain import DomainRule
from plugin_spec.errors import ContractError
from plugin_spec.model import ColumnName, Identifier, PortName, RelativePath, Sha256, StrictModel, read_toml
from plugin_spec.ports import InputPort, LabelMapPort, MeasurementsPort, OutputPort, Parameter, VolumePort
from plugin_spec.resources import Resources

SemVer = Annotated[
    str, StringConstraints(pattern=r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$")
]
Spdx = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.+() -]{2,120}$")]
Doi = Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=3000)]


class Indication(StrictModel):
    """Where the plugin belongs in the catalogue."""

    area: Literal["neurology", "oncology", "cardiology", "every area"]
    disease: str = Field(min_length=1, max_length=120)


class Weights(StrictModel):
    """A data file the algorithm needs, pinned by digest and mounted read-only at /assay/weights."""

    name: PortName
    sha256: Sha256
    bytes: int = Field(gt=0)
    licence: Spdx
    uri: str = Field(min_length=1, max_length=500)


class Runtime(StrictModel):
    """How the container is made and started."""

    mode: Literal["exec"]
    adapter: RelativePath
    requirements: RelativePath | None = None
    threads: int = Field(default=1, ge=1, le=64)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    environment: dict[str, str] = {}


class ColumnTolerance(StrictModel):
    """How far a repeated run may differ in one measurements column."""

    column: ColumnName
    absolute: float = Field(gt=0)


class Determinism(StrictModel):
    """What the author claims about repeated runs; the host measures it."""

    claim: Literal["bitwise", "bitwise_same_device", "tolerance", "stochastic"]
    tolerances: tuple[ColumnTolerance, ...] = ()


class Comparison(StrictModel):
    """What an embedded test expects of one measurements column."""

    port: PortName
    column: ColumnName
    value: float
    absolute: float = Field(ge=0)


class EmbeddedTest(StrictModel):
    """A case shipped with the plugin: it must answer, or must refuse."""

    name: Identifier
    inputs: dict[PortName, RelativePath]
    expect: Literal["ok", "refused"]
    reason_code: str | None = None
    compare: tuple[Comparison, ...] = ()

    @model_validator(mode="after")
    def _expectation_is_complete(self) -> "EmbeddedTest":
        if (self.expect == "refused") != (self.reason_code is not None):
            raise ValueError("reason_code stands exactly where refused is expected")
        return self


class Citation(StrictModel):
    """A published source of the method."""

    text: str = Field(min_length=1, max_length=500)
    doi: Doi


class Attribution(StrictModel):
    """Intended use, limits, licences and sources: what a reviewer reads first."""

    intended_use: Text
    not_for: Text
    device_status: Text
    training_data: Text
    known_failure_modes: tuple[Text, ...] = Field(min_length=1)
    citations: tuple[Citation, ...] = Field(min_length=1)
    authors: tuple[Text, ...] = Field(min_length=1)
    licence: Spdx
    commercial_use: Literal["allowed", "forbidden", "ask"]


class Manifest(StrictModel):
    """A plugin's whole declaration."""

    contract: Literal["assay.plugin/1"]
    id: Identifier
    version: SemVer
    title: str = Field(min_length=1, max_length=120)
    summary: str = Field(min_length=1, max_length=500)
    capabilities: tuple[
        Literal["detection", "segmentation", "classification", "quantification", "prediction"], ...
    ] = Field(min_length=1)
    indications: tuple[Indication, ...] = Field(min_length=1)
    modalities: tuple[Literal["MR", "CT", "PT", "NM", "US", "XA", "OT"], ...] = Field(min_length=1)
    runtime: Runtime
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
    def _names_fit_together(self) -> "Manifest":
        inputs = [port.name for port in self.inputs]
        names = inputs + [port.name for port in self.outputs] + [one.name for one in self.parameters]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"ports and parameters share one set of names; repeated: {', '.join(repeated)}")
        for what, named in (("weights", self.weights), ("tests", self.tests)):
            if len({one.name for one in named}) != len(named):
                raise ValueError(f"{what}: each name may stand once")
        for port in (*self.inputs, *self.outputs):
            if isinstance(port, (VolumePort, LabelMapPort)) and port.grid_of not in (None, *inputs):
                raise ValueError(f"port {port.name}: grid_of names {port.grid_of!r}, which is not an input")
        for rule in self.domain:
            if rule.port not in inputs:
                raise ValueError(f"domain rule on {rule.tag}: {rule.port!r} is not an input port")
        for parameter in self.parameters:
            if not parameter.accepts(parameter.default):
                raise ValueError(
                    f"parameter {parameter.name}: the default {parameter.default!r} is out of bounds"
                )
        return self

    @model_validator(mode="after")
    def _tests_fit_the_ports(self) -> "Manifest":
        expectations = {test.expect for test in self.tests}
        if expectations != {"ok", "refused"}:
            raise ValueError("tests: at least one positive (ok) and one negative (refused) test is needed")
        for test in self.tests:
            if set(test.inputs) != {port.name for port in self.inputs}:
                raise ValueError(f"test {test.name}: give exactly the input ports")
            for comparison in test.compare:
                if comparison.column not in self.columns_of(comparison.port):
                    raise ValueError(f"test {test.name}: no column {comparison.port}.{comparison.column}")
        for tolerance in self.determinism.tolerances:
            if not any(tolerance.column in self.columns_of(port.name) for port in self.outputs):
                raise ValueError(f"determinism: no measurements column {tolerance.column!r}")
        return self

    def columns_of(self, port_name: str) -> tuple[str, ...]:
        """Column names of a measurements output; empty for any other port."""
        for port in self.outputs:
            if port.name == port_name and isinstance(port, MeasurementsPort):
                return tuple(column.name for column in port.columns)
        return ()

    def output(self, name: str) -> VolumePort | LabelMapPort | MeasurementsPort | None:
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
