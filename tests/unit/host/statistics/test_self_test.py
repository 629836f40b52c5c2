"""The self-test recomputes, can fail, and passes over nothing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from host.statistics import asah_ranks
from host.statistics.oracle import DataFile, Expectation, Oracle, exact, printed
from host.statistics.oracles import ORACLES, PHANTOM
from host.statistics.self_test import run_self_test
from tests.support import asah

RUNNABLE = [one for one in ORACLES if not one.unobtainable and not one.needs]


@pytest.mark.parametrize("oracle", RUNNABLE, ids=lambda one: one.id)
def test_every_published_number_comes_out(oracle: Oracle) -> None:
    wrong = [
        (one.quantity, one.expected, one.found) for one in run_self_test(oracles=[oracle]) if not one.passed
    ]
    assert wrong == []


@pytest.mark.parametrize("oracle", RUNNABLE, ids=lambda one: one.id)
def test_every_published_number_can_fail(oracle: Oracle) -> None:
    """Moved by three times its tolerance, each figure is found out on its own."""
    moved = replace(
        oracle,
        expectations=tuple(
            replace(one, value=one.value + 3.0 * one.tolerance) for one in oracle.expectations
        ),
    )
    assert [one.passed for one in run_self_test(oracles=[moved])] == [False] * len(oracle.expectations)


@pytest.mark.patient_data
def test_the_phantom_of_ibsi_gives_its_published_first_order_statistics(data_root: Path) -> None:
    def find(file: DataFile) -> bytes:
        return (data_root / "ibsi_digital_phantom" / file.name).read_bytes()

    results = [one for one in run_self_test(find) if one.id == "ibsi-digital-phantom"]
    assert [one.passed for one in results] == [True] * 5


def test_what_cannot_be_run_is_neither_passed_nor_failed_and_says_why() -> None:
    results = run_self_test()
    left_out = {one.id: one.reason for one in results if one.passed is None}
    assert set(left_out) == {"mcr-creatinine", "ibsi-digital-phantom"}
    assert left_out["ibsi-digital-phantom"] == "not run: phantom.nii.gz, mask.nii.gz not here"
    assert "R package mcr" in left_out["mcr-creatinine"]
    assert all(one.found is None for one in results if one.passed is None)


def oracle(compute, *expectations: Expectation, **rest) -> Oracle:
    return Oracle("made", "a test", expectations or printed(("half", "0.50")), compute, **rest)


def test_a_figure_may_be_missed_by_half_of_its_last_printed_digit() -> None:
    results = run_self_test(oracles=[oracle(lambda _, x=x: [x]) for x in (0.4949, 0.4951, 0.5049, 0.5051)])
    assert [one.passed for one in results] == [False, True, True, False]
    assert exact(("n", 567.0))[0].tolerance < 1e-9


def test_a_figure_that_is_not_a_number_fails() -> None:
    (result,) = run_self_test(oracles=[oracle(lambda _: [float("nan")])])
    assert (result.passed, result.found) == (False, None)


def test_a_computation_that_breaks_is_that_oracles_failure_and_hides_no_other() -> None:
    def broken(_: Mapping[str, bytes]) -> list[float]:
        raise RuntimeError("no BLAS")

    first, second = run_self_test(oracles=[oracle(broken), oracle(lambda _: [0.5])])
    assert (first.passed, first.reason) == (False, "RuntimeError: no BLAS")
    assert second.passed


def test_too_few_numbers_for_what_is_published_fail() -> None:
    figures = printed(("a", "1"), ("b", "2"))
    results = run_self_test(oracles=[oracle(lambda _: [1.0], *figures)])
    assert [one.passed for one in results] == [False, False]
    assert "1 numbers computed, 2 published" in results[0].reason


def test_a_damaged_phantom_is_a_failure() -> None:
    results = [one for one in run_self_test(lambda file: b"not a scan") if one.id == "ibsi-digital-phantom"]
    assert {one.passed for one in results} == {False}
    assert PHANTOM.bytes == 126


@pytest.mark.parametrize("marker", ["WFNS", "S100B", "NDKA"])
def test_the_ranks_of_asah_are_those_of_its_measurements(marker: str) -> None:
    order = np.unique(getattr(asah, marker), return_inverse=True)[1] + 1
    assert getattr(asah_ranks, marker) == tuple(order)
    assert asah_ranks.POOR == asah.POOR
