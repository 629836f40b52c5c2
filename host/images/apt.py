"""Debian packages through the machine's own apt: what it offers, and the files themselves.

apt checks the archive's signatures and digests. Which archive it asks is the machine's business: nothing here
names a host.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from host.errors import ImageBuildError, PackageMissingError
from host.images.base_lock import LockedPackage
from plugin_spec.model import first_fault

_TIMEOUT_S = 900
# What maintainer scripts need and programs do not: with no script run, it would be dead weight in every image.
_FOR_SCRIPTS = ("adduser", "debconf", "dpkg", "init-system-helpers", "install-info", "ucf")
_PROVIDED_FOR_SCRIPTS = {"debconf": "debconf-2.0"}
_STEP = re.compile(
    r"(?P<verb>Inst|Remv) (?P<name>[^\s:]+)(:\S+)?( \[(?P<held>[^\]]+)\])?( \((?P<version>\S+) (?P<origin>[^\[]*).*)?"
)
# An archive of another system or release, as apt names it: its packages are built against other libraries.
_ANOTHER_SYSTEM = re.compile(r"\b(Debian[\w-]*:(?!12\b)[\d.]+|Ubuntu:[\d.]+)")


@dataclass(frozen=True)
class Apt:
    """The two commands used; both work without root.

    Attributes
    ----------
    get, cache : str
        ``apt-get`` and ``apt-cache``, found on PATH unless given as paths.
    """

    get: str = "apt-get"
    cache: str = "apt-cache"

    def offers(self, names: Sequence[str], *, newest_only: bool) -> tuple[LockedPackage, ...]:
        """Return the versions that can be downloaded now; packages that are unknown are left out.

        Parameters
        ----------
        newest_only : bool
            One version per package, the one apt would install.
        """
        versions = ["--no-all-versions"] if newest_only else []
        # apt-cache fails when one name of many is unknown, and still prints the others.
        done = self._run([self.cache, "show", *versions, "--", *names], Path.cwd())
        return tuple(_offered(done.stdout))

    def download(self, packages: Sequence[LockedPackage], folder: Path) -> None:
        """Download exact versions into an empty folder, under whatever names apt gives them.

        Raises
        ------
        PackageMissingError
            A version is no longer offered, apt knows no packages at all, or the archive cannot be reached.
        """
        wanted = [f"{package.package}={package.version}" for package in packages]
        options = ["-qq", "-o", "Acquire::Retries=3"]
        done = self._run([self.get, *options, "download", "--", *wanted], folder)
        if done.returncode != 0:
            raise self._explanation(packages, done.stderr)

    def closure(
        self, names: Sequence[str], *, base: Sequence[LockedPackage]
    ) -> tuple[tuple[LockedPackage, ...], Mapping[str, str]]:
        """Resolve what packages need beyond a base, with apt's own resolver; nothing is installed.

        Parameters
        ----------
        names : sequence of str
            Packages by name. Recommended packages are not taken along; ``Essential`` ones (``bash``,
            ``coreutils``, ``sed``, ``perl-base``) are never implied, as Debian implies them.
        base : sequence of LockedPackage
            What is there already. Its own dependencies are not looked at.

        Returns
        -------
        tuple of LockedPackage, mapping
            Sorted by name; and base packages, by name, that the archive now offers in the version given.

        Raises
        ------
        PackageMissingError
            apt does not know a package, or its dependencies cannot be met.
        """
        with tempfile.TemporaryDirectory(prefix="assay-apt.") as folder:
            status = Path(folder, "status")
            status.write_text(self._status(base), encoding="utf-8")
            # A status of our own must not end in the machine's package cache.
            options = [f"Dir::State::status={status}", "Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache="]
            flags = [word for option in options for word in ("-o", option)]
            done = self._run(
                [self.get, "-qq", "-s", *flags, "--no-install-recommends", "install", "--", *names],
                Path(folder),
            )
        if done.returncode != 0:
            raise PackageMissingError(
                f"apt cannot resolve {', '.join(names)}: {_last_error(done.stderr)}",
                subject=names[0],
                hint="check the names; as root: apt-get update; Debian 12 packages of main are offered",
            )
        held = {package.package: package.version for package in base}
        wanted: dict[str, str] = {}
        newer: dict[str, str] = {}
        for step in _steps(done.stdout):
            if step["verb"] == "Remv":
                raise PackageMissingError(
                    f"{', '.join(names)} conflict with {step['name']}, which is in the base image",
                    subject=step["name"],
                )
            if other := _ANOTHER_SYSTEM.search(step["origin"]):
                raise PackageMissingError(
                    f"apt would take {step['name']} {step['version']} from {other[0]}; the base image is Debian 12",
                    subject=step["name"],
                    hint="lock the packages on a machine whose apt asks for Debian 12 (bookworm)",
                )
            if step["name"] not in held:
                wanted[step["name"]] = step["version"]
            elif step["version"] != held[step["name"]]:
                newer[step["name"]] = step["version"]
        return self._exactly(wanted), newer

    def _exactly(self, wanted: Mapping[str, str]) -> tuple[LockedPackage, ...]:
        offered = {}
        if wanted:
            offered = {
                (one.package, one.version): one for one in self.offers(sorted(wanted), newest_only=False)
            }
        if missing := [name for name in sorted(wanted) if (name, wanted[name]) not in offered]:
            raise PackageMissingError(
                f"apt gives no digest for {missing[0]} {wanted[missing[0]]}",
                subject=missing[0],
                hint="as root: apt-get update",
            )
        return tuple(offered[name, wanted[name]] for name in sorted(wanted))

    def _status(self, base: Sequence[LockedPackage]) -> str:
        """Return a dpkg status that says: the base is installed, and needs nothing."""
        shown = self._run([self.cache, "show", "--no-all-versions", "--", *_names(base)], Path.cwd())
        known = {fields.get("Package", ""): fields for fields in _stanzas(shown.stdout)}
        stanzas = []
        for package in base:
            fields = known.get(package.package, {})
            kept: dict[str, str] = {key: fields[key] for key in ("Multi-Arch", "Provides") if key in fields}
            stanzas.append(_installed(package.package, package.version, package.architecture, kept))
        for name in _FOR_SCRIPTS:
            provided = {"Provides": _PROVIDED_FOR_SCRIPTS[name]} if name in _PROVIDED_FOR_SCRIPTS else {}
            stanzas.append(_installed(name, "99:0", "all", {"Multi-Arch": "foreign", **provided}))
        return "\n".join(stanzas)

    def _explanation(self, packages: Sequence[LockedPackage], stderr: str) -> PackageMissingError:
        offered = {(one.package, one.version) for one in self.offers(_names(packages), newest_only=False)}
        if not offered:
            return PackageMissingError(
                "apt knows none of the image's packages: its lists are empty",
                hint="as root: apt-get update",
            )
        gone = [one for one in packages if (one.package, one.version) not in offered]
        if gone:
            listed = ", ".join(f"{one.package} {one.version}" for one in gone)
            return PackageMissingError(
                f"apt no longer offers {listed}; Debian drops superseded versions",
                subject=gone[0].package,
                hint="as root: apt-get update; if that does not help, lock anew (another image): assay plugin lock "
                "for a plugin's own packages, the host's base lock for the others",
            )
        return PackageMissingError(
            f"apt cannot download the image's packages: {_last_error(stderr)}",
            hint="check this machine's network and its apt sources",
        )

    def _run(self, command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command,
                cwd=folder,
                env={**os.environ, "LC_ALL": "C"},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ImageBuildError(
                f"{command[0]}: no end after {_TIMEOUT_S} s", hint="check the network"
            ) from error
        except OSError as error:
            raise ImageBuildError(
                f"{command[0]}: {error.strerror}",
                subject=command[0],
                hint="images are made from Debian packages: build on Debian or Ubuntu, or load an archive",
            ) from error


def _names(packages: Sequence[LockedPackage]) -> list[str]:
    return [package.package for package in packages]


def _last_error(stderr: str) -> str:
    errors = [line.removeprefix("E: ") for line in stderr.splitlines() if line.startswith("E: ")]
    return errors[-1] if errors else "no reason given"


def _steps(simulated: str) -> Iterator[Mapping[str, str]]:
    for line in simulated.splitlines():
        if found := _STEP.match(line):
            yield found.groupdict(default="")


def _installed(name: str, version: str, architecture: str, more: Mapping[str, str]) -> str:
    fields = {
        "Package": name,
        "Status": "install ok installed",
        "Version": version,
        "Architecture": architecture,
        **more,
        "Maintainer": "assay",
        "Description": "in the base image",
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    for stanza in text.split("\n\n"):
        yield dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")


def _offered(text: str) -> Iterator[LockedPackage]:
    for fields in _stanzas(text):
        # A version that is only installed here, and offered nowhere, has no digest.
        if "SHA256" not in fields:
            continue
        try:
            yield LockedPackage.model_validate(
                {
                    "package": fields["Package"],
                    "version": fields["Version"],
                    "architecture": fields["Architecture"],
                    "sha256": f"sha256:{fields['SHA256']}",
                    "bytes": int(fields["Size"]),
                }
            )
        except (KeyError, ValueError) as error:
            fault = first_fault(error) if isinstance(error, ValidationError) else f"no usable field {error}"
            raise ImageBuildError(f"apt-cache show: a package entry cannot be read: {fault}") from error
