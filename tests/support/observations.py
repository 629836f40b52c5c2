"""Builders of what is kept of runs of embedded tests, without a container."""

from pathlib import Path
from typing import Any

from host.embedded.observation import Observation
from host.embedded.plan import ContainerKind, PlannedRun
from host.execution import Execution
from host.outputs import CheckedOutput
from host.records import measured
from plugin_spec.documents import DOCUMENTS
from plugin_spec.manifest import EmbeddedTest, Manifest
from registry.canonical import canonical_json, digest

EXPECTS_OK = EmbeddedTest(name="answers", inputs={"t1": "a.nii"}, expect="ok")


def output_of(manifest: Manifest, port: str, value: Any, *, salt: str = "") -> CheckedOutput:
    """A checked output: of rows, of a document's fields, or of a file that exists.

    ``salt`` changes the bytes and nothing that they say.
    """
    kind = next(one.kind for one in manifest.outputs if one.name == port)
    if isinstance(value, Path):
        return CheckedOutput(port, value, digest(value.read_bytes() + salt.encode()), value.stat().st_size)
    data = canonical_json(value) + salt.encode()
    path = Path(f"{port}.json")
    if kind == "measurements":
        return CheckedOutput(port, path, digest(data), len(data), rows=tuple(value))
    document = DOCUMENTS[kind].model_validate({"contract": f"assay.{kind}/1", **value}, strict=False)
    return CheckedOutput(port, path, digest(data), len(data), document=document)  # type: ignore[arg-type]  # one of them


def observation(
    manifest: Manifest,
    values: dict[str, Any] | None = None,
    *,
    number: int = 1,
    container: ContainerKind = "fresh",
    test: EmbeddedTest = EXPECTS_OK,
    outcome: str = "ok",
    reason: str = "",
    message: str = "",
    salt: str = "",
) -> Observation:
    """One run of a test that left these outputs."""
    outputs = tuple(output_of(manifest, port, value, salt=salt) for port, value in (values or {}).items())
    execution = Execution(outcome, reason, message, outputs=outputs)  # type: ignore[arg-type]  # a word of three
    planned = PlannedRun(number, test.name, container)
    return Observation(planned, test, execution, measured(manifest, execution), log="")
