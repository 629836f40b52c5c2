"""Debian packages through the machine's own apt: what it offers, and the files themselves.

apt checks the archive's signatures and digests. Which archive it asks is the machine's business: nothing here
names a host.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from host.errors import ImageBuildError, PackageMissingError
from host.images.base_lock import LockedPackage
from plugin_spec.model import first_fault

_TIMEOUT_S = 900


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

    def _explanation(self, packages: Sequence[LockedPackage], stderr: str) -> PackageMissingError:
        offered = {(one.package, one.version) for one in self.offers(_names(packages), newest_only=False)}
        if not offered:
            return PackageMissingError(
                "apt knows none of the base image's packages: its lists are empty",
                hint="as root: apt-get update",
            )
        gone = [one for one in packages if (one.package, one.version) not in offered]
        if gone:
            listed = ", ".join(f"{one.package} {one.version}" for one in gone)
            return PackageMissingError(
                f"apt no longer offers {listed}; Debian drops superseded versions",
                subject=gone[0].package,
                hint="as root: apt-get update; if that does not help, lock the base anew (another image)",
            )
        last = next(
            (line for line in reversed(stderr.splitlines()) if line.startswith("E:")), "no reason given"
        )
        return PackageMissingError(
            f"apt cannot download the base image's packages: {last}",
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


def _offered(text: str) -> Iterator[LockedPackage]:
    for stanza in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
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
