"""A drafted plugin: the manifest as far as another platform's descriptor tells it, and what a human must still type.

Invariants
----------
* A draft never guesses a claim: what the descriptor does not say stays open, as a text that starts with the marker
  ``FILL IN:`` or as a field that is left out, and each is listed. `assay plugin check` names them again.
* What the descriptor says and the contract has no place for is listed too, never dropped in silence.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host.errors import TargetError
from plugin_spec.files import write_atomic
from plugin_spec.model import FILL_IN

Table = dict[str, Any]
_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")
MAX_NAME_CHARACTERS = 63


@dataclass(frozen=True)
class Question:
    """A field that only a human can fill in, and what to write there."""

    field: str
    ask: str


@dataclass
class Draft:
    """A manifest under way.

    Attributes
    ----------
    source : str
        What was imported: platform and name.
    document : dict
        The manifest, in the order of its blocks.
    files : dict of str to str
        Further files of the plugin's folder.
    questions : list of Question
        What a human must still type.
    notes : list of str
        What the descriptor says that has no place in the contract.
    """

    source: str
    document: Table
    files: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def ask(self, where: str, what: str) -> str:
        """List a question and return the text that stands in its place."""
        self.questions.append(Question(where, what))
        return f"{FILL_IN} {what}"

    def answer(self, where: str, value: Any) -> None:
        """Fill in what the descriptor does say, ``block.field``, and strike the question."""
        block, _, name = where.partition(".")
        self.document[block][name] = value
        self.questions = [one for one in self.questions if one.field != where]

    def foreign_image(self, name: str) -> None:
        """The image that the other platform runs, by its name there."""
        self.document["image"] = {"source": "engine", "name": name}
        what = "the digest of the image's config; a name with a tag or a digest that the engine holds"
        self.questions.append(Question("image.image", what))

    def note(self, line: str) -> None:
        """List what has no place in the contract."""
        self.notes.append(line)


def new_draft(source: str, *, name: str, version: str, title: str, summary: str) -> Draft:
    """Start a draft with everything that no descriptor of another platform holds."""
    draft = Draft(source, {})
    semantic = semantic_version(version)
    if semantic != version:
        draft.questions.append(Question("version", f"a semantic version; the descriptor says {version!r}"))
    draft.document = {
        "contract": "assay.plugin/1",
        "id": identifier(name),
        "version": semantic,
        "title": line_of(title, 120),
        "summary": line_of(summary, 500) or draft.ask("summary", "one sentence on what the plugin measures"),
        "capabilities": [],
        "modalities": [],
        "indications": [{"disease": draft.ask("indications", "therapeutic area and disease")}],
        "runtime": {"mode": "exec"},
        "image": {},
        "inputs": [],
        "outputs": [],
        "parameters": [],
        "resources": {},
        "determinism": {"claim": "stochastic"},
        "attribution": _attribution(draft),
    }
    draft.questions += [
        Question("capabilities", "detection, segmentation, classification, quantification or prediction"),
        Question("modalities", "MR, CT, PT, NM, US, XA or OT"),
        Question(
            "domain", "[[domain]] rules: the images on which the evidence holds, and what happens outside"
        ),
        Question("resources", "measured cpus, memory_mib, scratch_mib, output_mib and case_timeout_s"),
        Question(
            "determinism.claim", "stochastic is the weakest claim; write what repeated runs really give"
        ),
        Question("tests", "one positive and one negative case with their files"),
        Question("attribution.citations", "the published source of the method, with its DOI"),
    ]
    return draft


def _attribution(draft: Draft) -> Table:
    texts = {
        "intended_use": "intended use, for whom and for which measure",
        "not_for": "what it must not be used for",
        "device_status": "clearance or approval as a medical device, or none",
        "training_data": "what it was trained on, and which reference data sets overlap with that",
    }
    table: Table = {name: draft.ask(f"attribution.{name}", ask) for name, ask in texts.items()}
    table["known_failure_modes"] = [draft.ask("attribution.known_failure_modes", "when it is known to fail")]
    table["authors"] = [draft.ask("attribution.authors", "who wrote the method and who wrapped it")]
    table["commercial_use"] = "ask"
    draft.questions.append(Question("attribution.licence", "the SPDX expression of the code's licence"))
    return table


def image_port(draft: Draft, name: str, summary: str, *, where: str) -> Table:
    """A port for an image of which only the file is known: what it shows, only a human can say."""
    what = 'modality and unit (and sequence, space, value range); or kind = "label_map" with its labels'
    draft.questions.append(Question(f"{where} {name}", what))
    return {"kind": "volume", "name": name, "summary": line_of(summary, 300) or "An image."}


def label_map_port(draft: Draft, name: str, summary: str, *, where: str) -> Table:
    """A port for a segmentation whose labels are not known."""
    what = "[[labels]]: each value with its name and coded concept; and grid_of"
    draft.questions.append(Question(f"{where} {name}", what))
    return {"kind": "label_map", "name": name, "summary": line_of(summary, 300) or "A segmentation."}


def table_port(draft: Draft, name: str, summary: str, *, where: str) -> Table:
    """A port for measurements whose columns are not known."""
    what = "rows_per, and [[columns]]: each with unit, range and decimals"
    draft.questions.append(Question(f"{where} {name}", what))
    return {"kind": "measurements", "name": name, "summary": line_of(summary, 300) or "Measurements."}


def identifier(text: str) -> str:
    """A plugin id out of a name: lower case, digits and hyphens."""
    cleaned = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return cleaned[:MAX_NAME_CHARACTERS].strip("-") or "imported-plugin"


def port_name(text: str) -> str:
    """A name for a port or parameter: lower case, digits and underscores, a letter first."""
    cleaned = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (cleaned if cleaned[:1].isalpha() else f"p_{cleaned}")[:MAX_NAME_CHARACTERS].strip("_")


def semantic_version(text: str) -> str:
    """The semantic version that a version of another style stands for; 0.0.0 where there is none."""
    found = _VERSION.match(text)
    return ".".join(str(int(part or 0)) for part in found.groups()) if found else "0.0.0"


def line_of(text: str, characters: int) -> str:
    """A text as one line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"


def write_draft(draft: Draft, folder: Path) -> tuple[Path, ...]:
    """Write the plugin's folder: manifest, further files, and ``IMPORT.md`` with what is still to be done.

    Raises
    ------
    TargetError
        The folder exists.
    """
    import tomli_w

    if folder.exists():
        raise TargetError(f"{folder}: exists already", subject=str(folder), hint="name a new folder")
    # An empty block would only hide that it is still to be written.
    document = {key: value for key, value in draft.document.items() if value not in ([], {})}
    manifest = (
        f"# Drafted from {draft.source}. IMPORT.md lists what a human must still type;\n"
        f"# a text that starts with {FILL_IN!r} is one of those places.\n\n{tomli_w.dumps(document)}"
    )
    folder.mkdir(parents=True)
    written = {"plugin.toml": manifest, **draft.files, "IMPORT.md": _import_notes(draft)}
    for name, text in written.items():
        write_atomic(folder / name, text.encode("utf-8"))
    return tuple(folder / name for name in written)


def _import_notes(draft: Draft) -> str:
    lines = [f"# Imported from {draft.source}", "", "## What a human must still type", ""]
    lines += [f"- [ ] `{one.field}`: {one.ask}" for one in draft.questions]
    lines += ["", "## What the descriptor says and the contract has no place for", ""]
    lines += [f"- {one}" for one in draft.notes] or ["- nothing"]
    lines += ["", "Then: `assay plugin check` in this folder, `assay plugin build`, `assay plugin test`.", ""]
    return "\n".join(lines)
