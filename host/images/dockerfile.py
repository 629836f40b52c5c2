"""What a Dockerfile says, as far as it decides what a build may fetch: every image it starts from is pinned.

Pure. The classic builder's grammar is read: comments, line continuations, instructions in any case. What is not
understood is refused, since the builder might read it otherwise: quotes, for example, are taken off by it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from plugin_spec.faults import Fault

BASE_REPOSITORY = "assay/base"
# Where the host puts its certificates for a build that may reach the network and names this file.
CERTIFICATES = ".assay/ca-certificates.crt"
_PINNED = re.compile(r"[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}")
_OUR_BASE = re.compile(rf"{BASE_REPOSITORY}:(?P<digest>[0-9a-f]{{64}})")
_DIRECTIVE = re.compile(r"#\s*(?P<name>syntax|escape)\s*=", re.IGNORECASE)
_INSTRUCTION = re.compile(r"(?P<name>[A-Za-z]+)(\s+(?P<rest>.*))?", re.DOTALL)
_FROM = re.compile(r"(?P<image>\S+)(\s+as\s+(?P<stage>[a-z][a-z0-9_.-]*))?", re.IGNORECASE)
_FLAG = re.compile(r"--(?P<name>[a-z-]+)=(?P<value>\S+)\s+")
_FLAGS = {"from": {"platform"}, "copy": {"from", "chown"}, "add": {"chown"}}
_HEREDOC = re.compile(r"<<-?['\"]?[A-Za-z_]")
_REMOTE = re.compile(r"://|git@|\$")
_QUOTED = re.compile(r"""["'\\]""")
_CONTINUES = re.compile(r"\\[ \t]*$")
# Where Python ends a line and the builder does not, or the other way round.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)")
# ONBUILD is missing: what it says would be done by a later stage, unread.
_INSTRUCTIONS = frozenset(
    ("add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label", "maintainer")
    + ("run", "shell", "stopsignal", "user", "volume", "workdir")
)


@dataclass(frozen=True)
class Dockerfile:
    """What a build starts from, and what is wrong with it.

    Attributes
    ----------
    images : tuple of str
        References that the daemon must hold before the build: pinned images and Assay's own base.
    wants_certificates : bool
        It names the file of the host's certificates.
    """

    images: tuple[str, ...]
    wants_certificates: bool
    faults: tuple[Fault, ...]


def base_digest(reference: str) -> str | None:
    """Return the image ID that ``assay/base:…`` stands for; ``None`` for any other reference."""
    found = _OUR_BASE.fullmatch(reference)
    return f"sha256:{found['digest']}" if found else None


def read_dockerfile(text: str) -> Dockerfile:
    """Find what a Dockerfile fetches, and every place where it is not pinned."""
    reading = _Reading()
    if directive := _directive(text):
        reading.faults.append(_buildkit(1, f"the directive {directive}"))
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        reading.faults.append(_buildkit(line, f"the character {control[0]!r}"))
    for line, instruction in _instructions(text):
        reading.take(line, instruction)
    if not reading.stages:
        reading.faults.append(_unpinned("I201", 1, "there is no FROM"))
    return Dockerfile(tuple(dict.fromkeys(reading.images)), CERTIFICATES in text, tuple(reading.faults))


