"""A case's row, metric by metric: against the reference standard, another answer of the plugin, or runs once more.

Invariants
----------
* A metric is scored in one way (`host.validation.scoring`), whatever it is held against: an earlier answer takes the
  place of the reference standard, with the same empty cases and the same rule for a case that failed.
* Where there is nothing to hold an answer against, the metric has no value; one against the locked release does not
  stand in the rows of a validation that named none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from host.execution import Execution
from host.kits.cases import KitCase
from host.perturbations.cases import PerturbedCase
from host.validation.metric import Against, Metric
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from host.validation.scoring import score
from plugin_spec.manifest import Manifest
from plugin_spec.ports import LabelMapPort
from registry.statements import Measured


@dataclass(frozen=True)
class EarlierAnswer:
    """Another answer to the same case, which takes the reference standard's place.

    Attributes
    ----------
    manifest : Manifest
        Of the release that gave it: it says which value a label has.
    measured : tuple of Measured
    label_maps : mapping of str to Path
        Output port to its label map, on the grid of the answer that is scored.
    """

    manifest: Manifest
    measured: tuple[Measured, ...]
    label_maps: Mapping[str, Path] = field(default_factory=dict)


# ``None``: the comparison was asked for, and this case has nothing to be held against.
EarlierAnswers = Mapping[Against, EarlierAnswer | None]


@dataclass(frozen=True)
class CaseAnswer:
    """A case's answer, as `host.validation.scoring.score` takes it."""

    case: KitCase
    execution: Execution
    manifest: Manifest
    measured: tuple[Measured, ...]
    references: Mapping[str, Path]

    def row(self, protocol: Protocol, metrics: Iterable[Metric]) -> CaseRow:
        """The row of some metrics."""
        return score(
            self.case,
            self.execution,
            manifest=self.manifest,
            protocol=protocol.model_copy(update={"metrics": tuple(metrics)}),
            measured=self.measured,
            references=self.references,
        )


def score_case(answer: CaseAnswer, protocol: Protocol, earlier: EarlierAnswers) -> CaseRow:
    """Compute a case's row, but for the metrics of sameness, which need further runs.

    Parameters
    ----------
    answer : CaseAnswer
    protocol : Protocol
    earlier : mapping of str to EarlierAnswer or None
        What metrics ``against`` something else than the reference are held against.
    """
    metrics = [one for one in protocol.metrics if one.kind != "sameness"]
    row = answer.row(protocol, [one for one in metrics if one.against == "reference"])
    parts = [row]
    compared: tuple[Against, ...] = ("unperturbed", "locked_release")
    for against in compared:
        held = [one for one in metrics if one.against == against]
        if against in earlier:
            parts += _held_against(answer, protocol, held, earlier[against])
        elif against == "unperturbed":
            parts.append(_without_figures(row, held))
    return _joined(protocol, parts)


def is_scored(metric: Metric, case: KitCase, *, locked: bool) -> bool:
    """Whether a case gets a figure of a metric at all, from its own run.

    Parameters
    ----------
    locked : bool
        Whether the validation names an earlier release.
    """
    if metric.kind == "sameness":
        return False
    return {"reference": True, "unperturbed": isinstance(case, PerturbedCase), "locked_release": locked}[
        metric.against
    ]


def _without_figures(row: CaseRow, metrics: Sequence[Metric]) -> CaseRow:
    values = dict.fromkeys(one.id for one in metrics)
    return row.model_copy(update={"values": values, "imputed": (), "never_met": (), "observations": {}})


def _held_against(
    answer: CaseAnswer, protocol: Protocol, metrics: Sequence[Metric], earlier: EarlierAnswer | None
) -> Iterator[CaseRow]:
    """The rows of metrics against one earlier answer, port by port, since a reference number has no port.

    Without an earlier answer, a case that failed counts as it would against the reference: its image is as large.
    """
    if earlier is None and answer.execution.outcome == "ok":
        yield _without_figures(answer.row(protocol, ()), metrics)
        return
    for port in sorted({one.port or "" for one in metrics}):
        case = answer.case.model_copy(update={"values": _numbers(earlier, port)})
        maps = answer.references if earlier is None else earlier.label_maps
        held = [_against_reference(one, earlier) for one in metrics if one.port == port]
        yield replace(answer, case=case, references=maps).row(protocol, held)


def _against_reference(metric: Metric, answer: EarlierAnswer | None) -> Metric:
    """The metric as if the earlier answer were the reference, whose labels have the values of its own manifest."""
    port = answer.manifest.output(metric.port or "") if answer is not None else None
    labels = port.labels if isinstance(port, LabelMapPort) else ()
    value = next((one.value for one in labels if one.name == metric.label), metric.reference_value)
    return metric.model_copy(update={"against": "reference", "reference_value": value})


def _numbers(answer: EarlierAnswer | None, port: str) -> dict[str, float]:
    if answer is None:
        return {}
    return {
        one.column: float(one.value)
        for one in answer.measured
        if one.port == port and not isinstance(one.value, str)
    }


def _joined(protocol: Protocol, parts: Sequence[CaseRow]) -> CaseRow:
    """One row with the figures of all, in the order of the plan."""
    values = {name: value for part in parts for name, value in part.values.items()}
    observations = {name: one for part in parts for name, one in part.observations.items()}
    order = [one.id for one in protocol.metrics]
    return parts[0].model_copy(
        update={
            "values": {name: values[name] for name in order if name in values},
            "observations": {name: observations[name] for name in order if name in observations},
            "imputed": tuple(name for name in order if any(name in part.imputed for part in parts)),
            "never_met": tuple(name for name in order if any(name in part.never_met for part in parts)),
        }
    )
