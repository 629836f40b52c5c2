"""Ports that hold other files: transforms, reports for people, and files the host does not read."""

from typing import Literal

from pydantic import Field

from plugin_spec.model import PortName
from plugin_spec.ports.port import Port


class TransformPort(Port):
    """A linear mapping of points from the space of one image to that of another (world frame RAS+ mm).

    ``from_port`` and ``to_port`` name the images; a rigid transform is a rotation and a translation.
    """

    kind: Literal["transform"]
    model: Literal["rigid", "affine"]
    from_port: PortName
    to_port: PortName


class ReportPort(Port):
    """A page for people, PDF or HTML (output only); nothing of it is ever read by a machine."""

    kind: Literal["report"]
    format: Literal["pdf", "html"]


class FilePort(Port):
    """A file the host hands on without reading it, for example a licence that the site supplies (input only)."""

    kind: Literal["file"]
    role: Literal["licence", "auxiliary"]
    bytes_max: int = Field(default=1024 * 1024, gt=0, le=2**34)
