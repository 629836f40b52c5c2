"""The engines that a protocol wants cases to run on once more: connected before anything runs, or why not.

An engine that is named is never replaced by another. One that is not on this machine leaves its comparison unmade: the
report says so, and a criterion on it lacks evidence (ADR 34).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from host.engines.interface import Engine
from host.images.load import have_image
from host.releases import InstalledRelease
from host.sameness.declared import Sameness
from plugin_spec.errors import EngineError
from registry.blobs import BlobStore

Connect = Callable[[str], Engine]


@dataclass(frozen=True)
class OtherEngine:
    """An engine that holds the release, verified; or the reason why there is none."""

    engine: Engine | None
    reason: str = ""


@dataclass(frozen=True)
class EngineFinder:
    """Connects to the engines that comparisons are declared on.

    Attributes
    ----------
    judged : Engine
        What the judged runs are made on; comparing it with itself would show nothing.
    work : Path
        Folder with room for an image.
    connect : callable
        From a name to an engine, or an `EngineError`.
    """

    judged: Engine
    release: InstalledRelease
    blobs: BlobStore
    work: Path
    connect: Connect
    say: Callable[[str], None]

    @contextmanager
    def found(self, declared: Sequence[Sameness]) -> Iterator[Mapping[str, OtherEngine]]:
        """Every declared engine by its comparison, until the block ends.

        Raises
        ------
        ImageTamperedError, BlobMismatchError
            An engine answers and holds another image than the release's.
        """
        with ExitStack() as held:
            engines = {}
            for one in declared:
                if one.engine is not None:
                    engines[one.id] = other = self._other(one.engine, held)
                    if other.reason:
                        self.say(f"sameness {one.id} will not be compared: {other.reason}")
            yield engines

    def _other(self, name: str, held: ExitStack) -> OtherEngine:
        if name == self.judged.name:
            return OtherEngine(None, f"the cases that are judged run on {name} themselves")
        try:
            engine = self.connect(name)
        except EngineError as error:
            return OtherEngine(None, f"{name} cannot be used on this machine: {error.message}")
        held.callback(engine.close)
        try:
            have_image(engine, self.release, self.blobs, work=self.work, say=self.say)
        except EngineError as error:
            return OtherEngine(None, f"{name} does not take the image: {error.message}")
        engine.verify(self.release.image, self.blobs.path)
        return OtherEngine(engine)
