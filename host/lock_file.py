"""The terms of a trial lock as somebody writes them down, ``terms.toml``, read strictly.

A term that is left out asks for nothing; see `registry.terms.LockTerms` for what each means. The file's tables are
``[least]``, ``[protocol]``, ``[imaging_charter]``, ``[analysis_plan]``, ``[policy]`` and ``[slots.NAME]``.
"""

from pathlib import Path

from pydantic import Field, model_validator

from host.errors import OptionError
from plugin_spec.case import Scalar
from plugin_spec.domain import DomainRule
from plugin_spec.model import Identifier, PortName, StrictModel, parse_toml, read_document
from registry.canonical import Digest, digest
from registry.statements import ContextOfUse, Threshold
from registry.terms import Document, LeastAccepted, LockTerms

MAX_PAPER_BYTES = 256 * 1024 * 1024


class Paper(StrictModel):
    """A version of a paper; its digest is given, or taken of a file beside the terms."""

    version: str = Field(min_length=1, max_length=60)
    digest: Digest | None = None
    file: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_source(self) -> "Paper":
        if (self.digest is None) == (self.file is None):
            raise ValueError("a paper is named by its digest or by a file; give one of the two")
        return self

    def document(self, folder: Path) -> Document:
        """The paper as a lock names it. Raises `OptionError` where its file cannot be read."""
        return Document(version=self.version, digest=self.digest or _digest_of(folder / str(self.file)))


class SlotTerms(StrictModel):
    """What one slot uses its release for, at which parameter values, and on which images only."""

    parameters: dict[PortName, Scalar] = {}
    context: ContextOfUse | None = None
    domain: tuple[DomainRule, ...] = ()


class TermsFile(StrictModel):
    """The whole file."""

    least: LeastAccepted | None = None
    protocol: Paper | None = None
    imaging_charter: Paper | None = None
    analysis_plan: Paper | None = None
    gpus: tuple[str, ...] | None = Field(default=None, min_length=1)
    policy: dict[Identifier, int] | None = Field(default=None, min_length=1)
    slots: dict[Identifier, SlotTerms] = {}

    def lock_terms(self, folder: Path) -> LockTerms:
        """What holds for the whole lock; papers are read from ``folder``."""
        named = (self.protocol, self.imaging_charter, self.analysis_plan)
        protocol, charter, plan = (one.document(folder) if one else None for one in named)
        return LockTerms(
            least=self.least,
            protocol=protocol,
            imaging_charter=charter,
            analysis_plan=plan,
            gpus=self.gpus,
        )

    @property
    def thresholds(self) -> tuple[Threshold, ...] | None:
        """Who must sign, by role; None where the file leaves it open."""
        if self.policy is None:
            return None
        return tuple(Threshold(role=role, count=count) for role, count in sorted(self.policy.items()))

    @model_validator(mode="after")
    def _counts_are_counts(self) -> "TermsFile":
        for role, count in (self.policy or {}).items():
            if not 1 <= count <= 9:
                raise ValueError(f"policy.{role} is {count}; give a number of persons from 1 to 9")
        return self


def read_terms(path: Path) -> TermsFile:
    """Read ``terms.toml``. Raises `OptionError`: one line with file, field and what it should be."""
    return parse_toml(read_document(path, error=OptionError), path, TermsFile, error=OptionError)


def _digest_of(path: Path) -> Digest:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_PAPER_BYTES + 1)
    except OSError as fault:
        raise OptionError(f"{path}: {fault.strerror}", subject=str(path)) from fault
    if len(data) > MAX_PAPER_BYTES:
        raise OptionError(f"{path}: larger than {MAX_PAPER_BYTES} bytes", subject=str(path))
    return digest(data)
