"""The trust root over time: which version held when an entry was logged, and every key there ever was.

A record is judged by the root that was current at its place in the log, so a later rotation or removal
never voids the past, and a removed key never signs anything new.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.errors import NoTrustRootError
from registry.keys import PublicKey
from registry.trust_root import RootVersion, TrustRoot, verify_history


@dataclass(frozen=True, slots=True)
class RootHistory:
    """Verified root versions, oldest first, each with the sequence of the log entry that carries it."""

    versions: tuple[RootVersion, ...]
    sequences: tuple[int, ...]

    @classmethod
    def verified(cls, entries: Sequence[tuple[int, bytes]], pin: str | None) -> "RootHistory":
        """Verify the chain of root envelopes, each with its sequence, in log order, against a pin."""
        if not entries:
            return cls((), ())
        versions = verify_history([envelope for _, envelope in entries], pin)
        return cls(versions, tuple(sequence for sequence, _ in entries))

    @property
    def latest(self) -> RootVersion:
        """The newest version with its digest."""
        if not self.versions:
            raise NoTrustRootError(
                "this home has no trust root yet",
                hint="import a trial bundle: assay trial import --trust-root sha256:…",
            )
        return self.versions[-1]

    @property
    def current(self) -> TrustRoot:
        """The newest trust root."""
        return self.latest.root

    def at(self, sequence: int) -> TrustRoot:
        """The root in force when entry ``sequence`` was logged; a root's own entry counts."""
        held = [
            one.root for one, place in zip(self.versions, self.sequences, strict=True) if place <= sequence
        ]
        if not held:
            raise NoTrustRootError(f"no trust root was in force at entry {sequence}")
        return held[-1]

    def keys(self) -> dict[str, PublicKey]:
        """Every key of every version by key id, to open envelopes of any age."""
        found: dict[str, PublicKey] = {}
        for version in self.versions:
            found.update(version.root.keys())
        return found
