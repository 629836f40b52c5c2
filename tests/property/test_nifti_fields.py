"""Header fields and affines are those that nibabel reads, rotation and rounding included."""

import math

import nibabel
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from host.cases.nifti_fields import qform, read_fields, sform

finite = st.floats(-1000, 1000, width=32)
spacing = st.floats(2**-6, 64, width=32)
# Longer than 1 by rounding, and clearly longer, both occur.
quaternions = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3).map(
    lambda part: tuple(np.float32(one / max(1.0, math.dist(part, (0, 0, 0)))) for one in part)
)


def header(byte_order="<", **fields):
    made = nibabel.Nifti1Header(endianness=byte_order)
    for name, value in fields.items():
        made[name] = value
    return made


@given(
    quatern=quaternions,
    offset=st.tuples(finite, finite, finite),
    edges=st.tuples(st.sampled_from([-1.0, 1.0]), spacing, spacing, spacing),
    rows=st.lists(finite, min_size=12, max_size=12),
    byte_order=st.sampled_from("<>"),
)
@example((0, 0, 0), (0, 0, 0), (-1.0, 1, 1, 1), [0.0] * 12, "<")
@example((1, 0, 0), (0, 0, 0), (1.0, 1, 1, 1), [0.0] * 12, ">")
def test_both_affines_are_as_nibabel_computes_them(quatern, offset, edges, rows, byte_order):
    b, c, d = quatern
    x, y, z = offset
    made = header(
        byte_order,
        dim=[3, 4, 5, 6, 1, 1, 1, 1],
        pixdim=[*edges, 1, 1, 1, 1],
        quatern_b=b, quatern_c=c, quatern_d=d,
        qoffset_x=x, qoffset_y=y, qoffset_z=z,
        srow_x=rows[:4], srow_y=rows[4:8], srow_z=rows[8:],
    )  # fmt: skip
    fields = read_fields(made.binaryblock, byte_order)
    assert fields.dim == tuple(made["dim"])
    assert np.array_equal(sform(fields), made.get_sform())
    try:
        expected = made.get_qform()
    except ValueError:
        with pytest.raises(ValueError, match="longer than 1"):
            qform(fields)
    else:
        assert qform(fields) == pytest.approx(expected, rel=1e-14, abs=1e-14)


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_every_single_field_is_where_nibabel_puts_it(byte_order):
    made = header(
        byte_order,
        datatype=16,
        vox_offset=352,
        scl_slope=2.5,
        scl_inter=-3,
        xyzt_units=10,
        qform_code=2,
        sform_code=4,
    )
    fields = read_fields(made.binaryblock, byte_order)
    for name in (
        "datatype",
        "vox_offset",
        "scl_slope",
        "scl_inter",
        "xyzt_units",
        "qform_code",
        "sform_code",
    ):
        assert getattr(fields, name) == made[name], name


@pytest.mark.parametrize("qfac", [2.0, math.nan])
def test_a_qfac_that_is_no_sign_is_refused(qfac):
    made = header(pixdim=[qfac, 1, 1, 1, 1, 1, 1, 1])
    with pytest.raises(ValueError, match="qfac"):
        qform(read_fields(made.binaryblock, "<"))


def test_a_qfac_of_nought_counts_as_one():
    made = header(pixdim=[0, 1, 2, 3, 1, 1, 1, 1])
    assert np.array_equal(qform(read_fields(made.binaryblock, "<")), np.diag([1, 2, 3, 1]))
