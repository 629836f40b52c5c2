"""The statistics engine tests itself: every oracle computed again on this installation.

Invariants
----------
* Nothing passes that was not computed just now. What could not be run is neither passed nor failed, and says why.
* A computation that breaks is a failure of that oracle, and hides no other.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from host.statistics.oracle import DataFile, Oracle

Find = Callable[[DataFile], bytes | None]


@dataclass(frozen=True)
class OracleResult:
    """One published figure and what was computed here.

    Attributes
    ----------
    id, source, quantity : str
    expected, tolerance : float
    found : float or None
        Rounded to 12 significant digits; None where nothing was computed.
    passed : bool or None
        None where the oracle was not run.
    reason : str
        Why it was not run, or what broke; empty otherwise.
    """

    id: str
    source: str
    quantity: str
    expected: float
    tolerance: float
    found: float | None
    passed: bool | None
    reason: str = ""


def run_self_test(
    find: Find = lambda file: None, *, oracles: Sequence[Oracle] | None = None
) -> tuple[OracleResult, ...]:
    """Compute every oracle again.

    Parameters
    ----------
    find : callable, optional
        Gives the bytes of a file that an oracle needs, already checked against its digest, or None where it is not
        here.
    oracles : sequence of Oracle, optional
        Those of `host.statistics.oracles` unless given.

    Returns
    -------
    tuple of OracleResult
        One per published figure, in the order of the oracles.
    """
    if oracles is None:
        from host.statistics.oracles import ORACLES

        oracles = ORACLES
    return tuple(result for oracle in oracles for result in _run(oracle, find))


def _run(oracle: Oracle, find: Find) -> Sequence[OracleResult]:
    if oracle.unobtainable:
        return _without_numbers(oracle, f"not run: {oracle.unobtainable}", passed=None)
    files = {file.name: find(file) for file in oracle.needs}
    if missing := [name for name, data in files.items() if data is None]:
        return _without_numbers(oracle, f"not run: {', '.join(missing)} not here", passed=None)
    try:
        found = [
            float(number)
            for number in oracle.compute({name: data for name, data in files.items() if data is not None})
        ]
    except Exception as error:  # noqa: BLE001 - whatever breaks on an installation is that oracle's failure
        return _without_numbers(oracle, f"{type(error).__name__}: {error}", passed=False)
    if len(found) != len(oracle.expectations):
        reason = f"{len(found)} numbers computed, {len(oracle.expectations)} published"
        return _without_numbers(oracle, reason, passed=False)
    return [
        OracleResult(
            oracle.id,
            oracle.source,
            wanted.quantity,
            wanted.value,
            wanted.tolerance,
            float(f"{number:.12g}") if math.isfinite(number) else None,
            abs(number - wanted.value) <= wanted.tolerance,
        )
        for wanted, number in zip(oracle.expectations, found, strict=True)
    ]


def _without_numbers(oracle: Oracle, reason: str, *, passed: bool | None) -> Sequence[OracleResult]:
    return [
        OracleResult(oracle.id, oracle.source, one.quantity, one.value, one.tolerance, None, passed, reason)
        for one in oracle.expectations
    ]
