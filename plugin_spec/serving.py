"""The messages between the host and a warm container, ``assay.serve/1``, as the host sends and checks them.

What they mean is told by `plugin_spec.runtime.serve`, the container's side.
"""

import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from plugin_spec.documents import Line
from plugin_spec.errors import ContractError
from plugin_spec.model import PortName, StrictModel, first_fault
from plugin_spec.runtime.protocol import SERVE_CONTRACT

MAX_MESSAGE_BYTES = 64 * 1024
OrderWord = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class SetupOrder(StrictModel):
    """What a container's ``setup`` is told: the host's first message."""

    contract: Literal["assay.serve/1"] = SERVE_CONTRACT
    type: Literal["setup"] = "setup"
    seed: int
    threads: int
    gpu: tuple[str, ...]
    weights: dict[PortName, str]


class CaseOrder(StrictModel):
    """Run the case that lies ready."""

    contract: Literal["assay.serve/1"] = SERVE_CONTRACT
    type: Literal["case"] = "case"
    order: OrderWord


class Ready(StrictModel):
    """``setup`` is done."""

    contract: Literal["assay.serve/1"]
    type: Literal["ready"]


class SetupFailed(StrictModel):
    """``setup`` raised; the container ends."""

    contract: Literal["assay.serve/1"]
    type: Literal["failed"]
    reason_code: Literal["plugin-error", "gpu-unusable"] = "plugin-error"
    message: Line


class Done(StrictModel):
    """The case is done and its result.json written; ``exit_code`` says what a fresh container would have ended with."""

    contract: Literal["assay.serve/1"]
    type: Literal["done"]
    order: OrderWord
    exit_code: int = Field(ge=0, le=255)
    left: int = Field(ge=0, description="processes that the case left running")


ContainerMessage = Annotated[Ready | SetupFailed | Done, Field(discriminator="type")]
_MESSAGES: TypeAdapter[Ready | SetupFailed | Done] = TypeAdapter(ContainerMessage)


def parse_message(line: bytes) -> Ready | SetupFailed | Done:
    """Read a container's message.

    Raises
    ------
    ContractError
        Not a message of this contract; the field is named.
    """
    try:
        return _MESSAGES.validate_json(line)
    except ValidationError as error:
        raise ContractError(f"{SERVE_CONTRACT}: {first_fault(error)}", subject=SERVE_CONTRACT) from error


def message_bytes(message: SetupOrder | CaseOrder) -> bytes:
    """Serialise a message for the container, its line end included."""
    return json.dumps(message.model_dump(mode="json"), sort_keys=True, allow_nan=False).encode() + b"\n"
