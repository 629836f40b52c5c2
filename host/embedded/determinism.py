"""The claim on repeated runs, held against what repeated runs gave. Pure, but for reading the outputs.

What may differ is decided by `host.agreement`, as everywhere; here it is told what differs, where, and by how much.
One machine cannot show that others give the same bytes: what is measured is said to be measured here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from host.agreement import Answered, output_differences
from host.content.measurements import Row
from host.embedded.difference import label_dices, volume_difference, voxels_that_differ
from host.embedded.observation import Observation
from host.outputs import CheckedOutput
from plugin_spec.documents import ScoreDocument
from plugin_spec.manifest import Manifest
from plugin_spec.ports import LabelMapPort, MeasurementsPort, OutputPort, ScorePort, VolumePort

_STATE_HINT: Final = (
    "fresh containers agree, so a case changes the next one in a warm container: keep no state between cases, "
    'or write mode = "exec"'
)
_CHANCE_HINT: Final = (
    "take out clocks, random numbers without the seed and threads whose order counts, or claim what holds: "
    "tolerance, or stochastic"
)
Verdict = Literal["holds", "does not hold", "not measured"]


@dataclass(frozen=True)
class Difference:
    """What of a port differs between two runs of one test, and whether a declared tolerance allows it."""

    test: str
    port: str
    text: str
    runs: tuple[str, str]
    allowed: bool

    @property
    def line(self) -> str:
        """The difference in one line."""
        return f"{self.text} between {self.runs[0]} and {self.runs[1]} of {self.test}"


@dataclass(frozen=True)
class Finding:
    """How the claim stands.

    Attributes
    ----------
    identical : bool
        Whether every repeat had the same bytes in every output.
    compared : int
        Runs that answered, over all tests that answered more than once.
    differences : tuple of Difference
        All that were seen.
    warm_only : bool
        Whether fresh containers agreed with each other, and warm ones did not with them.
    spread : tuple of str
        For numbers that differ: lowest and highest.
    """

    claim: str
    verdict: Verdict
    identical: bool
    compared: int
    differences: tuple[Difference, ...] = ()
    warm_only: bool = False
    spread: tuple[str, ...] = ()

    @property
    def fault(self) -> str:
        """Why the claim does not hold, in one line; empty when it does."""
        if self.verdict != "does not hold":
            return ""
        first = next(one for one in self.differences if not one.allowed)
        rule = {
            "bitwise": "the same bytes everywhere",
            "bitwise_same_device": "the same bytes on one device",
            "tolerance": "differences within the declared tolerances",
            "stochastic": "differences within the tolerances that are declared",
        }[self.claim]
        others = len(self.differences) - 1
        more = f" (and {others} more)" if others else ""
        return f"{first.line}{more}; the claim {self.claim} means {rule}"

    @property
    def hint(self) -> str:
        """What the author does next about the claim; empty where there is nothing to do."""
        if self.verdict == "does not hold":
            return _STATE_HINT if self.warm_only else _CHANCE_HINT
        if self.identical and self.claim in {"tolerance", "stochastic"}:
            return (
                f"all bytes were the same: {self.claim} is weaker than what was measured, bitwise_same_device"
            )
        return ""


def measure(manifest: Manifest, seen: Sequence[Observation]) -> Finding:
    """Compare each test's answers with its first one.

    Parameters
    ----------
    seen : sequence of Observation
        Every run, in the order of their numbers, the fresh ones first.
    """
    claim = manifest.determinism.claim
    answers = [one for one in seen if one.execution.outcome == "ok"]
    answers.sort(key=lambda one: one.test.name)
    differences: list[Difference] = []
    spread: list[str] = []
    compared = 0
    for _, group in groupby(answers, key=lambda one: one.test.name):
        runs = list(group)
        if len(runs) < 2:
            continue
        compared += len(runs)
        for other in runs[1:]:
            differences += _between(manifest, runs[0], other)
        spread += _spread(manifest, runs)
    if not compared:
        return Finding(claim, "not measured", identical=False, compared=0)
    broken = [one for one in differences if not one.allowed]
    verdict: Verdict = "does not hold" if broken else "holds"
    warm_only = bool(broken) and all(one.runs[1].endswith("(warm)") for one in broken)
    return Finding(claim, verdict, not differences, compared, tuple(differences), warm_only, tuple(spread))


def _between(manifest: Manifest, first: Observation, other: Observation) -> Iterator[Difference]:
    """What differs between two answers: by the claim's own judge, and where it allows it, by what is seen."""
    runs = (first.planned.label, other.planned.label)
    ends = (Answered.of(first.execution), Answered.of(other.execution))
    for port in manifest.outputs:
        broken = list(output_differences(manifest, port, *ends))
        one, two = first.output(port.name), other.output(port.name)
        seen = []
        if one is not None and two is not None and one.digest != two.digest:
            seen = list(_BY_KIND.get(port.kind, _bytes)(port, one, two))
        if broken and not (seen and manifest.determinism.claim.startswith("bitwise")):
            seen = broken  # in the words of the tolerance
        for text in seen:
            yield Difference(first.test.name, port.name, text, runs, allowed=not broken)


