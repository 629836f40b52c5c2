"""Figures of a predicted risk: survival by risk group, and calibration at each horizon."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from host.reports.figure import Figure
from host.reports.figures.axes import Scale
from host.reports.figures.curves import Bin, RiskGroup, calibration_figure, survival_figure
from host.reports.figures.strata import plain
from host.statistics.estimate import Estimate
from host.validation.estimate_row import rounded
from host.validation.metric import Metric
from host.validation.rows import CaseRow

GROUPS_OF_MANY = 30  # from so many cases on, three risk groups, below two
CALIBRATION_GROUPS = 5

Observed = Mapping[str, tuple[float, ...]]


def risk_figures(metric: Metric, rows: Sequence[CaseRow]) -> Iterator[Figure]:
    """Survival by risk group, and calibration of each predicted risk; rows have observations of the metric."""
    found = [row.observations[metric.id] for row in rows]
    ticks = Scale(0.0, max(one["time"][0] for one in found) or 1.0, 0.0, 1.0).ticks(6)
    groups = [_group(name, members, ticks) for name, members in _risk_groups(metric, found)]
    figure_id, title = f"survival-{plain(metric.id)}", f"Free of the event, by predicted risk: {metric.id}"
    yield Figure(
        figure_id,
        title,
        "Kaplan-Meier curves of groups of about equal size by the predicted risk, with pointwise 95 % intervals "
        "(log-log); small strokes: censored cases. Groups are made for this figure; no criterion looks at them.",
        survival_figure(
            groups, ticks, unit="in the unit of the kit's times", title=title, figure_id=figure_id
        ),
        f"metric {metric.id}",
    )
    for at, risk in enumerate(metric.probabilities or ()):
        yield from _calibration(metric, [one for one in found if "probability" in one], at, risk.horizon)


def _calibration(metric: Metric, found: Sequence[Observed], at: int, horizon: float) -> Iterator[Figure]:
    """The plot at a horizon; none where no group has an observed risk, as beyond the longest follow-up."""
    from host.statistics.survival import calibration_bins_at

    bins = calibration_bins_at(
        [one["probability"][at] for one in found],
        [one["time"][0] for one in found],
        [one["event"][0] == 1 for one in found],
        horizon=horizon,
        bins=CALIBRATION_GROUPS,
    )
    known = [bin_of(one) for one in bins if one.observed.value == one.observed.value]
    if not known:
        return
    figure_id, title = f"calibration-{plain(metric.id)}-{at + 1}", f"Calibration at {horizon:g}: {metric.id}"
    yield Figure(
        figure_id,
        title,
        f"Observed risk by {horizon:g} (Kaplan-Meier) against the predicted one, in groups of about equal size, with "
        "95 % intervals; grey bars: how many cases.",
        calibration_figure(
            known,
            x_label=f"predicted risk by {horizon:g}",
            title=title,
            figure_id=figure_id,
        ),
        f"metric {metric.id}",
    )


def bin_of(one: Any) -> Bin:
    """A group of a calibration plot, as the statistics give it."""
    observed: Estimate = one.observed
    return Bin(one.predicted, observed.value, rounded(observed.low), rounded(observed.high), observed.n)


def _risk_groups(metric: Metric, found: Sequence[Observed]) -> list[tuple[str, list[Observed]]]:
    """Two or three groups of about equal size by score; equal scores stay together."""
    import numpy as np

    from host.statistics.probability import equal_groups
    from host.statistics.roc import midranks

    sign = 1 if metric.higher_score_means == "earlier event" else -1
    names: tuple[str, ...] = ("low risk", "middle risk", "high risk")
    names = names if len(found) >= GROUPS_OF_MANY else ("low risk", "high risk")
    ranks = midranks(np.array([sign * one["score"][0] for one in found])) / len(found)
    split = equal_groups(ranks, len(names))
    if len(split) < len(names):  # equal scores made fewer groups
        names = tuple(f"risk group {at}" for at in range(1, len(split) + 1))
    return [
        (name, [one for one, inside in zip(found, which, strict=True) if inside])
        for name, which in zip(names, split, strict=True)
    ]


def _group(name: str, members: Sequence[Observed], ticks: Sequence[float]) -> RiskGroup:
    from host.statistics.survival import kaplan_meier

    times = [one["time"][0] for one in members]
    events = [one["event"][0] == 1 for one in members]
    curve = kaplan_meier(times, events)
    ends = [(one.low, one.high) if one.has_interval else (one.value, one.value) for one in curve.survival]
    return RiskGroup(
        f"{name} ({len(members)})",
        [float(one) for one in curve.times],
        [one.value for one in curve.survival],
        [low for low, _ in ends],
        [high for _, high in ends],
        sorted(time for time, event in zip(times, events, strict=True) if not event),
        [sum(time >= tick for time in times) for tick in ticks],
    )