class _Reading:
    """One pass over a Dockerfile: the stages so far, the images it starts from, and the faults."""

    def __init__(self) -> None:
        self.images: list[str] = []
        self.stages: list[str] = []
        self.faults: list[Fault] = []

    def take(self, line: int, instruction: str) -> None:
        found = _INSTRUCTION.fullmatch(instruction)
        if found is None or found["name"].lower() not in _INSTRUCTIONS:
            self.faults.append(_buildkit(line, f"{instruction[:40]!r}"))
            return
        name, rest = found["name"].lower(), (found["rest"] or "").strip()
        flags, rest = _flags(rest)
        self.faults += _flag_faults(line, name, flags, rest)
        if name == "from":
            self._start(line, rest)
        elif name == "add" and any(_REMOTE.search(word) for word in _words(rest)):
            fix = "put the file into the context, or declare it as weights; ADD takes literal local paths"
            self.faults.append(Fault("I202", f"Dockerfile line {line}", f"ADD {rest[:80]}", fix))
        elif name == "copy" and "from" in flags:
            source = flags["from"]
            by_number = source.isdigit() and int(source) < len(self.stages)
            if not by_number and not self._is_known(source):
                self.faults.append(_unpinned("I203", line, f"COPY --from={source}"))

    def _start(self, line: int, rest: str) -> None:
        image = _FROM.fullmatch(rest)
        if image is None or not self._is_known(image["image"]):
            self.faults.append(_unpinned("I201", line, f"FROM {rest}"))
        self.stages.append((image["stage"] or "").lower() if image else "")

    def _is_known(self, reference: str) -> bool:
        if reference == "scratch" or reference.lower() in filter(None, self.stages):
            return True
        if _PINNED.fullmatch(reference) or base_digest(reference):
            self.images.append(reference)
            return True
        return False


def _unpinned(rule: str, line: int, said: str) -> Fault:
    fix = f"write NAME@sha256:DIGEST, scratch, or the base of this host ({BASE_REPOSITORY}:DIGEST): assay plugin base"
    return Fault(rule, f"Dockerfile line {line}", f"{said}: not pinned by digest", fix)


def _buildkit(line: int, what: str) -> Fault:
    fix = "write it for the classic builder: no heredocs, no RUN --mount, no parser directives"
    return Fault("I204", f"Dockerfile line {line}", f"{what} is not understood", fix)


def _flags(rest: str) -> tuple[dict[str, str], str]:
    flags = {}
    while found := _FLAG.match(rest):
        flags[found["name"]] = found["value"]
        rest = rest[found.end() :]
    return flags, rest


def _flag_faults(line: int, name: str, flags: dict[str, str], rest: str) -> Iterator[Fault]:
    for flag in sorted(set(flags) - _FLAGS.get(name, set())):
        if name != "healthcheck":
            yield _buildkit(line, f"{name.upper()} --{flag}")
    if rest.startswith("--") and name in {"from", "copy", "add", "run"}:
        yield _buildkit(line, f"{name.upper()} {rest.split(maxsplit=1)[0]}")
    if name in {"copy", "add"} and _HEREDOC.search(rest):
        yield _buildkit(line, f"{name.upper()} with a heredoc")
    if name in {"copy", "add", "from"} and any(_QUOTED.search(word) for word in _words(rest)):
        yield _buildkit(
            line, f"{name.upper()} with quotes or escapes (a name with spaces: write a JSON list)"
        )
    if flags.get("platform") not in {None, "linux/amd64"}:
        yield _buildkit(line, f"FROM --platform={flags['platform']}")


def _words(rest: str) -> list[str]:
    """The words of an instruction: of its JSON list, where it is one, else the text as it stands."""
    try:
        words = json.loads(rest) if rest.startswith("[") else None
    except ValueError:
        words = None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else [rest]


def _directive(text: str) -> str:
    for line in text.split("\n"):
        found = _DIRECTIVE.match(line.strip())
        if found:
            return found["name"].lower()
        if not line.strip().startswith("#"):
            break
    return ""


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Instructions with the line they start on; comments and continuations are resolved.

    Continued lines are joined without a space, as the builder joins them.
    """
    started, parts = 0, []
    for number, line in enumerate(text.split("\n"), start=1):
        written = line.removesuffix("\r")
        if written.lstrip().startswith("#") or not written.strip():
            continue
        started = started or number
        part = _CONTINUES.sub("", written)
        parts.append(part)
        if part == written:
            yield started, "".join(parts).strip()
            started, parts = 0, []
    if parts:
        yield started, "".join(parts).strip()
