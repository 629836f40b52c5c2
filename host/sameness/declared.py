"""What a protocol declares of sameness: which cases run once more, how, and how often. Pure.

| kind | how the cases run again |
|---|---|
| ``repeat`` | in the same order |
| ``order`` | in a shuffled order; the seed stands in the report |
| ``warm`` | in warm containers, in a shuffled order |
| ``engine`` | on another engine, in the same order |

Each run is compared with the case's judged run by what the plugin claims about its repeatability (`host.agreement`).
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from host.added_fields import added
from plugin_spec.case import CaseId
from plugin_spec.model import Identifier, StrictModel

SamenessId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
SamenessKind = Literal["repeat", "order", "warm", "engine"]


class Sameness(StrictModel):
    """One way of running cases again that must make no difference.

    Attributes
    ----------
    id : str
        What a metric of kind ``sameness`` names.
    count : int
        How often each case runs again.
    engine : str or None
        For ``engine``: which. Where it cannot be used, or is the one that is judged, nothing is compared, and criteria
        on it lack evidence.
    cases : "all" or tuple of str
        ``all``: every case of the kit, those that are to be refused too; perturbed copies never.
    """

    id: SamenessId
    kind: SamenessKind
    count: int = Field(default=1, ge=1, le=20)
    engine: Identifier | None = added(None)
    cases: Literal["all"] | Annotated[tuple[CaseId, ...], Field(min_length=1)] = "all"

    @model_validator(mode="after")
    def _is_complete(self) -> "Sameness":
        if (self.kind == "engine") != (self.engine is not None):
            raise ValueError("engine: stands with kind 'engine', and only there")
        if self.cases != "all" and len(set(self.cases)) != len(self.cases):
            raise ValueError("cases: each may stand once")
        return self

    def concerns(self, case_id: str) -> bool:
        """Whether a case of the kit runs again."""
        return self.cases == "all" or case_id in self.cases

    @property
    def is_shuffled(self) -> bool:
        """Whether the cases run in another order."""
        return self.kind in {"order", "warm"}
