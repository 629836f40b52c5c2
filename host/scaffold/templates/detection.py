"""Finds the bright spots of an image. Put your algorithm in the place of the marked lines."""

from pathlib import Path

import nibabel
import numpy as np

from plugin_spec import Refuse, algorithm, hookimpl


@algorithm
def detect(image: Path, level: float) -> dict[str, list[dict[str, object]]]:
    """Find each group of touching voxels of at least ``level`` times the highest value.

    Parameters
    ----------
    image, level
        The input and the parameter of these names in plugin.toml.

    Returns
    -------
    dict
        Output port to its findings; none is a result too.
    """
    scan = nibabel.load(image)
    values = np.asarray(scan.dataobj, dtype=np.float64)
    if values.min() < 0:
        raise Refuse("negative-values", "image: voxels below 0, which no magnitude image has")

    spots = groups(values >= level * values.max())  # your algorithm

    return {
        "spots": [
            {
                "label": "bright_spot",
                "point": lps_mm(np.mean(spot, axis=0), scan.affine),
                "score": float(max(values[voxel] for voxel in spot) / values.max()),
            }
            for spot in spots
        ]
    }


def groups(mask: np.ndarray) -> list[list[tuple[int, ...]]]:
    """Group the voxels of a mask that touch by a face; each group as its voxel indices."""
    left = {tuple(int(index) for index in voxel) for voxel in np.argwhere(mask)}
    steps = [step for axis in np.eye(3, dtype=int) for step in (axis, -axis)]
    found = []
    while left:
        group = [min(left)]
        left.remove(group[0])
        for voxel in group:  # grows while it is read
            near = [tuple(int(index) for index in np.add(voxel, step)) for step in steps]
            group += [one for one in near if one in left]
            left.difference_update(near)
        found.append(group)
    return found


def lps_mm(voxel: np.ndarray, affine: np.ndarray) -> list[float]:
    """Voxel indices to patient coordinates: NIfTI's world is RAS, DICOM's is LPS."""
    x, y, z = nibabel.affines.apply_affine(affine, voxel)
    return [-float(x), -float(y), float(z)]


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions that every run's record keeps."""
    return {"nibabel": nibabel.__version__, "numpy": np.__version__}
