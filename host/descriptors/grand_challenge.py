"""Grand Challenge algorithms drafted as a manifest, an adapter and a Dockerfile.

An algorithm there reads ``/input`` (``inputs.json``, ``images/<slug>/*.mha``, ``<slug>.json``) and writes ``/output``;
its sockets name what lies where. Sources: the socket schema of grand-challenge-forge 0.7.5, and the platform's
documentation of algorithms, read on 2026-11-24.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from host.descriptors.draft import (
    Draft,
    Question,
    Table,
    image_port,
    label_map_port,
    line_of,
    new_draft,
    port_name,
    table_port,
)
from host.errors import DescriptorError
from plugin_spec.model import RelativePath, StrictModel, first_fault, read_document

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]
_IMAGES = {"image", "segmentation", "heat map", "displacement field", "panimg image"}
_SCORES = {"float", "integer"}


class _Part(StrictModel):
    model_config = ConfigDict(extra="ignore")


class Socket(_Part):
    """One input or output of an algorithm: its slug, where it lies, and its kind as the platform calls it."""

    slug: Slug
    relative_path: RelativePath
    kind: str = Field(default="", max_length=100)
    super_kind: str = Field(default="", max_length=100)
    title: str = Field(default="", max_length=300)
    description: str = Field(default="", max_length=5000)

    @property
    def is_image(self) -> bool:
        """Whether a folder below ``images`` holds it."""
        return self.super_kind.lower() == "image" or self.relative_path.startswith("images/")


class GivenSocket(_Part):
    """An entry of ``inputs.json``: older files say ``interface`` where newer ones say ``socket``."""

    socket: Socket | None = None
    interface: Socket | None = None


class Interface(_Part):
    """What goes in and what comes out together."""

    inputs: tuple[Socket, ...]
    outputs: tuple[Socket, ...]


class Algorithm(_Part):
    """The template context of an algorithm, of the newer or the older shape."""

    title: str = Field(min_length=1, max_length=300)
    slug: Slug
    algorithm_interfaces: tuple[Interface, ...] = ()
    inputs: tuple[Socket, ...] = ()
    outputs: tuple[Socket, ...] = ()

    def interfaces(self) -> tuple[Interface, ...]:
        """All interfaces, whatever the shape."""
        return self.algorithm_interfaces or (Interface(inputs=self.inputs, outputs=self.outputs),)


class Context(_Part):
    """The document that an algorithm's template is made from."""

    algorithm: Algorithm


def read_algorithm(path: Path, output_sockets: tuple[Socket, ...]) -> Algorithm:
    """Read an ``inputs.json`` (a list of sockets), or the template context of an algorithm.

    Parameters
    ----------
    path : Path
    output_sockets : tuple of Socket
        What ``inputs.json`` does not say: the sockets that the algorithm writes.

    Raises
    ------
    DescriptorError
        One line with file and field.
    """
    data = read_document(path, error=DescriptorError)
    try:
        if data.lstrip().startswith(b"["):
            given = TypeAdapter(tuple[GivenSocket, ...]).validate_json(data)
            inputs = tuple(found for one in given if (found := one.socket or one.interface))
            return Algorithm(
                title=path.stem, slug="imported-algorithm", inputs=inputs, outputs=output_sockets
            )
        return Context.model_validate_json(data).algorithm
    except ValidationError as error:
        raise DescriptorError(f"{path}: {first_fault(error)}", subject=str(path)) from error


def socket_of(text: str) -> Socket:
    """A socket as the command line names it: ``slug``, ``slug:Kind`` or ``slug:Kind:relative/path``."""
    slug, _, rest = text.partition(":")
    kind, _, path = rest.partition(":")
    is_image = kind.lower() in _IMAGES
    where = path or (f"images/{slug}" if is_image else f"{slug}.json")
    try:
        return Socket(slug=slug, relative_path=where, kind=kind, super_kind="Image" if is_image else "")
    except ValidationError as error:
        raise DescriptorError(f"--output-socket {text}: {first_fault(error)}", subject=text) from error


