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


def output_of(manifest: Manifest, folder: Path, port: str, value: Any, *, salt: str = "") -> CheckedOutput:
    """A checked output: of rows or a document's fields, written into ``folder``, or of a file that exists.

    ``salt`` changes the bytes and nothing that they say.
    """
    kind = next(one.kind for one in manifest.outputs if one.name == port)
    if isinstance(value, Path):
        return CheckedOutput(port, value, digest(value.read_bytes() + salt.encode()), value.stat().st_size)
    fields = {"rows": value} if kind == "measurements" else value
    document = DOCUMENTS[kind].model_validate({"contract": f"assay.{kind}/1", **fields}, strict=False)
    data = canonical_json({"contract": f"assay.{kind}/1", **fields}) + salt.encode()
    path = folder / f"{port}.json"
    path.write_bytes(data)
    if kind == "measurements":
        return CheckedOutput(port, path, digest(data), len(data), rows=tuple(value))
    return CheckedOutput(port, path, digest(data), len(data), document=document)  # type: ignore[arg-type]  # one of them


def observation(
    manifest: Manifest,
    folder: Path,
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
    left = folder / f"run-{number}"
    left.mkdir(exist_ok=True)
    outputs = tuple(
        output_of(manifest, left, port, value, salt=salt) for port, value in (values or {}).items()
    )
    execution = Execution(outcome, reason, message, outputs=outputs)  # type: ignore[arg-type]  # a word of three
    planned = PlannedRun(number, test.name, container)
    return Observation(planned, test, execution, measured(manifest, execution), log="")
