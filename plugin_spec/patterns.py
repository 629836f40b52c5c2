"""What the patterns of the contract's words mean, for an author who does not read regular expressions."""

import typing
from typing import Any, Final

from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from plugin_spec import command, image, manifest, model, resources
from plugin_spec.domain import DomainRule
from plugin_spec.ports import images


def _pattern(annotation: Any) -> str:
    for one in typing.get_args(annotation)[1:]:
        if isinstance(one, StringConstraints) and one.pattern is not None:
            return str(one.pattern)
    raise LookupError(f"{annotation} has no pattern")


def _of_field(field: FieldInfo) -> str:
    return next(str(one.pattern) for one in field.metadata if getattr(one, "pattern", None))


_NAME = "lower-case letters, digits and _, beginning with a letter, such as brain_ml"
MEANINGS: Final[dict[str, str]] = {
    _pattern(model.Identifier): "lower-case letters, digits and hyphens, such as brain-volumes or no-brain",
    _pattern(model.PortName): _NAME,
    _pattern(model.ColumnName): _NAME,
    _pattern(model.RelativePath): "a path inside the plugin's folder, such as tests/scan.nii.gz",
    _pattern(model.Sha256): "sha256: and 64 digits from 0 to 9 and a to f",
    _pattern(manifest.SemVer): "three numbers, such as 1.0.0, or 1.0.0-rc.1",
    _pattern(manifest.Spdx): "an SPDX expression, such as MIT or GPL-3.0-or-later",
    _pattern(manifest.Doi): "the DOI alone, such as 10.1000/182, without https://doi.org/",
    _pattern(manifest.EnvironmentName): "letters, digits and _, not beginning with a digit",
    _pattern(command.ExitCodeName): 'an exit code from 1 to 255, in quotes: "3"',
    _pattern(image.DebianName): "the name of a Debian package, such as dcm2niix",
    _of_field(image.DockerfileImage.model_fields["context"]): "a folder inside the plugin's folder, or .",
    _pattern(resources.GpuVersion): "a version, such as 8.6",
    _pattern(images.DicomUid): "a DICOM UID, such as 1.2.840.10008.5.1.4.1.1.4",
    _pattern(images.Space): "a BIDS name of a space, such as MNI152NLin2009cAsym",
    _of_field(
        DomainRule.model_fields["tag"]
    ): "a DICOM keyword, such as MagneticFieldStrength, or geometry.…",
}