def _bytes(port: OutputPort, one: CheckedOutput, two: CheckedOutput) -> Iterator[str]:
    yield f"{port.name} differs in its bytes"


def _rows(port: MeasurementsPort, one: CheckedOutput, two: CheckedOutput) -> Iterator[str]:
    a, b = one.rows or (), two.rows or ()
    if len(a) != len(b):
        yield f"{port.name} has {len(a)} and {len(b)} rows"
        return
    differing = False
    for column in port.columns:
        pairs = [(x[column.name], y[column.name]) for x, y in zip(a, b, strict=True)]
        unequal = [pair for pair in pairs if pair[0] != pair[1]]
        if unequal:
            differing = True
            worst = max(unequal, key=_distance)
            yield f"{port.name}.{column.name} is {worst[0]} and {worst[1]}"
    if not differing:
        yield f"{port.name} differs in its bytes only, all numbers are the same"


def _label_map(port: LabelMapPort, one: CheckedOutput, two: CheckedOutput) -> Iterator[str]:
    voxels = voxels_that_differ(one.path, two.path)
    if not voxels:
        yield _same_voxels(port.name)
        return
    dices = label_dices(port, one.path, two.path)
    label, lowest = min(dices.items(), key=lambda item: item[1], default=("", 1.0))
    yield f"{port.name} differs in {voxels} voxels (lowest Dice {lowest:.6f}, {label})"


def _volume(port: VolumePort, one: CheckedOutput, two: CheckedOutput) -> Iterator[str]:
    found = volume_difference(one.path, two.path, ndim=port.ndim)
    if found.voxels:
        yield f"{port.name} differs in {found.voxels} voxels, by up to {found.largest:g} {port.unit}"
    else:
        yield _same_voxels(port.name)


def _score(port: ScorePort, one: CheckedOutput, two: CheckedOutput) -> Iterator[str]:
    a, b = one.document, two.document
    differing = False
    for field in ("value", "lower", "upper"):
        pair = (getattr(a, field), getattr(b, field))
        if pair[0] != pair[1]:
            differing = True
            yield f"{port.name}.{field} is {pair[0]} and {pair[1]}"
    if not differing:
        yield f"{port.name} differs in its bytes only, all numbers are the same"


def _same_voxels(port: str) -> str:
    return f"{port} differs in its bytes only, all voxels are the same (a time in the header or the gzip wrapper?)"


def _distance(pair: tuple[object, object]) -> float:
    a, b = pair
    return abs(a - b) if isinstance(a, (int, float)) and isinstance(b, (int, float)) else float("inf")


def _spread(manifest: Manifest, runs: Sequence[Observation]) -> Iterator[str]:
    """Lowest and highest of every number that is not the same in all runs of a test."""
    values: dict[str, list[float]] = {}
    for run in runs:
        for output in run.execution.outputs:
            for name, value in _numbers(manifest, output):
                values.setdefault(name, []).append(value)
    for name, found in values.items():
        low, high = min(found), max(found)
        if low != high:
            yield f"{runs[0].test.name}: {name} from {low:g} to {high:g} in {len(found)} runs"


def _numbers(manifest: Manifest, output: CheckedOutput) -> Iterator[tuple[str, float]]:
    rows: Sequence[Row] = output.rows or ()
    for number, row in enumerate(rows):
        for column in manifest.columns_of(output.port):
            if isinstance(row[column], (int, float)):
                place = f"[{number}]" if len(rows) > 1 else ""
                yield f"{output.port}{place}.{column}", float(row[column])
    if isinstance(output.document, ScoreDocument):
        yield f"{output.port}.value", output.document.value


_BY_KIND: Final[dict[str, Callable[..., Iterator[str]]]] = {
    "measurements": _rows,
    "label_map": _label_map,
    "volume": _volume,
    "score": _score,
}
