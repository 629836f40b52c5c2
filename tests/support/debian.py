"""A package archive of hand-made Debian packages, served by two scripts that stand in for apt."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

from host.images.apt import Apt
from host.images.base_lock import LockedPackage


def file_member(name: str, text: str = "", *, mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """A regular file for ``make_package``."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(text), mode
    return member, text.encode()


def special_member(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """A folder, link or device for ``make_package``."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.mode = kind, target, 0o755
    return member, b""


def make_package(
    folder: Path, name: str, members: Iterable[tuple[tarfile.TarInfo, bytes]], *, postinst: str = ""
) -> LockedPackage:
    """Write ``name`` 1.0-1 as a ``.deb`` (an ``ar`` of two tars), whatever its members are."""
    control = f"Package: {name}\nVersion: 1.0-1\nArchitecture: all\nMaintainer: t\nDescription: t\n"
    scripts = [file_member("./postinst", postinst, mode=0o755)] if postinst else []
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar": _tar([file_member("./control", control), *scripts]),
        "data.tar": _tar(members),
    }
    data = b"!<arch>\n" + b"".join(_ar_member(part, body) for part, body in parts.items())
    path = folder / f"{name}_1.0-1_all.deb"
    path.write_bytes(data)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    return LockedPackage(package=name, version="1.0-1", architecture="all", sha256=digest, bytes=len(data))


def _tar(members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def _ar_member(name: str, body: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(body):<10}`\n".encode()
    return header + body + b"\n" * (len(body) % 2)


def stand_in_apt(folder: Path, offered: Iterable[LockedPackage], *, plan: str = "") -> Apt:
    """Commands that answer like apt for the ``.deb`` files in ``folder``; ``plan`` answers ``install -s``."""
    (folder / "plan").write_text(plan)
    stanzas = "\n\n".join(
        f"Package: {one.package}\nVersion: {one.version}\nArchitecture: {one.architecture}\n"
        f"Description: text\n with: colons\nSize: {one.bytes}\nSHA256: {one.sha256.removeprefix('sha256:')}"
        for one in offered
    )
    (folder / "stanzas").write_text(stanzas)
    names = " ".join(f"{one.package}={one.version}" for one in offered)
    _script(folder / "apt-cache", f"cat '{folder}/stanzas'")
    _script(
        folder / "apt-get",
        f"case \" $* \" in *' -s '*) cp \"${{4#Dir::State::status=}}\" '{folder}/status'; cat '{folder}/plan'\n"
        "! grep '^E: ' >&2 '" + str(folder) + "/plan'; exit ;; esac\n"
        'while [ "$1" != -- ]; do shift; done; shift\n'
        f"for wanted; do case ' {names} ' in *\" $wanted \"*) cp '{folder}'/\"${{wanted%%=*}}\"_*.deb . ;;\n"
        '*) echo "E: Version for $wanted was not found" >&2; exit 100 ;; esac; done',
    )
    return Apt(get=str(folder / "apt-get"), cache=str(folder / "apt-cache"))


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    subprocess.run(["sh", "-n", str(path)], check=True)
