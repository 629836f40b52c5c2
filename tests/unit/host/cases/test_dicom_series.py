"""A series: instances that belong together and fit their port, and the grid that even slices span."""

import dataclasses
from typing import Any

import pytest

from host.cases.dicom import Instance, Placement
from host.cases.dicom_series import series_fault, series_grid, series_order
from plugin_spec.ports import DicomSeriesPort

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
PORT = DicomSeriesPort(
    kind="dicom_series",
    name="scan",
    summary="A scan.",
    modality="MR",
    sop_classes=("1.2.3",),
    instances_min=2,
    instances_max=5,
)


def slice_at(at: int, **changes: Any) -> Instance:
    placement = Placement(3, 2, (1.5, 1.25), AXIAL, (-10.0, -20.0, 30.0 + 2.0 * at))
    base = Instance("1.2.3", f"1.9.{at}", "1.8", "MR", at, 24, placement, {})
    return dataclasses.replace(base, **changes)


def slices(count: int = 3, **changes: Any) -> list[Instance]:
    return [slice_at(number, **changes) for number in range(1, count + 1)]


def test_a_series_that_fits_has_no_fault() -> None:
    assert series_fault(PORT, slices()) == ""


FAULTS: dict[str, tuple[list[Instance], str]] = {
    "two series": ([*slices(2), slice_at(3, series="1.7")], "instances of 2 series"),
    "two SOP classes": ([*slices(2), slice_at(3, sop_class="1.2.4")], "2 SOP classes"),
    "two modalities": ([*slices(2), slice_at(3, modality="SR")], "2 modalities"),
    "an instance twice": ([*slices(2), slice_at(2)], "stands in the folder twice"),
    "no series": (slices(series=""), "name no series"),
    "another SOP class": (slices(sop_class="1.2.4"), "the SOP class is 1.2.4, which is not declared"),
    "another modality": (slices(modality="CT"), "the modality is CT, not MR"),
    "too few": (slices(1), "1 instances; 2 to 5 are declared"),
    "too many": (slices(6), "6 instances; 2 to 5 are declared"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_series_that_does_not_fit_is_one_line_that_names_the_port_and_no_uid(fault: str) -> None:
    instances, said = FAULTS[fault]
    message = series_fault(PORT, instances)
    assert message.startswith("port scan: ")
    assert said in message
    assert "1.8" not in message
    assert "1.9" not in message


def test_the_order_is_that_of_the_instances_not_of_their_files() -> None:
    without = slice_at(1, number=None, sop_instance="1.9.0")
    found = sorted([without, slice_at(10), slice_at(2), slice_at(1)], key=series_order)
    assert [one.number for one in found] == [1, 2, 10, None]


def test_even_slices_span_a_grid_in_ras() -> None:
    grid = series_grid([slice_at(3), slice_at(1), slice_at(2)])
    assert grid is not None
    assert grid.shape == (3, 2, 3)
    assert grid.spacing_mm == pytest.approx((1.25, 1.5, 2.0))
    assert grid.world_mm((0.0, 0.0, 0.0)) == pytest.approx((10.0, 20.0, 32.0))
    assert grid.world_mm((1.0, 1.0, 1.0)) == pytest.approx((8.75, 18.5, 34.0))


def moved(number: int, *position: float, **changes: Any) -> Instance:
    placement = slice_at(number).placement
    assert placement is not None
    return slice_at(number, placement=dataclasses.replace(placement, position_mm=position, **changes))


NO_GRIDS = {
    "one slice": slices(1),
    "a gap": [slice_at(1), slice_at(2), slice_at(4)],
    "a slice aside": [slice_at(1), moved(2, -10.0, -19.0, 34.0), slice_at(3)],
    "a slice twice": [slice_at(1), slice_at(1), slice_at(2)],
    "slices on one place": [slice_at(1), slice_at(1)],
    "a slice turned": [slice_at(1), moved(2, -10.0, -20.0, 34.0, orientation=(0.0, 1.0, 0.0, 1.0, 0.0, 0.0))],
    "a slice of another size": [slice_at(1), moved(2, -10.0, -20.0, 34.0, rows=4)],
    "a slice without a place": [slice_at(1), slice_at(2, placement=None)],
}


@pytest.mark.parametrize("what", NO_GRIDS)
def test_uneven_slices_span_none_and_the_geometry_is_missing(what: str) -> None:
    assert series_grid(NO_GRIDS[what]) is None
