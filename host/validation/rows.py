"""The results table: one row per case, with its figures and what statistics are computed from."""

from typing import Literal

from host.added_fields import added
from plugin_spec.model import StrictModel
from registry.statements import Evidence

# Per metric, named columns of one case: numbers in the order of its findings, or one number in each.
Observations = dict[str, dict[str, tuple[float, ...]]]


class CaseRow(StrictModel):
    """One case of the results table: who it was, how it ended, and its figures.

    ``values`` holds a number per metric id, or ``None`` where the metric does not apply to the case (an expected
    refusal has no volumes). ``imputed`` names the metrics whose value or observations stand for a case that failed;
    ``never_met`` those that a failed case does not meet whatever the others give.

    ``observations`` holds what a statistic over all cases needs beyond the value, by the kind of metric:

    =========  =========================================================================================
    lesions    ``reference``, ``predicted``, ``reference_found``, ``predicted_matched``: counts
    findings   ``scores``, ``matched`` (index of the reference finding, or -1) per detection; ``reference``
    numbers    ``predicted``, ``reference``
    classes    ``predicted``, ``reference`` (index in the metric's classes), ``score`` (of the positive class)
    survival   ``score``, ``time``, ``event``, and where there are ``baseline``; ``probability`` per horizon
    =========  =========================================================================================

    A failed case that is imputed in several ways has ``…_low`` and ``…_high`` of a column, and of ``value``; and
    ``predicted_far`` beside ``predicted``, where the class farthest from the right one is not the positive one.
    ``evidence`` is the kind of data of this case; rows of the first version do not say.
    """

    case: str
    subject: str
    expected: Literal["ok", "refused"]
    outcome: Literal["ok", "refused", "failed"]
    reason_code: str
    strata: dict[str, str]
    values: dict[str, float | None]
    imputed: tuple[str, ...] = ()
    never_met: tuple[str, ...] = ()
    observations: Observations = added({})
    evidence: Evidence | None = added(None)
