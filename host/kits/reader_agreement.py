"""How far a kit's readers agree, from their own references in cases.csv: what no algorithm is expected to exceed.

Invariants
----------
* One case of each subject counts: several scans of one person are no further agreement.
* Every metric that the protocol judges the plugin by is applied to two readers as it is to plugin and reference.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

from host import extensions
from host.cases.geometry import same_grid
from host.errors import KitError
from host.kits.cases import CaseFile, KitCase
from host.reports.sections import AgreementRow
from host.statistics.estimate import Estimate
from host.validation.estimate_row import EstimateRow
from host.validation.metric import Metric
from host.validation.protocol import Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRID_TOLERANCE_MM: Final = 0.01
_OF_MASKS: Final = "mean of "
SOURCE: Final = "computed from the readers' own references, one case of each subject"


def computed_agreement(
    protocol: Protocol, cases: Sequence[KitCase], data: Path | None
) -> tuple[AgreementRow, ...]:
    """Agreement of the readers on everything that several of them gave.

    Parameters
    ----------
    protocol : Protocol
    cases : sequence of KitCase
    data : Path or None
        The kit's data folder; without it, nothing is said of files.

    Raises
    ------
    KitError
        References of two readers are on different grids.
    """
    one_each = list({case.subject_id: case for case in reversed(cases)}.values())[::-1]
    rows = [*_of_numbers(one_each), *_of_classes(protocol, one_each)]
    if data is not None:
        rows += _of_masks(protocol, one_each, data)
    return tuple(rows)


def is_of_masks(row: AgreementRow) -> bool:
    """Whether a row was computed from files, which a registry does not keep."""
    return row.source == SOURCE and row.measure.startswith(_OF_MASKS)


def _of_numbers(cases: Sequence[KitCase]) -> Iterator[AgreementRow]:
    """ICC(2,1) of all readers of a column: readers are a sample of those who might have read (Shrout, Fleiss 1979)."""
    from host.statistics.reliability import icc

    given = {(name, reader) for case in cases for reader, of in case.readers.items() for name in of.values}
    for column in sorted({name for name, _ in given}):
        readers = sorted(reader for name, reader in given if name == column)
        table = [
            [case.readers[reader].values[column] for reader in readers]
            for case in cases
            if all(reader in case.readers and column in case.readers[reader].values for reader in readers)
        ]
        if len(readers) > 1 and table:
            yield _row(f"ICC(2,1) of {column}", readers, icc(table, form="2,1"))


def _of_classes(protocol: Protocol, cases: Sequence[KitCase]) -> Iterator[AgreementRow]:
    """Cohen's kappa of each two readers, unweighted (Cohen 1960)."""
    from host.statistics.classes import weighted_kappa

    for port, classes in {one.port: one.classes for one in protocol.metrics if one.classes}.items():
        codes = {name: code for code, name in enumerate(classes or ())}
        for pair in _pairs(cases):
            called = [
                tuple(case.readers[one].classes.get(port or "") for one in pair) for case in _of(pair, cases)
            ]
            both = [(codes[a], codes[b]) for a, b in called if a in codes and b in codes]
            if both:
                first, second = zip(*both, strict=True)
                kappa = weighted_kappa(first, second, classes=len(codes))
                yield _row(f"Cohen's kappa of {port}, unweighted", pair, kappa)


def _of_masks(protocol: Protocol, cases: Sequence[KitCase], data: Path) -> Iterator[AgreementRow]:
    """The mean over subjects of each metric on masks, between each two readers."""
    from host.statistics.bootstrap import cluster_bootstrap

    for metric in protocol.metrics:
        if metric.kind != "masks" or metric.against != "reference":
            continue
        for pair in _pairs(cases):
            files = [
                tuple(case.readers[one].files.get(metric.port or "") for one in pair)
                for case in _of(pair, cases)
            ]
            values = [_compared(metric, data, a, b) for a, b in files if a is not None and b is not None]
            seen = [value for value in values if not math.isnan(value)]  # NaN: both masks are empty
            if seen:
                mean = cluster_bootstrap(
                    _mean_of(seen), range(len(seen)), seed=protocol.seed, resamples=protocol.resamples
                )
                yield _row(f"{_OF_MASKS}{metric.id}", pair, mean)


def _mean_of(values: Sequence[float]) -> "Callable[[NDArray[np.intp]], float]":
    return lambda cases: math.fsum(values[int(one)] for one in cases) / len(cases)


def _compared(metric: Metric, data: Path, first: CaseFile, second: CaseFile) -> float:
    from host.cases.nifti import read_label_map
    from host.metrics.mask_pair import MaskPair
    from host.metrics.parameters import complete

    registered = extensions.metric(metric.function or "")
    one, other = (read_label_map(data / file.path) for file in (first, second))
    if not same_grid(one.grid, other.grid, tolerance_mm=GRID_TOLERANCE_MM):
        raise KitError(f"{first.path} and {second.path} are on different grids", subject=second.path)
    code = metric.reference_value
    pair = MaskPair.of(one.data == code, other.data == code, spacing_mm=one.grid.spacing_mm)
    return float(registered.load()(pair, **complete(registered, metric.parameters)))


def _pairs(cases: Sequence[KitCase]) -> Iterator[tuple[str, str]]:
    yield from combinations(sorted({reader for case in cases for reader in case.readers}), 2)


def _of(pair: tuple[str, str], cases: Sequence[KitCase]) -> list[KitCase]:
    """The cases that both readers read."""
    return [case for case in cases if set(pair) <= set(case.readers)]


def _row(measure: str, readers: Sequence[str], estimate: Estimate) -> AgreementRow:
    return AgreementRow(
        measure=measure, between=" and ".join(readers), estimate=EstimateRow.of(estimate), source=SOURCE
    )
