"""How many containers really ran: the daemon's own account, since a peer may answer from a cache."""

import json
import subprocess
import time
from dataclasses import dataclass, field

from tests.bench.benchmark import Subject, WrongAnswerError


@dataclass
class CountedContainers:
    """Wraps subjects so that each turn must start as many containers of one image as it has cases.

    Attributes
    ----------
    images : frozenset of str
        Names and IDs under which the image is run; nothing else on this machine may run it meanwhile.
    """

    images: frozenset[str]
    _since: dict[str, float] = field(default_factory=dict)

    def of(self, name: str, subject: Subject, expected: int | None = None) -> Subject:
        """The subject with the count added to its check; so many are expected, by default one per case."""
        due = subject.cases if expected is None else expected

        def prepare(turn: int) -> None:
            subject.prepare(turn)
            self._since[name] = time.time()

        def check(turn: int, answer: object) -> None:
            started = self.started(self._since[name], time.time())
            if started != due:
                raise WrongAnswerError(f"turn {turn}: {started} containers ran, not {due}")
            subject.check(turn, answer)

        return Subject(subject.run, subject.cases, prepare, check)

    def started(self, since: float, until: float) -> int:
        """Containers of the image that the daemon started between two times."""
        command = ["docker", "events", "--since", f"{since:.6f}", "--until", f"{until:.6f}"]
        command += ["--filter", "type=container", "--filter", "event=start", "--format", "{{json .}}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        told = [json.loads(line) for line in done.stdout.splitlines()]
        return sum(one["Actor"]["Attributes"].get("image") in self.images for one in told)
