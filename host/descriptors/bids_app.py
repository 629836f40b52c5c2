"""BIDS-Apps drafted as a manifest and an adapter that lays out a dataset of one subject.

A BIDS-App is a container called as ``entry bids_dir output_dir participant [--participant_label …]`` (Gorgolewski et
al. 2017, PLoS Comput Biol 13:e1005209). It has no descriptor of its own: what is read is the Boutiques descriptor that
many carry.
"""

import json
import re
import shlex
from importlib.resources import files

from host.descriptors.boutiques_model import Descriptor
from host.descriptors.draft import Draft, Question, image_port, new_draft, port_name, table_port
from host.errors import DescriptorError

_DATASET = re.compile(r"bids_?dir", re.IGNORECASE)
_LEVEL = re.compile(r"analysis_?level", re.IGNORECASE)
# Suffix to data type: Brain Imaging Data Structure 1.10, modality-specific files of MRI and PET.
DATATYPES = {
    "T1w": "anat",
    "T2w": "anat",
    "FLAIR": "anat",
    "PDw": "anat",
    "pet": "pet",
    "dwi": "dwi",
    "bold": "func",
}


def is_bids_app(descriptor: Descriptor) -> bool:
    """Whether a descriptor takes a dataset and a level of analysis."""
    names = [one.id for one in descriptor.inputs]
    return any(map(_DATASET.search, names)) and any(map(_LEVEL.search, names))


def draft_bids_app(descriptor: Descriptor, suffixes: tuple[str, ...]) -> Draft:
    """Draft a plugin that runs the app on one subject.

    Parameters
    ----------
    descriptor : Descriptor
        Of the app.
    suffixes : tuple of str
        BIDS suffixes of the images the app needs, for example T1w: one input port each.

    Raises
    ------
    DescriptorError
        The descriptor is not that of a BIDS-App, or a suffix has no data type here.
    """
    if not is_bids_app(descriptor):
        raise DescriptorError(
            f"{descriptor.name}: takes no BIDS dataset and level of analysis",
            subject=descriptor.name,
            hint="assay plugin import boutiques reads other descriptors",
        )
    if unknown := [one for one in suffixes if one not in DATATYPES]:
        raise DescriptorError(
            f"no data type is known for the BIDS suffix {unknown[0]!r}",
            subject=unknown[0],
            hint=f"known: {', '.join(DATATYPES)}",
        )
    draft = new_draft(
        f"the BIDS-App {descriptor.name} {descriptor.tool_version}",
        name=descriptor.name,
        version=descriptor.tool_version,
        title=descriptor.name,
        summary=descriptor.description,
    )
    draft.document["inputs"] = [
        image_port(draft, port_name(one), f"The {one} image of the subject.", where="inputs")
        for one in suffixes
    ]
    draft.document["outputs"] = [
        table_port(draft, "numbers", "What is read from the app's derivatives.", where="outputs")
    ]
    draft.document["runtime"]["adapter"] = "adapter.py"
    if descriptor.container_image is not None and descriptor.container_image.image:
        draft.foreign_image(descriptor.container_image.image)
    draft.files["adapter.py"] = _adapter(draft, descriptor, suffixes)
    draft.questions.append(Question("adapter.py", "numbers(): which derivative holds which number"))
    for one in descriptor.inputs:
        if not (_DATASET.search(one.id) or _LEVEL.search(one.id) or "label" in one.id or "output" in one.id):
            draft.note(
                f"option {one.id} ({one.flag or 'no flag'}): add it to COMMAND, or make it a parameter"
            )
    draft.note("group level: a plugin answers for one case; only the participant level is run")
    return draft


def _adapter(draft: Draft, descriptor: Descriptor, suffixes: tuple[str, ...]) -> str:
    line = re.split(r"&&|;", descriptor.command_line)[-1]
    words = shlex.split(line)
    entry = words[0] if words else "/run.py"
    if entry.startswith("@@") or not words:
        draft.questions.append(Question("adapter.py", "COMMAND: the app's entry point"))
    images = {port_name(one): f"{DATATYPES[one]}/sub-01_{one}" for one in suffixes}
    template = files("host.descriptors").joinpath("bids_app_adapter.txt").read_text(encoding="utf-8")
    return template.replace("@ENTRY@", json.dumps(entry)).replace("@IMAGES@", json.dumps(images, indent=4))
