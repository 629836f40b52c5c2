"""How many days lie between a baseline and its follow-ups, judged on the dates their images were acquired. Pure.

Invariant: a finding says how many days, never which: dates of visits stay out of records.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from host.cases.domain import DomainFinding, DomainVerdict
from host.cases.sidecar import TagValue
from plugin_spec.manifest import Manifest
from plugin_spec.ports import Interval, Port

Tags = Mapping[str, TagValue]

# As DICOM headers and BIDS sidecars name them, the closest to the acquisition first; (date, time of that day).
_SOURCES: Final = (
    ("AcquisitionDate", "AcquisitionTime"),
    ("SeriesDate", "SeriesTime"),
    ("ContentDate", "ContentTime"),
    ("StudyDate", "StudyTime"),
)
_DICOM_MOMENT: Final = re.compile(r"(\d{8})(\d{6})?(?:\.\d{1,6})?([+-]\d{4})?", re.ASCII)
_DAY_S: Final = 86400.0


@dataclass(frozen=True)
class Acquired:
    """When an image was acquired: the day, and the moment where it is known."""

    day: date
    moment: datetime | None = None

    def days_until(self, later: "Acquired") -> float:
        """Days to another acquisition: whole ones, unless both moments are known."""
        if self.moment is None or later.moment is None:
            return float((later.day - self.day).days)
        a, b = self.moment, later.moment
        if (a.tzinfo is None) != (b.tzinfo is None):
            a, b = a.replace(tzinfo=None), b.replace(tzinfo=None)
        return (b - a).total_seconds() / _DAY_S


def acquired_at(tags: Tags) -> Acquired | None:
    """When an image was acquired, from the first of its tags that says so; ``None`` where none does."""
    whole = tags.get("AcquisitionDateTime")
    if isinstance(whole, str) and (found := _moment(whole)) is not None:
        return found
    for day_tag, time_tag in _SOURCES:
        day = tags.get(day_tag)
        found = _moment(day) if isinstance(day, str) else None
        if found is not None:
            clock = _clock(tags.get(time_tag))
            return Acquired(found.day, None if clock is None else datetime.combine(found.day, clock))
    return None


def judge_intervals(manifest: Manifest, tags: Mapping[str, Sequence[Tags]]) -> tuple[DomainFinding, ...]:
    """Judge every follow-up that declares ``interval_days``.

    Parameters
    ----------
    manifest : Manifest
    tags : mapping of str to sequence of mapping
        Per input port that was given, those of each of its files.

    Returns
    -------
    tuple of DomainFinding
        One per file: accepted, refused where the days lie outside, flagged where they are not known. Days count from
        the earliest baseline whose date is known.
    """
    baselines = [
        moment
        for port in manifest.inputs
        if port.time_point == "baseline"
        for one in tags.get(port.name, ())
        if (moment := acquired_at(one)) is not None
    ]
    baseline = min(baselines, key=lambda one: one.day) if baselines else None
    return tuple(
        _judge(port, port.interval_days, baseline, acquired_at(one))
        for port in manifest.inputs
        if port.interval_days is not None
        for one in tags.get(port.name, ())
    )


def _judge(
    port: Port, interval: Interval, baseline: Acquired | None, later: Acquired | None
) -> DomainFinding:
    where = f"{port.name}: days since baseline"
    allowed = f"{interval.minimum:g} to {interval.maximum:g}"
    if baseline is None or later is None:
        which = "the baseline" if baseline is None else port.name
        message = f"{where} are not known, for {which} gives no acquisition date; expected {allowed}"
        return DomainFinding(port.name, "interval_days", None, DomainVerdict.FLAG, message)
    days = baseline.days_until(later)
    inside = interval.minimum <= days <= interval.maximum
    message = f"{where}: {days:.4g}, {'within' if inside else 'outside'} {allowed}"
    verdict = DomainVerdict.ACCEPT if inside else DomainVerdict.REFUSE
    return DomainFinding(port.name, "interval_days", days, verdict, message)


def _moment(text: str) -> Acquired | None:
    """A day or moment as DICOM (DA, DT) or ISO 8601 writes it."""
    written = text.strip()
    try:
        if dicom := _DICOM_MOMENT.fullmatch(written):
            day = datetime.strptime(dicom[1], "%Y%m%d").date()
            if dicom[2] is None:
                return Acquired(day)
            zone = dicom[3] or ""
            shape = "%Y%m%d%H%M%S%z" if zone else "%Y%m%d%H%M%S"
            return Acquired(day, datetime.strptime(dicom[1] + dicom[2] + zone, shape))
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return Acquired(moment.date(), moment if "T" in written or " " in written else None)


def _clock(value: object) -> time | None:
    """A time of day as DICOM (TM, at least to the minute) or ISO 8601 writes it."""
    try:
        return time.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
