"""A case as its scorers see it: how it ended, what it measured, and its files, each read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from host.cases.geometry import same_grid
from host.cases.nifti import LabelMap, read_label_map
from host.errors import KitError, KitFitError
from host.execution import Execution
from host.kits.cases import KitCase
from host.metrics.mask_pair import Mask, MaskPair
from host.validation.metric import Metric
from plugin_spec.manifest import Manifest
from plugin_spec.ports import LabelMapPort
from registry.statements import Measured

GRID_TOLERANCE_MM = 0.01
SKEW_MAX = 0.001  # distances and volumes along the axes are then right to a thousandth


class _MaskKey(NamedTuple):
    """What makes two mask metrics look at the same two masks."""

    port: str
    label: str
    reference_value: int


@dataclass
class CaseFiles:
    """One case while it is scored; thrown away with what it read.

    Attributes
    ----------
    case, execution
        What was expected, and how it ended.
    manifest : Manifest
        Of the release that answered.
    measured : tuple of Measured
        The numbers and calls of its outputs, as they are recorded.
    references : mapping of str to Path
        Port to reference file.
    """

    case: KitCase
    execution: Execution
    manifest: Manifest
    measured: tuple[Measured, ...]
    references: Mapping[str, Path]
    _references: dict[str, LabelMap] = field(default_factory=dict)
    _outputs: dict[str, LabelMap] = field(default_factory=dict)
    _pairs: dict[_MaskKey, MaskPair] = field(default_factory=dict)

    def found(self, port: str, column: str) -> float | str:
        """A number or call of an answer."""
        return next(one.value for one in self.measured if (one.port, one.column) == (port, column))

    def output(self, port: str) -> Path:
        """The file of an answer."""
        return next(one.path for one in self.execution.outputs if one.port == port)

    def reference_map(self, port: str) -> LabelMap:
        """The reference label map of a port."""
        if port not in self._references:
            self._references[port] = read_label_map(self.references[port])
        return self._references[port]

    def pair(self, metric: Metric) -> MaskPair:
        """The masks a metric looks at; metrics of one port, label and reference value share one pair.

        Raises
        ------
        KitError
            The reference lies on another grid than the answer, or on one whose axes are not perpendicular.
        """
        key = _MaskKey(metric.port or "", metric.label or "", metric.reference_value or 0)
        if key not in self._pairs:
            predicted, reference = self._output_map(key.port), self.reference_map(key.port)
            if not same_grid(predicted.grid, reference.grid, tolerance_mm=GRID_TOLERANCE_MM):
                name = self.references[key.port].name
                raise KitError(f"reference {name} is on another grid than its input")
            if reference.grid.skew > SKEW_MAX:
                raise KitError(
                    f"reference {self.references[key.port].name} is on a sheared grid: its axes are not perpendicular",
                    hint="resample image and reference to a grid without shear; distances would be wrong",
                )
            self._pairs[key] = MaskPair.of(
                predicted.data == label_value(metric, self.manifest),
                reference.data == key.reference_value,
                spacing_mm=predicted.grid.spacing_mm,
            )
        return self._pairs[key]

    def pair_without_answer(self, metric: Metric) -> MaskPair:
        """The reference mask beside an empty one: all that is left where a case failed."""
        reference = self.reference_map(metric.port or "")
        mask: Mask = reference.data == metric.reference_value
        return MaskPair.of(np.zeros_like(mask), mask, spacing_mm=reference.grid.spacing_mm)

    def _output_map(self, port: str) -> LabelMap:
        if port not in self._outputs:
            self._outputs[port] = read_label_map(self.output(port))
        return self._outputs[port]


def label_value(metric: Metric, manifest: Manifest) -> int:
    """The voxel value of a metric's label.

    Raises
    ------
    KitFitError
        The port holds no label map, or has no such label.
    """
    port = manifest.output(metric.port or "")
    if port is not None and not isinstance(port, LabelMapPort):
        raise KitFitError(
            f"metric {metric.id}: {metric.port} is of kind {port.kind}; masks are compared in label maps"
        )
    labels = port.labels if port is not None else ()
    value = next((label.value for label in labels if label.name == metric.label), None)
    if value is None:
        raise KitFitError(f"metric {metric.id}: {manifest.id} has no label {metric.port}.{metric.label}")
    return value
