"""Rewrites bundles as an attacker would: with other members, other bytes, or an index to match."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Members = dict[str, bytes]


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_members(
    path: Path, members: Members, extra: list[tuple[zipfile.ZipInfo, bytes]] | None = None
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        for info, data in extra or []:
            archive.writestr(info, data)
    return path


def forge(path: Path, change: Callable[[Members], None]) -> Path:
    """A copy of a bundle after ``change`` edited its members."""
    members = members_of(path)
    change(members)
    return write_members(path.with_name("forged-" + path.name), members)


def forge_index(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a bundle after ``change`` edited its index."""

    def edit(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        change(index)
        members["bundle.json"] = json.dumps(index).encode()

    return forge(path, edit)
