"""The two documents that cross the container wall, as the host checks them: request.json and result.json."""

import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from plugin_spec.documents import Line
from plugin_spec.errors import ContractError
from plugin_spec.model import PortName, RelativePath, StrictModel, first_fault
from plugin_spec.runtime.protocol import REQUEST_CONTRACT, RESULT_CONTRACT

CaseId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Scalar = bool | int | float | str
MAX_RESULT_BYTES = 1024 * 1024


class Request(StrictModel):
    """What the host asks of a container: one case.

    ``inputs`` holds a name below ``/assay/in``, or a list of them where the port takes several; an optional input
    without a file is absent. ``outputs`` names each output port's kind, so that the runtime can write its document.
    """

    contract: Literal["assay.request/1"] = REQUEST_CONTRACT
    case_id: CaseId
    seed: int
    threads: int
    gpu: tuple[str, ...] = ()
    inputs: dict[PortName, str | tuple[str, ...]]
    outputs: dict[PortName, str] = {}
    parameters: dict[PortName, Scalar]
    weights: dict[PortName, str]


class OutputEntry(StrictModel):
    """An output file a plugin says it wrote."""

    port: PortName
    path: RelativePath


class QcEntry(StrictModel):
    """A quality figure the plugin reports about its own result."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    verdict: Literal["pass", "warn", "fail"]
    value: float | Line


class GpuSeen(StrictModel):
    """A GPU that was visible inside the container, as the library or file that ``source`` names describes it.

    Everything but ``source`` may be unknown: a device node alone has no UUID.
    """

    source: Literal["cuda", "nvml", "environment", "nodes"]
    uuid: Annotated[str, StringConstraints(max_length=100)] = ""
    model: Annotated[str, StringConstraints(max_length=100)] = ""
    compute_capability: Annotated[str, StringConstraints(max_length=20)] = ""
    vram_bytes: int = Field(default=0, ge=0, lt=2**53)
    driver: Annotated[str, StringConstraints(max_length=100)] = ""


class Result(StrictModel):
    """What a container answers. Claims, not facts: the host checks every output itself."""

    contract: Literal["assay.result/1"] = RESULT_CONTRACT
    outcome: Literal["ok", "refused", "failed"]
    reason_code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{0,63}$")] = ""
    message: Line = ""
    outputs: tuple[OutputEntry, ...] = Field(default=(), max_length=64)
    qc: tuple[QcEntry, ...] = Field(default=(), max_length=256)
    warnings: tuple[Line, ...] = Field(default=(), max_length=256)
    environment: dict[Line, Line] = Field(default={}, max_length=256)
    # None: nobody looked, or no GPU was given.
    gpu: tuple[GpuSeen, ...] | None = Field(default=None, max_length=64)


def parse_result(data: bytes) -> Result:
    """Read result.json as the plugin left it.

    Raises
    ------
    ContractError
        Too large, not JSON, or a field that does not fit; the field is named.
    """
    where = "result.json"
    if len(data) > MAX_RESULT_BYTES:
        raise ContractError(f"{where}: larger than {MAX_RESULT_BYTES} bytes", subject=where)
    try:
        return Result.model_validate_json(data)
    except ValidationError as error:
        raise ContractError(f"{where}: {first_fault(error)}", subject=where) from error


def request_bytes(request: Request) -> bytes:
    """Serialise a request for the container."""
    return json.dumps(request.model_dump(mode="json"), sort_keys=True, allow_nan=False).encode()
