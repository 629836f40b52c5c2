"""Ports that hold images: volumes, label maps and DICOM series."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from plugin_spec.codes import Concept, UcumUnit
from plugin_spec.model import PortName, StrictModel
from plugin_spec.ports.port import Port

Modality = Literal["MR", "CT", "PT", "NM", "US", "XA", "OT"]
# DICOM PS3.5, 9.1: at most 64 characters, components without leading zeros.
DicomUid = Annotated[str, StringConstraints(pattern=r"^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$", max_length=64)]
# BIDS names of coordinate systems; "scanner" is the space the image was acquired in.
Space = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{2,40}$")]


class VolumePort(Port):
    """An image as NIfTI-1: voxel axes (I, J, K), or (I, J, K, T) with ``ndim = 4``; world frame RAS+ mm.

    Attributes
    ----------
    kind : str
        Always ``volume``.
    modality : Modality
        DICOM modality.
    sequence : str or None
        For MR: what the sequence is called, such as T1w.
    contrast_agent : str
        Whether the image was made with a contrast agent.
    space : Space
        ``scanner``, or a BIDS name of a standard space.
    ndim : str
        3, or 4 with time as the last axis.
    unit : UcumUnit
        UCUM unit of the voxels' values.
    value_min, value_max : float or None
        Bounds of the voxels' values; outside, the host refuses.
    grid_of : PortName or None
        Input port whose shape and affine the image must have.
    """

    kind: Literal["volume"]
    modality: Modality
    sequence: str | None = Field(default=None, min_length=1, max_length=60)
    contrast_agent: Literal["none", "with", "any"] = "any"
    space: Space = "scanner"
    ndim: Literal[3, 4] = 3
    unit: UcumUnit
    value_min: float | None = None
    value_max: float | None = None
    grid_of: PortName | None = None

    @model_validator(mode="after")
    def _range_is_ordered(self) -> "VolumePort":
        if self.value_min is not None and self.value_max is not None and self.value_min >= self.value_max:
            raise ValueError(
                f"value_min {self.value_min} must be below value_max {self.value_max}; exchange or correct them"
            )
        return self


class Label(StrictModel):
    """One value of a label map and the coded thing it stands for.

    ``concept`` is the type of the segmented property, ``category`` its class (as in DICOM's segment description,
    PS3.3 C.8.20.4), for example the type "Lesion" in the category "Morphologically abnormal structure".

    Attributes
    ----------
    value : int
        Value of the voxels; 0 is background.
    name : PortName
        Name of the label.
    laterality : str
        Side of the body, where the label has one.
    may_be_absent : bool
        Whether an image without such a voxel is an answer.
    """

    value: int = Field(ge=1, le=65535)
    name: PortName
    concept: Concept
    category: Concept | None = None
    laterality: Literal["left", "right", "bilateral"] | None = None
    may_be_absent: bool = False


class LabelMapPort(Port):
    """An integer image whose values are declared; 0 is background.

    Attributes
    ----------
    labels : tuple of Label
        Every value that may occur.
    grid_of : PortName or None
        Input port whose shape and affine the image must have.
    """

    kind: Literal["label_map"]
    labels: tuple[Label, ...] = Field(min_length=1, max_length=1000)
    grid_of: PortName | None = None

    @model_validator(mode="after")
    def _labels_are_distinct(self) -> "LabelMapPort":
        for what in ("value", "name"):
            seen = [getattr(label, what) for label in self.labels]
            if len(set(seen)) != len(seen):
                raise ValueError(f"labels: each {what} may stand once; rename or renumber the others")
        return self


class DicomSeriesPort(Port):
    """One DICOM series as a folder of instances (input only).

    Attributes
    ----------
    sop_classes : tuple of str
        SOP class UIDs that may stand in it, for example MR Image Storage 1.2.840.10008.5.1.4.1.1.4.
    instances_min, instances_max : int
        How many instances the series may have.
    """

    kind: Literal["dicom_series"]
    modality: Modality
    sop_classes: tuple[DicomUid, ...] = Field(min_length=1, max_length=32)
    instances_min: int = Field(default=1, ge=1, le=100_000)
    instances_max: int = Field(default=10_000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _count_is_ordered(self) -> "DicomSeriesPort":
        if self.instances_min > self.instances_max:
            raise ValueError("instances_min is above instances_max; exchange or correct them")
        return self
