"""Boutiques descriptors (schema 0.5) drafted as a manifest with a command.

Source: the descriptor schema in the Boutiques package 0.5.33, read on 2026-11-24.
"""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from host.descriptors.boutiques_model import BoutiquesInput, BoutiquesOutput, Descriptor
from host.descriptors.draft import (
    Draft,
    Question,
    Table,
    image_port,
    line_of,
    new_draft,
    port_name,
    table_port,
)
from plugin_spec.command import literal

OUT = "/assay/out"
_STEPS = re.compile(r"&&|;")
_SHELL = re.compile(r"[;&|<>`]|\$\(|\$[A-Za-z_{]")
_ENDINGS = (".nii.gz", ".nii", ".csv", ".pdf", ".html")
Word = str | list[str]


@dataclass(frozen=True)
class _Keys:
    """What stands for each value key of the command line, in the order of the descriptor."""

    words: Mapping[str, list[Word]]

    def expand(self, word: str) -> Iterable[Word]:
        """A word of the command line as words of a template."""
        if word in self.words:
            return self.words[word]
        keys = sorted(self.words, key=len, reverse=True)
        if not keys:
            return [literal(word)]
        parts = re.split(f"({'|'.join(re.escape(key) for key in keys)})", word)
        return ["".join(_inline(self.words[one]) if one in self.words else literal(one) for one in parts)]


def draft_boutiques(descriptor: Descriptor) -> Draft:
    """Draft a manifest from a descriptor.

    A File becomes an input port, a value a parameter, a flag a switch. A String that an output's path is made from
    becomes a fixed name below ``/assay/out``: a container can write a result nowhere else.
    """
    draft = new_draft(
        f"the Boutiques descriptor {descriptor.name} {descriptor.tool_version}",
        name=descriptor.name,
        version=descriptor.tool_version,
        title=descriptor.name,
        summary=descriptor.description,
    )
    names = _output_names(descriptor)
    inputs = [one for one in descriptor.inputs if one.id not in names]
    ports = {one.id: port_name(one.id) for one in inputs}
    files = {
        one.id: path
        for one in descriptor.output_files
        if (path := _output_file(draft, one, descriptor, names))
    }
    for one in inputs:
        _add_input(draft, one, ports[one.id])
    for output in descriptor.output_files:
        if output.id in files:
            _add_output(draft, output, files[output.id])
    command: Table = {
        "argv": _argv(draft, descriptor, _keys(descriptor, names, ports, files)),
        "outputs": {port_name(one): path for one, path in files.items()},
    }
    if descriptor.error_codes:
        command["exit_codes"] = _exit_codes(draft, descriptor)
    draft.document["runtime"]["command"] = command
    _add_surroundings(draft, descriptor)
    return draft


def _output_names(descriptor: Descriptor) -> dict[str, str]:
    """Inputs that only name outputs: their id, and the name they get."""
    templates = [one.path_template for one in descriptor.output_files]
    return {
        one.id: port_name(one.id)
        for one in descriptor.inputs
        if one.type == "String"
        and not (one.is_list or one.value_choices)
        and one.value_key
        and any(one.value_key in template for template in templates)
    }


def _output_file(draft: Draft, one: BoutiquesOutput, descriptor: Descriptor, names: Mapping[str, str]) -> str:
    """The file below /assay/out that holds an output; empty, with a note, where there can be none."""
    path = one.path_template
    ending = next((ending for ending in _ENDINGS if path.endswith(ending)), "")
    if not ending:
        draft.note(
            f"output {one.id} ({path or 'no path'}): no port holds such a file; switch it off, "
            "since a file that no port declares fails the case"
        )
        return ""
    if one.value_key:
        return f"{port_name(one.id)}{ending}"
    keys = {item.value_key: names.get(item.id) for item in descriptor.inputs if item.value_key}
    for key, name in keys.items():
        if key in path and name is None:
            draft.note(
                f"output {one.id}: its path {path} is made from an input's file name, which a run does not keep"
            )
            return ""
        path = path.replace(key, name or "")
    if "*" in path or one.conditional:
        draft.note(
            f"output {one.id}: the path {one.path_template} is not one file; declare one port per file"
        )
        return ""
    if path == one.path_template:
        ask = f"let the tool write {path} to {OUT}: it writes to its working folder, which is /scratch"
        draft.questions.append(Question(f"runtime.command.outputs.{port_name(one.id)}", ask))
    return path.removeprefix("/")


def _keys(
    descriptor: Descriptor, names: Mapping[str, str], ports: Mapping[str, str], files: Mapping[str, str]
) -> _Keys:
    words: dict[str, list[Word]] = {}
    for one in descriptor.inputs:
        if one.value_key:
            value = f"{OUT}/{names[one.id]}" if one.id in names else _placeholder(one, ports[one.id])
            optional = one.optional and one.type == "File"
            words.setdefault(one.value_key, []).extend(_flagged(one, value, grouped=optional))
    for output in descriptor.output_files:
        if output.value_key:
            value = f"{{outputs.{port_name(output.id)}}}"
            # Where no port holds the file, the word is left out: the notes say so.
            kept = _flagged(output, value, grouped=False) if output.id in files else []
            words.setdefault(output.value_key, []).extend(kept)
    return _Keys(words)


def _placeholder(one: BoutiquesInput, name: str) -> str:
    if one.type == "File":
        return f"{{inputs.{name}}}"
    return f"{{parameters.{name}?{one.flag}}}" if one.type == "Flag" else f"{{parameters.{name}}}"