def draft_grand_challenge(algorithm: Algorithm, *, image: str) -> Draft:
    """Draft a manifest with an adapter that lays out ``/input`` and takes in ``/output``.

    Parameters
    ----------
    algorithm : Algorithm
    image : str
        The algorithm's image; empty where it is not known.
    """
    draft = new_draft(
        f"the Grand Challenge algorithm {algorithm.slug}",
        name=algorithm.slug,
        version="0.0.0",
        title=algorithm.title,
        summary="",
    )
    first, *others = algorithm.interfaces()
    if others:
        draft.note(f"{len(others)} further interface(s) of the algorithm: make each a plugin of its own")
    draft.document["inputs"] = [_input(draft, one) for one in first.inputs]
    draft.document["outputs"] = [_output(draft, one) for one in first.outputs]
    if not first.outputs:
        draft.questions.append(Question("outputs", "one port per output socket (--output-socket slug:Kind)"))
    draft.document["runtime"]["adapter"] = "adapter.py"
    draft.document["image"] = {"source": "dockerfile", "file": "Dockerfile"}
    draft.files = {"adapter.py": _adapter(first), "Dockerfile": _dockerfile(draft, image)}
    draft.questions.append(Question("adapter.py", "COMMAND: the words of the image's own entry point"))
    return draft


def _input(draft: Draft, socket: Socket) -> Table:
    name, summary = port_name(socket.slug), socket.description or socket.title or socket.slug
    if socket.is_image:
        make = label_map_port if socket.kind.lower() == "segmentation" else image_port
        return make(draft, name, summary, where="inputs")
    draft.note(f"input {socket.slug} ({socket.kind or 'no kind'}): handed on unread, as a file")
    return {"kind": "file", "name": name, "summary": line_of(summary, 300), "role": "auxiliary"}


def _output(draft: Draft, socket: Socket) -> Table:
    name, kind = port_name(socket.slug), socket.kind.lower()
    summary = line_of(socket.description or socket.title or socket.slug, 300)
    if socket.is_image:
        make = label_map_port if kind == "segmentation" else image_port
        return make(draft, name, summary, where="outputs")
    table: Table = {"name": name, "summary": summary}
    if kind in _SCORES:
        draft.questions.append(Question(f"outputs {name}", "unit, minimum, maximum, interval, horizon"))
        return {"kind": "score", **table}
    if kind in {"bool", "choice", "string"}:
        draft.questions.append(
            Question(f"outputs {name}", "[[classes]], and whether there are probabilities")
        )
        return {"kind": "classification", **table}
    if "point" in kind or "bounding box" in kind:
        draft.questions.append(
            Question(f"outputs {name}", "[[classes]], scored, within; and the frame of its points")
        )
        return {"kind": "detections", "shape": "box" if "box" in kind else "point", **table}
    if "pdf" in kind:
        return {"kind": "report", "format": "pdf", **table}
    draft.note(
        f"output {socket.slug} ({socket.kind or 'no kind'}): free JSON; say in adapter.py which numbers it holds"
    )
    return table_port(draft, name, summary, where="outputs")


def _adapter(interface: Interface) -> str:
    template = files("host.descriptors").joinpath("grand_challenge_adapter.txt").read_text(encoding="utf-8")
    tables = {
        side: {
            port_name(one.slug): {"slug": one.slug, "path": one.relative_path, "image": one.is_image}
            for one in sockets
        }
        for side, sockets in (("INPUTS", interface.inputs), ("OUTPUTS", interface.outputs))
    }
    for side, table in tables.items():
        literal = json.dumps(table, indent=4).replace("true", "True").replace("false", "False")
        template = template.replace(f"@{side}@", literal)
    return template


def _dockerfile(draft: Draft, image: str) -> str:
    if "@sha256:" not in image:
        draft.questions.append(
            Question("Dockerfile", "FROM name@sha256:…, the digest of the algorithm's image")
        )
    return (
        f"FROM {image or 'NAME@sha256:DIGEST'}\n"
        "# The container's root is read-only: what the algorithm takes for its folders lies in scratch.\n"
        "USER root\n"
        "RUN rm -rf /input /output && ln -s /scratch/input /input && ln -s /scratch/output /output\n"
        "USER 65534:65534\n"
    )
