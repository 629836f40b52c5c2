"""A Docker daemon of a test's own, whose PATH has a stand-in for NVIDIA's container hook.

It shares nothing with the machine's daemon: its own folders, socket, containerd and bridge, and no firewall rules. A
daemon started with ``--bridge=none`` would remove the machine's ``docker0``, so it gets a bridge of its own instead.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_HOOK = "nvidia-container-runtime-hook"
_START_S = 60.0
_STOP_S = 30.0


@dataclass(frozen=True)
class PrivateDocker:
    """A running daemon: its address, what the hook was started with, and the bridges there were before it."""

    address: str
    hook_calls: Path
    bridges_before: frozenset[str]

    def calls(self) -> list[dict[str, str]]:
        """The environment of every container the hook was called for, as the hook read it."""
        if not self.hook_calls.exists():
            return []
        return [json.loads(line) for line in self.hook_calls.read_text().splitlines()]


def why_not() -> str:
    """Why no daemon can be started here; empty where one can."""
    if os.geteuid() != 0:
        return "starting a Docker daemon needs root"
    missing = [name for name in ("dockerd", "ip") if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


@contextmanager
def private_docker() -> Iterator[PrivateDocker]:
    """Start a daemon with a stand-in hook, and end it with all it made."""
    if fault := why_not():
        pytest.skip(fault)
    # A socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="assay-docker-"))
    bridge = f"assay{os.getpid()}"[:15]
    calls = folder / "hook-calls"
    before = bridges()
    _write_hook(folder / "bin" / _HOOK, calls)
    try:
        _make_bridge(bridge)
        with _daemon(folder, bridge) as address:
            yield PrivateDocker(address, calls, before)
    finally:
        subprocess.run(["ip", "link", "delete", bridge], check=False, capture_output=True)
        _remove(folder)


def bridges() -> frozenset[str]:
    """Names of the machine's network bridges."""
    command = ["ip", "-oneline", "link", "show", "type", "bridge"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return frozenset(line.split(": ")[1] for line in shown.splitlines())


def _write_hook(path: Path, calls: Path) -> None:
    """What dockerd starts for a device request, with the container's state on stdin, as it starts NVIDIA's."""
    path.parent.mkdir()
    path.write_text(
        f"#!{sys.executable} -IS\n"
        "import json, pathlib, sys\n"
        "state = json.load(sys.stdin)\n"
        "config = json.loads((pathlib.Path(state['bundle']) / 'config.json').read_bytes())\n"
        "given = dict(entry.split('=', 1) for entry in config['process']['env'])\n"
        f"with open({str(calls)!r}, 'a') as log:\n"
        "    log.write(json.dumps(given) + '\\n')\n"
    )
    path.chmod(0o755)


def _make_bridge(name: str) -> None:
    number = os.getpid() % 250
    for command in (
        ["link", "add", "name", name, "type", "bridge"],
        ["address", "add", f"10.251.{number}.1/24", "dev", name],
        ["link", "set", name, "up"],
    ):
        subprocess.run(["ip", *command], check=True, capture_output=True)


@contextmanager
def _daemon(folder: Path, bridge: str) -> Iterator[str]:
    address = f"unix://{folder}/docker.sock"
    options = {
        "--data-root": folder / "data",
        "--exec-root": folder / "exec",
        "--pidfile": folder / "docker.pid",
        "--host": address,
        "--bridge": bridge,
        "--iptables": "false",
        "--ip-masq": "false",
        "--ip-forward": "false",
    }
    # From Docker 29 on, its default store has other image IDs than the digests of configs.
    (folder / "daemon.json").write_text('{"features": {"containerd-snapshotter": false}}')
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen(
            [
                "dockerd",
                f"--config-file={folder / 'daemon.json'}",
                *(f"{name}={value}" for name, value in options.items()),
            ],
            env={**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
            stdout=log,
            stderr=log,
            # Its containers must not end with the test's terminal.
            start_new_session=True,
        )
    try:
        _await(daemon, address, folder / "log")
        yield address
    finally:
        daemon.terminate()
        try:
            daemon.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait(_STOP_S)


def _await(daemon: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    import docker

    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s and daemon.poll() is None:
        if Path(address.removeprefix("unix://")).exists():
            try:
                docker.APIClient(base_url=address, version="auto", timeout=10).close()
                return
            except (docker.errors.DockerException, OSError):
                pass
        time.sleep(0.1)
    pytest.fail(f"the private dockerd does not start:\n{log.read_text(errors='replace')[-2000:]}")


def _remove(folder: Path) -> None:
    """Remove the daemon's folders; what it mounted below them comes first."""
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in sorted((one for one in mounted if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)
