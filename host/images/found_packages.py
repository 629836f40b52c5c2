"""Which packages an image holds that others built, read from what its package managers wrote down.

dpkg (with its ``status.d`` of distroless images), apk, Python distributions and conda are understood. Everything else
is counted and said: files that belong to no package found, and databases that nobody here can read.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from host.images.inventory import Inventory
from host.images.store import Component
from host.images.unpack import merged

_DPKG_LIST = re.compile(r"var/lib/dpkg/info/(?P<package>[^/:]+)(:[^/]+)?\.list")
_PYTHON = re.compile(r"(?P<site>.*?)/?(?P<folder>[^/]+\.(dist|egg)-info)(/(METADATA|PKG-INFO))?")
_CONDA = re.compile(r"(?P<prefix>.*?)/?conda-meta/[^/]+\.json")
_UNREAD = {
    "an rpm database": re.compile(r"(var/lib|usr/lib/sysimage)/rpm/.+"),
    "npm packages": re.compile(r".*/node_modules/[^/]+/package\.json"),
    "R packages": re.compile(r".*/library/[^/]+/DESCRIPTION"),
}
# Written by package managers and loaders themselves; they belong to no package and say nothing.
_OF_NOBODY = re.compile(
    r"(var/(lib/(dpkg|apt)|cache|log)|lib/apk|etc/alternatives)/.*|etc/ld\.so\.cache|(.*/)?__pycache__/.*"
    r"|(.*/)?conda-meta/.*|.*\.(dist|egg)-info/.*"
)


@dataclass(frozen=True)
class FoundPackages:
    """What was identified, and what was not.

    Attributes
    ----------
    remark : str
        In a sentence or two, for the bill of materials and the author.
    """

    components: tuple[Component, ...]
    unowned_files: int
    unowned_bytes: int
    remark: str


def find_packages(
    inventory: Inventory, known: Mapping[int, Sequence[Component]] | None = None
) -> FoundPackages:
    """List the packages of an image.

    Parameters
    ----------
    known : mapping of int to sequence of Component, optional
        Layers that Assay made itself, by number, and what is in them.
    """
    known = known or {}
    system = _system(inventory.records)
    components: list[Component] = [one for listed in known.values() for one in listed]
    owned = {merged(name) for name, one in inventory.files.items() if one.layer in known}
    for path, data in sorted(inventory.records.items()):
        text = data.decode("utf-8", errors="replace")
        if path == "var/lib/dpkg/status" or path.startswith("var/lib/dpkg/status.d/"):
            components += _dpkg_packages(text, system)
        elif _DPKG_LIST.fullmatch(path):
            owned |= {merged(line) for line in text.splitlines()}
        elif path.endswith("lib/apk/db/installed"):
            components += _apk_packages(text, system)
            owned |= set(_apk_files(text))
        elif _CONDA.fullmatch(path):
            found, files = _conda_package(path, text)
            components += found
            owned |= files
        elif path.endswith("/RECORD"):
            owned |= set(_record_files(path, text))
        elif python := _python_package(path, text):
            components.append(python)
    return _found(inventory, components, owned)


def _found(inventory: Inventory, components: list[Component], owned: set[str]) -> FoundPackages:
    known: dict[tuple[str, str, str], Component] = {}
    for one in components:
        # A Python distribution from a Debian package is listed as both: each has advisories of its own.
        known.setdefault((one.kind, one.name, one.version), one)
    unowned = {
        name: one.size_bytes
        for name, one in inventory.files.items()
        if one.kind == "file" and merged(name) not in owned and not _OF_NOBODY.fullmatch(name)
    }
    unread = [what for what, shape in _UNREAD.items() if any(map(shape.fullmatch, inventory.files))]
    return FoundPackages(tuple(known.values()), len(unowned), sum(unowned.values()), _remark(unowned, unread))


def _remark(unowned: Mapping[str, int], unread: list[str]) -> str:
    sentences = []
    if unowned:
        by_folder: dict[str, int] = {}
        for name, size in unowned.items():
            folder = "/" + "/".join(
                PurePosixPath(name).parts[:2][: max(1, len(PurePosixPath(name).parts) - 1)]
            )
            by_folder[folder] = by_folder.get(folder, 0) + size
        largest = sorted(by_folder, key=lambda folder: (-by_folder[folder], folder))[:5]
        sentences.append(
            f"{len(unowned)} files with {sum(unowned.values())} bytes belong to no package that was identified, "
            f"most of them in {', '.join(largest)}."
        )
    if unread:
        sentences.append(f"Not read: {', '.join(unread)}.")
    return " ".join(sentences)


def _system(records: Mapping[str, bytes]) -> str:
    """Return the system's name and version out of os-release, such as ``debian-12``; empty if it has none."""
    data = records.get("etc/os-release") or records.get("usr/lib/os-release") or b""
    fields = {}
    for line in data.decode("utf-8", errors="replace").splitlines():
        key, _, value = line.partition("=")
        try:
            fields[key] = " ".join(shlex.split(value))
        except ValueError:
            continue
    return "-".join(fields[key] for key in ("ID", "VERSION_ID") if fields.get(key))


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    for stanza in text.split("\n\n"):
        fields = {}
        for line in stanza.splitlines():
            key, separator, value = line.partition(":")
            if separator and not line.startswith((" ", "\t")):
                fields[key] = value.strip()
        if fields:
            yield fields


