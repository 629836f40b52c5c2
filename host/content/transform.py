"""Transforms: a matrix that is what its port calls it, rigid or affine."""

import math
from typing import Final

from host.content.documents import read_as
from host.errors import OutputRangeError
from plugin_spec.documents import TransformDocument
from plugin_spec.ports import TransformPort

# Largest deviation of R^T R from the identity, per entry. Matrices written with six decimals or in float32 stay
# below 1e-5; at 1e-4 a point 250 mm from the origin moves by less than 0.03 mm, far below any voxel.
RIGID_TOLERANCE: Final = 1e-4
# |det| relative to the product of the column lengths: below it the matrix flattens space (as for voxel grids).
_FLATNESS_MIN: Final = 1e-5


def check_transform(port: TransformPort, data: bytes) -> TransformDocument:
    """Check a transform file: rigid is a rotation without mirroring, affine can be inverted."""
    document = read_as(TransformDocument, port.name, data)
    columns = [tuple(row[axis] for row in document.matrix[:3]) for axis in range(3)]
    volume = document.determinant / max(math.prod(math.hypot(*column) for column in columns), 1e-300)
    if not abs(volume) >= _FLATNESS_MIN:  # so written, what overflowed to NaN is refused as well
        raise OutputRangeError(f"port {port.name}: the matrix cannot be inverted", subject=port.name)
    if port.model == "affine":
        return document
    worst = max(
        abs(math.fsum(x * y for x, y in zip(columns[a], columns[b], strict=True)) - (a == b))
        for a in range(3)
        for b in range(3)
    )
    if worst > RIGID_TOLERANCE:
        raise OutputRangeError(
            f"port {port.name}: a rigid transform neither scales nor shears, but the matrix deviates by "
            f"{worst:.2g} from a rotation (at most {RIGID_TOLERANCE:g})",
            subject=port.name,
        )
    if document.determinant < 0:
        raise OutputRangeError(
            f"port {port.name}: the matrix mirrors: a rigid transform has the determinant 1, not -1",
            subject=port.name,
        )
    return document
