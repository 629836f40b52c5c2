"""What a trial lock says beyond digests: the least it accepts, the papers it serves, GPUs, and why it changes."""

from typing import Literal

from pydantic import Field, model_validator

from plugin_spec.model import StrictModel
from registry.canonical import Digest

# A run without a GPU, in a list of GPU classes.
NO_GPU = "cpu"
AmendmentKind = Literal["initiation", "planned-change", "deviation", "recall"]


class Document(StrictModel):
    """A version of a paper that the lock was made for, named by its content."""

    version: str = Field(min_length=1, max_length=60)
    digest: Digest


class LeastAccepted(StrictModel):
    """The weakest report and approval that the lock takes for any of its slots."""

    verdict: Literal["met", "not met", "insufficient evidence"]
    evidence: Literal["patient", "derived", "phantom"]
    scope: Literal["demonstration", "exploratory", "endpoint"]


class LockTerms(StrictModel):
    """What holds for the whole lock.

    Attributes
    ----------
    least : LeastAccepted or None
        What every slot must have earned; None asks for nothing beyond the trial's scope.
    protocol, imaging_charter, analysis_plan : Document or None
        The versions in force when the lock was made.
    gpus : tuple of str or None
        GPU models, as the driver names them, on which a run may compute; ``cpu`` stands for a run without one. None
        allows any.
    """

    least: LeastAccepted | None = None
    protocol: Document | None = None
    imaging_charter: Document | None = None
    analysis_plan: Document | None = None
    gpus: tuple[str, ...] | None = Field(default=None, min_length=1)


class Amendment(StrictModel):
    """Why a lock follows another, and what becomes of results that were made under the earlier one.

    Attributes
    ----------
    kind : str
        ``initiation`` for a trial's first lock; a later one is a planned change, a deviation or follows a recall.
    impact : str or None
        ``reprocess all`` or ``none``; None at initiation, when there are no results.
    justification : str
        Why the impact is that; empty at initiation.
    affected : Digest or None
        Of the list of results that its signer was shown; see `registry.results.affected_digest`.
    bridging : Digest or None
        The validation report, against the release locked before, that lets subjects have results of both.
    """

    kind: AmendmentKind
    impact: Literal["reprocess all", "none"] | None = None
    justification: str = Field(default="", max_length=2000)
    affected: Digest | None = None
    bridging: Digest | None = None

    @model_validator(mode="after")
    def _says_what_becomes_of_results(self) -> "Amendment":
        says = self.impact is not None and bool(self.justification.strip())
        if self.kind == "initiation" and (self.impact is not None or self.justification):
            raise ValueError("at initiation there are no results; leave impact and justification out")
        if self.kind != "initiation" and not says:
            raise ValueError("an amendment says its impact, reprocess all or none, and why")
        return self
