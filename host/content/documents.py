"""JSON documents of ports, read strictly; the fault names the port and the field."""

from host.errors import OutputMalformedError
from plugin_spec.documents import parse_document
from plugin_spec.errors import ContractError
from plugin_spec.model import ModelT


def read_as(model: type[ModelT], port: str, data: bytes) -> ModelT:
    """Parse a port's document as ``model``."""
    try:
        return parse_document(data, model, port=port)
    except ContractError as fault:
        raise OutputMalformedError(fault.message, subject=port) from fault
