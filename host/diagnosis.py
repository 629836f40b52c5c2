"""What a machine has for running Assay, and what it lacks."""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from host import extensions
from host.engine_choice import AUTO, ORDER
from host.gpu.inventory import take_inventory
from host.home import Home
from plugin_spec.errors import AssayError

NEEDED_DISK_BYTES = 5 * 10**9


@dataclass(frozen=True)
class Finding:
    """One thing looked at: ``missing`` stops runs, ``note`` does not."""

    check: str
    verdict: Literal["ok", "note", "missing"]
    found: str


def diagnose(home: Home, engine: str) -> tuple[Finding, ...]:
    """Look at interpreter, engine, GPU, package tools, disk and home; changes nothing."""
    return (
        Finding("python", "ok", platform.python_version()),
        *(look_at_engines() if engine == AUTO else [_engine(engine)]),
        _gpu(),
        *[_tool(name, why) for name, why in (("apt-get", "base image"), ("dpkg-deb", "base image"))],
        _disk(home.path),
        _home(home),
    )


def look_at_engines() -> tuple[Finding, ...]:
    """Look at every engine of ours; one that cannot be used is a note where another can."""
    found = [_engine(name) for name in ORDER]
    if any(one.verdict == "ok" for one in found):
        return tuple(one if one.verdict == "ok" else Finding(one.check, "note", one.found) for one in found)
    return tuple(found)


def _engine(name: str) -> Finding:
    try:
        info = extensions.connect(name).describe()
    except AssayError as error:
        return Finding(f"engine {name}", "missing", f"{error.message}; {error.hint}")
    facts = [info.version, f"storage {info.storage}", f"cgroup {info.cgroup_version}", *info.notes]
    return Finding(f"engine {name}", "ok", ", ".join(facts))


def _gpu() -> Finding:
    found = take_inventory()
    if not found.devices:
        why = "; ".join(found.reasons)
        return Finding("gpu", "note", f"none: {why}; plugins that need a GPU will not run here")
    models = ", ".join(sorted({device.model for device in found.devices}))
    return Finding(
        "gpu", "note", f"{len(found.devices)} ({models}); pass-through was never run on hardware by us"
    )


def _tool(name: str, why: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding(name, "note", f"not found; building a {why} needs it")
    return Finding(name, "ok", path)


def _disk(path: Path) -> Finding:
    existing = next(one for one in (path, *path.parents) if one.exists())
    free = shutil.disk_usage(existing).free
    verdict: Literal["ok", "note"] = "ok" if free >= NEEDED_DISK_BYTES else "note"
    return Finding("disk", verdict, f"{free / 1e9:.0f} GB free at {existing}")


def _home(home: Home) -> Finding:
    existing = next(one for one in (home.path, *home.path.parents) if one.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            "home",
            "missing",
            f"{existing} is no folder that can be written; ASSAY_HOME chooses another",
        )
    if not home.is_registry:
        return Finding(
            "home", "note", f"{home.path} holds no registry yet: assay trust init, or assay trust join"
        )
    left = sorted(one.name for one in home.runs.glob("*")) if home.runs.is_dir() else []
    if left:
        return Finding("home", "note", f"{home.path}; {len(left)} run folder(s) left by a host that stopped")
    return Finding("home", "ok", str(home.path))
