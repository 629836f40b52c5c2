"""The command line in this process, on a home of its own: what it answers, what it refuses, what it leaves."""

import io
import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from host.cli import main
from host.home import Home, now
from registry.authority import read_act
from registry.dsse import unverified_payload
from registry.registry import Registry
from registry.statements import PREDICATE_PREFIX

# Only ever protects keys that a test makes and throws away.
PASSPHRASE = "a-test-is-no-secret"
_ERROR = re.compile(r"^assay: ([a-z-]+): (.*)$", re.MULTILINE)


def default_cache() -> Path:
    """Where downloads and image layers are kept between test runs."""
    return Home.from_environment().cache


@dataclass(frozen=True)
class Refused:
    """An error as the operator sees it."""

    exit_code: int
    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class Answer:
    """What one command printed, and its exit code."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What ``--json`` printed: one document, whatever the exit code."""
        return json.loads(self.out)

    def refused(self) -> Refused:
        """The one error, and the hint on the line after it."""
        errors = _ERROR.findall(self.err)
        assert len(errors) == 1, self.err
        last = self.err.rstrip("\n").splitlines()
        (code, message), hint = (
            errors[0],
            last[-1].removeprefix("  next: ") if last[-1].startswith("  next: ") else "",
        )
        assert f"assay: {code}: {message}" in last[-2:], f"more was said after the error:\n{self.err}"
        assert "Traceback" not in self.out + self.err
        return Refused(self.exit_code, code, message, hint)


@dataclass(frozen=True)
class Cli:
    """``assay`` with an ``ASSAY_HOME``."""

    home: Path
    cache: Path = field(default_factory=default_cache)
    people: tuple[str, ...] = ("root", "ada", "quentin", "sofia")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that this home's commands run under."""
        phrases = {f"ASSAY_PASSPHRASE_{person.upper()}": PASSPHRASE for person in self.people}
        return {"ASSAY_HOME": str(self.home), "ASSAY_CACHE": str(self.cache), **phrases}

    def __call__(self, *arguments: object, **environment: str | None) -> Answer:
        """Run one command; a variable that is given as None is unset."""
        out, err = io.StringIO(), io.StringIO()
        settings: Mapping[str, str | None] = {**self.environment, **environment}
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name, value in settings.items():
                patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
            code = main([str(one) for one in arguments])
        return Answer(int(code), out.getvalue(), err.getvalue())

    def do(self, *arguments: object) -> Answer:
        """Run one command that must succeed."""
        answer = self(*arguments)
        assert answer.exit_code == 0, answer.out + answer.err
        return answer

    def read(self, *arguments: object) -> Any:
        """Run one command that must succeed, with ``--json``, and return its document."""
        return self.do(*arguments, "--json").document

    def newest_lock(self, trial: str) -> str:
        """The digest of a trial's newest lock, as whoever signs it names it."""
        return str(self.read("trial", "status", trial)["locks"][-1]["digest"])

    def copied(self, folder: Path) -> "Cli":
        """The same home in another folder, so that one test's harm is not another's.

        Blobs are hard links, since they are large: replace one, never write into it.
        """
        shutil.copytree(
            self.home, folder, ignore=lambda path, _: {"blobs"} if Path(path) == self.home else set()
        )
        shutil.copytree(self.home / "blobs", folder / "blobs", copy_function=os.link)
        return replace(self, home=folder)

    def log(self, *arguments: str) -> list[dict[str, Any]]:
        """The audit trail."""
        return list(self.read("audit", "log", *arguments))

    def predicates(self, kind: str) -> list[dict[str, Any]]:
        """The contents of every record of a kind (``run-finished``), oldest first, from the log's own bytes."""
        registry = Registry.open(self.home, now)
        wanted = f"{PREDICATE_PREFIX}{kind}/v1"
        return [read_act(one.statement).model_dump(mode="json") for one in registry.records(wanted)]

    def payloads(self) -> bytes:
        """What every record says, as signed: the JSON itself, out of its envelopes."""
        registry = Registry.open(self.home, now)
        return b"\n".join(unverified_payload(one.envelope) for one in registry.records())

    def last_run(self) -> dict[str, Any]:
        """How the last run ended, as logged."""
        return self.predicates("run-finished")[-1]

    def assert_clean(self) -> None:
        """Nothing half-written lies about, and the log is whole."""
        for folder in (self.home / "runs", self.home / "blobs" / "incoming"):
            assert not folder.exists() or os.listdir(folder) == []
        assert not [path for path in self.home.rglob(".*")]
        self.do("audit", "verify")
