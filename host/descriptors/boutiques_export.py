"""A manifest written as a Boutiques descriptor, so that other platforms can call the plugin through its host.

The descriptor's command is `assay plugin run`: the checks of the inputs, the isolation and the checks of the outputs
are the host's, and a descriptor that called the image itself would do without them.
"""

import json
import shlex
from pathlib import Path

from host.errors import DescriptorError
from plugin_spec.manifest import Manifest
from plugin_spec.ports import EnumParameter, FloatParameter, IntParameter, Parameter, Port, StrParameter
from plugin_spec.resources import MIB

SCHEMA_VERSION = "0.5"
_ENDINGS = {"volume": ".nii.gz", "label_map": ".nii.gz", "report": ""}
_OUT = "[OUT]"
Entry = dict[str, object]
_OUT_INPUT: Entry = {
    "id": "out",
    "name": "Output folder",
    "description": "New folder for the outputs.",
    "type": "String",
    "value-key": _OUT,
    "command-line-flag": "--out",
}


def boutiques_descriptor(manifest: Manifest, *, folder: Path) -> bytes:
    """Describe a plugin in Boutiques' terms.

    Parameters
    ----------
    manifest : Manifest
    folder : Path
        The plugin's folder. The command names it from the root on, since a platform calls the descriptor from
        folders of its own; `assay` itself is not on other machines either, so the path binds it to nothing more.

    Returns
    -------
    bytes
        JSON, indented. The results lie in the folder that the input ``out`` names.

    Raises
    ------
    DescriptorError
        The folder's path holds a key that Boutiques would replace by a value.
    """
    inputs = [*map(_port, manifest.inputs), *map(_parameter, manifest.parameters), _OUT_INPUT]
    keys = [str(one["value-key"]) for one in inputs]
    place = shlex.quote(str(folder.absolute()))
    for key in keys:
        if key in place:
            raise DescriptorError(
                f"{folder.absolute()}: Boutiques would replace {key} in the folder's path by a value",
                subject=str(folder),
                hint="move the plugin to a folder without it",
            )
    need = manifest.resources
    document = {
        "name": manifest.id,
        "tool-version": manifest.version,
        "description": manifest.summary,
        "author": "; ".join(manifest.attribution.authors),
        "command-line": f"assay plugin run {place} {' '.join(keys)}",
        "schema-version": SCHEMA_VERSION,
        "tool-doi": manifest.attribution.citations[0].doi,
        "inputs": inputs,
        "output-files": [_output(port) for port in manifest.outputs],
        "error-codes": [
            {"code": 7, "description": "The plugin broke its contract."},
            {"code": 10, "description": "The plugin, or its acceptance domain, refused the case."},
            {"code": 11, "description": "The case failed."},
        ],
        "suggested-resources": {
            "cpu-cores": max(1, round(need.cpus)),
            "ram": round(need.memory_mib * MIB / 1e9, 3),
            "walltime-estimate": need.start_timeout_s + need.case_timeout_s,
        },
        "custom": {
            "assay": {"contract": manifest.contract, "intended-use": manifest.attribution.intended_use}
        },
    }
    return json.dumps(document, indent=4, ensure_ascii=False).encode() + b"\n"


def _key(name: str) -> str:
    return f"[{name.upper()}]"


def _port(port: Port) -> Entry:
    entry: Entry = {
        "id": port.name,
        "name": port.name,
        "description": port.summary,
        "type": "File",
        "value-key": _key(port.name),
        "command-line-flag": f"--input {port.name}",
        "command-line-flag-separator": "=",
        "optional": port.at_least == 0,
    }
    if port.is_list:
        entry |= {
            "list": True,
            "list-separator": f" --input {port.name}=",
            "min-list-entries": port.at_least,
            "max-list-entries": port.at_most,
        }
    return entry


def _parameter(one: Parameter) -> Entry:
    entry: Entry = {
        "id": one.name,
        "name": one.name,
        "description": one.summary,
        "type": "Number" if isinstance(one, (IntParameter, FloatParameter)) else "String",
        "value-key": _key(one.name),
        "command-line-flag": f"--parameter {one.name}",
        "command-line-flag-separator": "=",
        "optional": True,
    }
    if isinstance(one, (IntParameter, FloatParameter)):
        entry |= {"minimum": one.minimum, "maximum": one.maximum, "integer": isinstance(one, IntParameter)}
    elif isinstance(one, EnumParameter):
        entry["value-choices"] = list(one.values)
    elif not isinstance(one, StrParameter):
        entry["value-choices"] = ["true", "false"]
    return entry


def _output(port: Port) -> Entry:
    kind = str(getattr(port, "kind", ""))
    ending = f".{port.format}" if kind == "report" else _ENDINGS.get(kind, ".json")  # type: ignore[attr-defined]  # a ReportPort
    return {
        "id": port.name,
        "name": port.name,
        "description": port.summary,
        "path-template": f"{_OUT}/{port.name}{ending}",
        "optional": port.at_least == 0,
    }