def _dpkg_packages(text: str, system: str) -> Iterator[Component]:
    for fields in _stanzas(text):
        # Without a Status field: one file per package, as in distroless images.
        installed = fields.get("Status", "install ok installed").endswith(" installed")
        if installed and fields.get("Package") and fields.get("Version"):
            yield Component(
                kind="debian",
                name=fields["Package"],
                version=fields["Version"],
                architecture=fields.get("Architecture", ""),
                distribution=system or "debian",
                sha256=None,
            )


def _apk_packages(text: str, system: str) -> Iterator[Component]:
    for fields in _stanzas(text):
        if fields.get("P") and fields.get("V"):
            yield Component(
                kind="apk",
                name=fields["P"],
                version=fields["V"],
                architecture=fields.get("A", ""),
                distribution=system or "alpine",
                sha256=None,
            )


def _apk_files(text: str) -> Iterator[str]:
    folder = ""
    for line in text.splitlines():
        if line.startswith("F:"):
            folder = line[2:]
        elif line.startswith("R:"):
            yield merged(f"{folder}/{line[2:]}")


def _python_package(path: str, text: str) -> Component | None:
    if not _PYTHON.fullmatch(path):
        return None
    head = text.split("\n\n", 1)[0]
    fields = next(_stanzas(head), {})
    if not fields.get("Name") or not fields.get("Version"):
        return None
    return Component(kind="python", name=fields["Name"], version=fields["Version"], sha256=None)


def _record_files(path: str, text: str) -> Iterator[str]:
    site = PurePosixPath(path).parent.parent
    for line in text.splitlines():
        name = line.rsplit(",", 2)[0].strip('"')
        parts: list[str] = []
        for part in (*site.parts, *PurePosixPath(name).parts):
            parts = parts[:-1] if part == ".." else [*parts, part]
        yield merged("/".join(parts))


def _conda_package(path: str, text: str) -> tuple[list[Component], set[str]]:
    prefix = PurePosixPath(path).parent.parent
    try:
        document = json.loads(text)
        name, version, files = document["name"], document["version"], document.get("files", [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return [], set()
    if not isinstance(name, str) or not isinstance(version, str) or not isinstance(files, list):
        return [], set()
    owned = {merged(str(prefix / one)) for one in files if isinstance(one, str)}
    return [Component(kind="conda", name=name, version=version, sha256=None)], owned