def _flagged(one: BoutiquesInput | BoutiquesOutput, value: str, *, grouped: bool) -> list[Word]:
    is_switch = isinstance(one, BoutiquesInput) and one.type == "Flag"
    if not one.flag or is_switch:
        words = [value]
    else:
        words = [one.flag, value] if one.flag_separator == " " else [f"{one.flag}{one.flag_separator}{value}"]
    return [words] if grouped else [*words]


def _inline(words: Iterable[Word]) -> str:
    return " ".join(word if isinstance(word, str) else " ".join(word) for word in words)


def _argv(draft: Draft, descriptor: Descriptor, keys: _Keys) -> list[Word]:
    *before, line = [step for step in _STEPS.split(descriptor.command_line) if step.strip()] or [""]
    for step in before:
        draft.note(f"command line: the step {step.strip()!r} before the tool; no shell runs here")
    if _SHELL.search(line):
        ask = f"the tool's own words; the descriptor's need a shell: {line_of(descriptor.command_line, 200)}"
        draft.questions.append(Question("runtime.command.argv", ask))
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    return [template for word in words for template in keys.expand(word)]


def _add_input(draft: Draft, one: BoutiquesInput, name: str) -> None:
    summary = line_of(one.description or one.name, 300)
    if one.type == "File":
        port = image_port(draft, name, summary, where="inputs")
        if one.optional:
            port["at_least"] = 0
        if one.is_list:
            port["at_most"] = min(one.max_list_entries or 64, 64)
        draft.document["inputs"].append(port)
        return
    if one.is_list:
        draft.note(f"input {one.id}: a list of values; a parameter holds one value")
    draft.document["parameters"].append(_parameter(draft, one, name, summary))


def _parameter(draft: Draft, one: BoutiquesInput, name: str, summary: str) -> Table:
    table: Table = {"kind": "str", "name": name, "summary": summary}
    missing = []
    if one.type == "Flag":
        return {**table, "kind": "bool", "default": one.default_value is True}
    if one.value_choices:
        table |= {"kind": "enum", "values": [str(choice) for choice in one.value_choices]}
    elif one.type == "Number":
        convert = int if one.integer else float
        table["kind"] = "int" if one.integer else "float"
        if not one.integer:
            missing.append("unit")
        for bound, value in (("minimum", one.minimum), ("maximum", one.maximum)):
            if value is None:
                missing.append(bound)
            else:
                table[bound] = convert(value)
    else:
        missing.append("pattern")
    default = one.default_value
    if isinstance(default, (str, int, float)):
        table["default"] = str(default) if table["kind"] in {"str", "enum"} else type_of(table)(default)
    else:
        missing.append("default (the tool's own: a lock must be able to name it)")
    if missing:
        draft.questions.append(Question(f"parameters {name}", ", ".join(missing)))
    return table


def type_of(table: Table) -> type[int] | type[float]:
    """The type of a number parameter's values."""
    return int if table["kind"] == "int" else float


def _add_output(draft: Draft, one: BoutiquesOutput, path: str) -> None:
    name, summary = port_name(one.id), one.description or one.name
    if path.endswith(".csv"):
        port = table_port(draft, name, summary, where="outputs")
    elif path.endswith((".pdf", ".html")):
        port = {
            "kind": "report",
            "name": name,
            "summary": line_of(summary, 300),
            "format": path.rpartition(".")[2],
        }
    else:
        port = image_port(draft, name, summary, where="outputs")
    if one.optional:
        port["at_least"] = 0
    draft.document["outputs"].append(port)


def _exit_codes(draft: Draft, descriptor: Descriptor) -> Table:
    draft.questions.append(Question("runtime.command.exit_codes", "which of them are refusals, not failures"))
    return {
        str(one.code): {
            "outcome": "failed",
            "reason_code": port_name(one.description or "tool error").replace("_", "-"),
            "message": line_of(one.description, 300) or "The tool failed.",
        }
        for one in descriptor.error_codes
        if 1 <= one.code <= 255
    }


def _add_surroundings(draft: Draft, descriptor: Descriptor) -> None:
    """Image, environment, resources, citation, and what has no place."""
    _add_image(draft, descriptor)
    if descriptor.environment_variables:
        draft.document["runtime"]["environment"] = {
            one.name: one.value for one in descriptor.environment_variables
        }
    suggested = descriptor.suggested_resources
    given = {
        "cpus": float(suggested.cpu_cores or 0),
        "memory_mib": int((suggested.ram or 0) * 1024),
        "case_timeout_s": int(suggested.walltime_estimate or 0),
    }
    draft.document["resources"] |= {name: value for name, value in given.items() if value > 0}
    if descriptor.author:
        draft.answer("attribution.authors", [descriptor.author])
    if descriptor.tool_doi:
        draft.note(f"the tool's DOI: {descriptor.tool_doi} (cite the method's publication)")
    for group in descriptor.groups:
        kinds = [
            kind for kind in ("mutually_exclusive", "one_is_required", "all_or_none") if getattr(group, kind)
        ]
        if kinds:
            rule = " and ".join(kinds).replace("_", " ")
            members = ", ".join(group.members)
            draft.note(f"group {group.id}: {members} are {rule}; let the tool refuse what does not fit")


def _add_image(draft: Draft, descriptor: Descriptor) -> None:
    container = descriptor.container_image
    if container is None or not container.image:
        what = "where the tool comes from: packages, dockerfile, archive or engine"
        draft.questions.append(Question("image", what))
        return
    draft.foreign_image(container.image)
    if container.type not in {"", "docker"}:
        draft.note(f"a {container.type} image: Assay runs OCI images")
