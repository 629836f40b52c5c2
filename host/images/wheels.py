"""Wheels through uv: which file satisfies a requirement on the image's platform, and its contents.

Invariants
----------
* A wheel is used only if its digest is one that the requirements list; of several, a fixed rule chooses.
* Nothing is resolved, built or executed: no dependencies, no source distributions, no code of a wheel.
"""

import json
import os
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError
from uv import find_uv_bin

from host.errors import ImageBuildError, WheelDigestError, WheelError
from host.images.requirements import PinnedRequirement, normal_name
from plugin_spec.model import first_fault

# The interpreter and the C library of the base image.
TARGET = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36", "--only-binary", ":all:")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_TIMEOUT_S = 1800


@dataclass(frozen=True)
class Wheel:
    """The one file that satisfies a requirement.

    Attributes
    ----------
    location : str
        Where this machine gets the file from; it takes no part in what is built.
    """

    name: str
    version: str
    file_name: str
    sha256: str
    location: str

    def pylock_entry(self) -> str:
        """Return the lock entry that only this file satisfies (PEP 751)."""
        key = "url" if urlsplit(self.location).scheme else "path"
        wheel = f"{{ {key} = {_quoted(self.location)}, hashes = {{ sha256 = {_quoted(self.sha256[7:])} }} }}"
        name, version = _quoted(self.name), _quoted(self.version)
        return f"[[packages]]\nname = {name}\nversion = {version}\nwheels = [{wheel}]\n"


def _quoted(text: str) -> str:
    # TOML's basic strings take JSON's escapes.
    return json.dumps(text)


def select_wheels(requirements: Sequence[PinnedRequirement], *, uv_cache: Path) -> tuple[Wheel, ...]:
    """Find the file for each requirement that applies to the image's platform.

    Where several wheels fit, those made for exactly this Python come first, then the first by file name.

    Raises
    ------
    WheelDigestError
        The package index offers no file with a listed hash for a requirement.
    WheelError
        A version or a wheel for the platform does not exist, or the index cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="assay-wheels.") as folder:
        asked, answer = Path(folder, "requirements.txt"), Path(folder, "pylock.toml")
        asked.write_text("".join(f"{one.line()}\n" for one in requirements), encoding="utf-8")
        run_uv(
            ["compile", asked.name, "--no-deps", *TARGET, "--format", "pylock.toml", "-o", answer.name],
            folder=Path(folder),
            uv_cache=uv_cache,
        )
        packages = _read_pylock(answer.read_text(encoding="utf-8")).packages
    allowed: dict[tuple[str, str], frozenset[str]] = {}
    for one in requirements:
        key = (one.name, one.version)
        allowed[key] = allowed.get(key, frozenset()) | one.sha256s
    chosen = (_choose(package, allowed) for package in packages)
    return tuple(sorted(chosen, key=lambda wheel: wheel.name))


def install_wheels(wheels: Sequence[Wheel], folder: Path, *, uv_cache: Path) -> None:
    """Unpack wheels into ``folder``, checked against their digests.

    Raises
    ------
    WheelDigestError
        A file has another digest.
    WheelError
        A file cannot be had, or is not a wheel.
    """
    with tempfile.TemporaryDirectory(prefix="assay-wheels.") as scratch:
        asked = Path(scratch, "pylock.toml")
        head = 'lock-version = "1.0"\ncreated-by = "assay"\n\n'
        asked.write_text(head + "\n".join(wheel.pylock_entry() for wheel in wheels), encoding="utf-8")
        run_uv(
            ["install", "-r", asked.name, "--no-deps", *TARGET]
            + ["--target", str(folder.resolve()), "--link-mode", "copy", "--no-compile-bytecode"],
            folder=Path(scratch),
            uv_cache=uv_cache,
        )


def run_uv(arguments: Sequence[str], *, folder: Path, uv_cache: Path) -> None:
    """Run ``uv pip`` in a folder, with the machine's certificates.

    Raises
    ------
    WheelDigestError, WheelError
        It failed; what it said is in the message.
    """
    environment = {**os.environ, "UV_CACHE_DIR": str(uv_cache.resolve()), "LC_ALL": "C"}
    if _CERTIFICATES.is_file():
        environment.setdefault("SSL_CERT_FILE", str(_CERTIFICATES))
    try:
        done = subprocess.run(
            [find_uv_bin(), "pip", *arguments, "--quiet", "--color", "never"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ImageBuildError(
            f"uv does not run: {error}", hint="install the requirements of this host again"
        ) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-600:]
        if "hash mismatch" in said.lower():
            raise WheelDigestError(
                f"a wheel does not have its listed hash: {said}", hint="compile the requirements anew"
            )
        raise WheelError(f"uv: {said}", hint="check the network, the pinned versions and the hashes")


class _PylockWheel(BaseModel):
    """A file in a pylock document (PEP 751); fields not needed here are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    url: str = ""
    path: str = ""
    hashes: dict[str, str]

    @property
    def location(self) -> str:
        return self.url or self.path

    @property
    def file_name(self) -> str:
        return unquote(urlsplit(self.location).path).rsplit("/", 1)[-1]


class _PylockPackage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    name: str
    version: str
    wheels: tuple[_PylockWheel, ...] = ()


class _Pylock(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")
    packages: tuple[_PylockPackage, ...] = ()


def _read_pylock(text: str) -> _Pylock:
    try:
        return _Pylock.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        fault = first_fault(error) if isinstance(error, ValidationError) else str(error)
        raise ImageBuildError(f"uv wrote a lock that cannot be read: {fault}") from error


def _choose(package: _PylockPackage, allowed: dict[tuple[str, str], frozenset[str]]) -> Wheel:
    name = normal_name(package.name)
    listed = allowed.get((name, package.version), frozenset())
    fitting = [wheel for wheel in package.wheels if f"sha256:{wheel.hashes.get('sha256', '')}" in listed]
    if not fitting:
        raise WheelDigestError(
            f"{name} {package.version}: no wheel for Python 3.11 on x86-64 has a listed hash",
            subject=name,
            hint="compile the requirements anew; if the version is the same, find out why its files changed",
        )
    best = min(fitting, key=lambda wheel: ("-cp311-" not in wheel.file_name, wheel.file_name))
    return Wheel(name, package.version, best.file_name, f"sha256:{best.hashes['sha256']}", best.location)
