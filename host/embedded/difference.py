"""How far two outputs of one port lie apart: the figures that tolerances and comparisons are given in."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from host.cases.nifti import VOXEL_BYTES_MAX, decode_header, decode_label_map, decode_volume
from host.cases.nifti_stream import decompressed, open_image
from host.metrics.overlap import label_dice
from plugin_spec.ports import LabelMapPort


@dataclass(frozen=True)
class VolumeDifference:
    """Of two volumes: voxels that differ, the largest difference, and the largest magnitude there is."""

    voxels: int
    largest: float
    magnitude: float


def label_dices(port: LabelMapPort, one: Path, other: Path) -> dict[str, float]:
    """Dice of every declared label that occurs in either label map.

    Returns
    -------
    dict of str to float
        Label name to Dice; all 0 where the shapes differ.
    """
    a, b = _labels(one), _labels(other)
    if a.shape != b.shape:
        return {label.name: 0.0 for label in port.labels}
    found = {label.name: label_dice(a, b, label.value) for label in port.labels}
    return {name: value for name, value in found.items() if not math.isnan(value)}


def volume_difference(one: Path, other: Path, *, ndim: int) -> VolumeDifference:
    """Compare two volumes voxel by voxel; volumes of different shape differ in every voxel, infinitely."""
    a, b = read_voxels(one, ndim=ndim), read_voxels(other, ndim=ndim)
    magnitude = float(max(np.abs(a).max(), np.abs(b).max()))
    if a.shape != b.shape:
        return VolumeDifference(int(max(a.size, b.size)), math.inf, magnitude)
    distance = np.abs(a - b)
    return VolumeDifference(int(np.count_nonzero(distance)), float(distance.max()), magnitude)


def voxels_that_differ(one: Path, other: Path) -> int:
    """In how many voxels two label maps differ."""
    a, b = _labels(one), _labels(other)
    return int(np.count_nonzero(a != b)) if a.shape == b.shape else int(max(a.size, b.size))


def _labels(path: Path) -> NDArray[Any]:
    with open_image(path) as raw:
        stream = decompressed(raw, path.name)
        header = decode_header(stream, path.name)
        return decode_label_map(stream, header, path.name, bytes_max=VOXEL_BYTES_MAX).data


def read_voxels(path: Path, *, ndim: int) -> NDArray[np.float64]:
    """The voxels of an output, which, unlike those of an input, may all be the same."""
    with open_image(path) as raw:
        stream = decompressed(raw, path.name)
        header = decode_header(stream, path.name, ndim=ndim)
        data = decode_volume(stream, header, path.name, bytes_max=VOXEL_BYTES_MAX).data
        return np.asarray(data, dtype=np.float64)
