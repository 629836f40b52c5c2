"""The contract's models as JSON Schema (draft 2020-12), for editors and for programs in any language.

A schema says what one field may be; what must hold between fields is a rule (`plugin_spec.rules`). What a schema
refuses, the model refuses. An ``$id`` carries the contract's version and never changes its meaning.
"""

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from plugin_spec.case import Request, Result
from plugin_spec.documents import DOCUMENTS
from plugin_spec.manifest import Manifest
from plugin_spec.serving import CaseOrder, ContainerMessage, SetupOrder

DIALECT: Final = GenerateJsonSchema.schema_dialect
_SECTION: Final = re.compile(r"^Attributes\n-+\n(?P<body>.*?)(?=^\w[^\n]*\n-+$|\Z)", re.DOTALL | re.MULTILINE)
_ENTRY: Final = re.compile(
    r"^(?P<names>\w+(?:, \w+)*) : [^\n]*\n(?P<text>(?:^[ ]+[^\n]*\n?|^\n)+)", re.MULTILINE
)


@dataclass(frozen=True)
class Exported:
    """One schema.

    Attributes
    ----------
    name : str
        Of its file, ``NAME.schema.json``.
    contract : str
        The contract it belongs to, for example ``assay.plugin/1``.
    title : str
        One line for people.
    model : type
        What it describes: a model, or a union of them.
    has_null : bool
        Whether a field may be written as null. A manifest is TOML, which has none.
    """

    name: str
    contract: str
    title: str
    model: Any
    has_null: bool = True

    @property
    def id(self) -> str:
        """The schema's ``$id``."""
        return "urn:" + self.contract.replace(".", ":").replace("/", ":")

    @property
    def file_name(self) -> str:
        """The file it is committed as."""
        return f"{self.name}.schema.json"


EXPORTED: Final = (
    Exported(
        "plugin", "assay.plugin/1", "Manifest of an Assay plugin (plugin.toml)", Manifest, has_null=False
    ),
    Exported("request", "assay.request/1", "What a container is asked (request.json)", Request),
    Exported("result", "assay.result/1", "What a container answers (result.json)", Result),
    *(
        Exported(kind, f"assay.{kind}/1", f"What a port of kind {kind} holds", model)
        for kind, model in DOCUMENTS.items()
    ),
    Exported(
        "serve",
        "assay.serve/1",
        "A message between the host and a warm container",
        SetupOrder | CaseOrder | ContainerMessage,
    ),
)


def schema_of(exported: Exported) -> dict[str, Any]:
    """A schema as a document, with ``$schema`` and ``$id``."""
    found = TypeAdapter(exported.model).json_schema(schema_generator=_Generator)
    _walk(found, _plain)
    if not exported.has_null:
        _walk(found, _without_null)
    for key in ("title", "description"):
        found.pop(key, None)
    head = {"$schema": DIALECT, "$id": exported.id, "title": exported.title}
    about = _about(exported.model)[0] if _is_model(exported.model) else ""
    return {**head, **({"description": about} if about else {}), **found}


def schema_bytes(exported: Exported) -> bytes:
    """A schema as it is committed."""
    return json.dumps(schema_of(exported), indent=2, ensure_ascii=False).encode() + b"\n"


class _Generator(GenerateJsonSchema):
    """Adds what docstrings say about fields, and leaves out titles that only repeat a field's name."""

    def model_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().model_schema(schema)
        about, fields = _about(schema["cls"])
        if about:
            found["description"] = about
        for name, field in found.get("properties", {}).items():
            if name in fields:
                found["properties"][name] = {**field, "description": fields[name]}
        return found

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _is_model(model: Any) -> TypeGuard[type[BaseModel]]:
    return inspect.isclass(model) and issubclass(model, BaseModel)


def _about(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """What a model's docstring says: of itself, and of its fields, those of the models it is made from included."""
    fields: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if _is_model(base) and base is not BaseModel:
            fields |= _fields(inspect.cleandoc(base.__doc__ or ""))
    text = _SECTION.sub("", inspect.cleandoc(model.__doc__ or ""))
    return _written(text), fields


def _fields(docstring: str) -> dict[str, str]:
    section = _SECTION.search(docstring)
    found = _ENTRY.finditer(section["body"]) if section else ()
    return {name: _written(entry["text"]) for entry in found for name in entry["names"].split(", ")}


def _written(text: str) -> str:
    """Return text as editors show it: paragraphs on one line each, one backtick around code."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    return "\n\n".join(paragraphs).replace("``", "`")


def _walk(node: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Apply a change to every object of a schema, the innermost first."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in list(children):
        _walk(child, change)
    if isinstance(node, dict):
        change(node)


def _plain(node: dict[str, Any]) -> None:
    """Drop OpenAPI's discriminator, and close a table whose keys have a pattern, as the model does."""
    if isinstance(node.get("discriminator"), Mapping):
        del node["discriminator"]
    if "patternProperties" in node:
        node.setdefault("additionalProperties", False)


def _without_null(node: dict[str, Any]) -> None:
    """Drop null where a field may be left out, since TOML cannot write it."""
    options = node.get("anyOf")
    if isinstance(options, list) and {"type": "null"} in options:
        left = [one for one in options if one != {"type": "null"}]
        del node["anyOf"]
        if len(left) == 1:
            node.update({key: value for key, value in left[0].items() if key not in node})
        else:
            node["anyOf"] = left
    if node.get("default", ...) is None:
        del node["default"]
    if isinstance(node.get("default"), dict):
        node["default"] = {key: value for key, value in node["default"].items() if value is not None}
