"""Transforms: rigid is a rotation without a mirror, affine can be inverted."""

import math

import pytest

from host.content.transform import RIGID_TOLERANCE, check_transform
from host.errors import OutputMalformedError, OutputRangeError
from tests.support.output_ports import document, output_port

LAST = [0.0, 0.0, 0.0, 1.0]


def turned(angle=0.3, scale=1.0, digits=None):
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    rows = [[c, -s, 0.0, 12.5], [s, c, 0.0, -3.0], [0.0, 0.0, scale, 0.0]]
    return [*([entry if digits is None else round(entry, digits) for entry in row] for row in rows), LAST]


def check(matrix, model="rigid"):
    return check_transform(output_port("transform", model=model), document("transform", matrix=matrix))


@pytest.mark.parametrize("digits", [None, 6])
def test_a_rotation_is_rigid_also_when_written_with_six_decimals(digits):
    assert check(turned(digits=digits)).matrix[0][3] == 12.5


MIRROR = [[-1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], LAST]
FLAT = [[1.0, 1.0, 0.0, 0.0], [0.0, 1e-6, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], LAST]
VIOLATIONS = {
    "a scale": (turned(scale=1.001), "rigid", OutputRangeError, "neither scales nor shears"),
    "a scale just past the tolerance": (
        turned(scale=1 + RIGID_TOLERANCE),
        "rigid",
        OutputRangeError,
        "deviates",
    ),
    "a shear": (
        [[1.0, 0.01, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], LAST],
        "rigid",
        OutputRangeError,
        "deviates",
    ),
    "a mirror": (MIRROR, "rigid", OutputRangeError, "the determinant 1, not -1"),
    "a matrix that flattens": (FLAT, "affine", OutputRangeError, "cannot be inverted"),
    "zeros": ([[0.0] * 4] * 3 + [LAST], "affine", OutputMalformedError, "cannot be inverted"),
    "another last row": (turned()[:3] + [[0.0, 0.0, 1.0, 1.0]], "affine", OutputMalformedError, "last row"),
    "three rows": (turned()[:3], "affine", OutputMalformedError, "matrix"),
    "a short row": ([*turned()[:2], [0.0, 0.0, 1.0], LAST], "affine", OutputMalformedError, "matrix"),
    "infinity": (
        [[1e999, 0.0, 0.0, 0.0], *turned()[1:]],
        "affine",
        OutputMalformedError,
        "matrix",
    ),
    "numbers that overflow": (
        [[1e300, 0.0, 0.0, 0.0], [0.0, 1e300, 0.0, 0.0], [0.0, 0.0, 1e300, 0.0], LAST],
        "affine",
        OutputRangeError,
        "cannot be inverted",
    ),
}


@pytest.mark.parametrize("fault", VIOLATIONS)
def test_a_matrix_that_is_not_what_its_port_calls_it_is_refused(fault):
    matrix, model, error, said = VIOLATIONS[fault]
    with pytest.raises(error, match="^port answer: ") as caught:
        check(matrix, model)
    assert said in caught.value.message


def test_an_affine_may_scale_and_shear():
    sheared = [[1.2, 0.1, 0.0, 4.0], [0.0, 0.9, 0.0, 0.0], [0.0, 0.0, 1.1, 0.0], LAST]
    assert check(sheared, "affine")
    with pytest.raises(OutputRangeError):
        check(sheared, "rigid")
