"""MONAI Application Packages drafted as a manifest with a command.

A package describes itself in ``app.json`` and ``pkg.json`` (below ``/etc/holoscan``, formerly ``/etc/monai``).
Sources: the MAP guideline of MONAI Deploy, and the manifests that holoscan-cli 3.0.0 writes, read on 2026-11-24. Older
packages write kebab-case keys; both are read.
"""

import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, AliasGenerator, ConfigDict, Field, field_validator

from host.descriptors.draft import Draft, Question, new_draft
from host.errors import DescriptorError
from plugin_spec.command import literal
from plugin_spec.model import StrictModel, read_json

SERIES = "series"
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?", re.IGNORECASE)
_MIB = {"k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 1024.0 * 1024.0}
# The package finds its folders by variables, which older ones spell without the second underscore.
_FOLDER_VARIABLE = re.compile(r"_(INPUT|OUTPUT)_?PATH$")
_FOLDERS = {"HOLOSCAN_INPUT_PATH": "", "HOLOSCAN_OUTPUT_PATH": ""}
MR_CT_PET = ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.128")


def _both_spellings(name: str) -> AliasChoices:
    camel = re.sub(r"_([a-z])", lambda found: found[1].upper(), name)
    return AliasChoices(camel, name.replace("_", "-"))


class _Part(StrictModel):
    model_config = ConfigDict(
        extra="ignore",
        alias_generator=AliasGenerator(validation_alias=_both_spellings),
        populate_by_name=True,
    )


class Application(_Part):
    """``app.json``: how the package is called."""

    command: str | tuple[str, ...] = Field(min_length=1)
    environment: dict[str, str] | None = None
    timeout: int | None = 0
    version: str = "0.0.0"
    sdk: str | None = None
    sdk_version: str | None = None

    def words(self) -> list[str]:
        """Program and arguments, which may be written as a JSON list inside a text."""
        if not isinstance(self.command, str):
            return list(self.command)
        if self.command.lstrip().startswith("["):
            return [str(word) for word in json.loads(self.command)]
        return shlex.split(self.command)


class PackageResources(_Part):
    """What the package asks for; sizes as ``1Gi``."""

    cpu: int = Field(default=1, ge=0)
    gpu: int = Field(default=0, ge=0)
    memory: str | None = None
    gpu_memory: str | None = None
    shared_memory: str | None = None

    @field_validator("memory", "gpu_memory", "shared_memory")
    @classmethod
    def _is_a_size(cls, text: str | None) -> str | None:
        if text is not None and not _SIZE.fullmatch(text):
            raise ValueError(f"{text!r} is no size such as 1Gi")
        return text


class Package(_Part):
    """``pkg.json``: where things lie, and what a run needs."""

    application_root: str = ""
    model_root: str = ""
    models: dict[str, Any] | None = None
    resources: PackageResources = PackageResources()


def read_package(folder: Path) -> tuple[Application, Package]:
    """Read both manifests of a package from a folder.

    Raises
    ------
    DescriptorError
        One line with file and field.
    """
    application = read_json(folder / "app.json", Application, error=DescriptorError)
    return application, read_json(folder / "pkg.json", Package, error=DescriptorError)


def draft_map(application: Application, package: Package, *, name: str, image: str) -> Draft:
    """Draft a manifest: one DICOM series in, the package's own command, outputs to be named by a human."""
    draft = new_draft(
        f"the MONAI Application Package {name} {application.version}",
        name=name,
        version=application.version,
        title=name,
        summary="",
    )
    draft.document["inputs"] = [
        {
            "kind": "dicom_series",
            "name": SERIES,
            "summary": "The series the package reads.",
            "sop_classes": list(MR_CT_PET),
        }
    ]
    draft.questions += [
        Question(f"inputs {SERIES}", "modality, and the SOP classes that may come in"),
        Question(
            "outputs",
            "one port per result: the package writes DICOM (SEG, SR) or files under names of its own",
        ),
        Question("runtime.command.outputs", "the file of each output port"),
    ]
    environment = {**_FOLDERS, **(application.environment or {})}
    for variable in environment:
        if found := _FOLDER_VARIABLE.search(variable):
            environment[variable] = f"/assay/in/{SERIES}" if found[1] == "INPUT" else "/assay/out"
    draft.document["runtime"] |= {
        "command": {"argv": [literal(word) for word in application.words()], "outputs": {}},
        "environment": environment,
    }
    draft.document["resources"] = _resources(draft, package.resources, application.timeout or 0)
    if image:
        draft.foreign_image(image)
    else:
        draft.questions.append(Question("image", "the package's image, by name and config digest"))
    draft.note(
        "the package may write logs below its working folder: a run's root is read-only, /scratch is not"
    )
    for model in package.models or {}:
        draft.note(
            f"model {model} lies inside the image, below {package.model_root}: its digest is the image's"
        )
    if application.sdk:
        draft.note(f"made with {application.sdk} {application.sdk_version or ''}".rstrip())
    return draft


def _resources(draft: Draft, need: PackageResources, timeout_s: int) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    if need.cpu:
        resources["cpus"] = float(need.cpu)
    for field, size in (("memory_mib", need.memory), ("shm_mib", need.shared_memory)):
        if size is not None:
            resources[field] = mebibytes(size)
    if timeout_s > 0:
        resources["case_timeout_s"] = timeout_s
    if need.gpu:
        resources["gpu"] = {"count": need.gpu, "cpu_fallback": "no"}
        if need.gpu_memory is not None:
            resources["gpu"]["vram_mib"] = mebibytes(need.gpu_memory)
        draft.questions.append(Question("resources.gpu", "vram_mib, compute_capability_min and driver_min"))
    return resources


def mebibytes(size: str) -> int:
    """A size such as ``1Gi``, ``512Mi`` or ``1073741824`` in MiB, rounded up; decimal units count as binary ones."""
    found = _SIZE.fullmatch(size)
    if found is None:
        raise ValueError(f"{size!r} is no size")
    number, unit = float(found[1]), (found[2] or "").lower().removesuffix("i")
    return max(1, math.ceil(number * _MIB[unit] if unit else number / 1024**2))
