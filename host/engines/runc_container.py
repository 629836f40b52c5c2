"""One runc container from its bundle to its removal, in calls that raise only `EngineError`.

Everything of a container lies in its bundle, a folder named by its ID: labels, runtime spec, the first process's
program. Its root, the image's tree below an empty layer, is mounted in a mount namespace of the launching process
alone: no mount of it is ever seen on the host, and none is left when its processes are gone.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any, Final

from host.engines.runc_cgroup import ControlGroup
from host.errors import EngineDiedError, EngineRefusedError
from plugin_spec.errors import EngineError

KILL_TIMEOUT_S: Final = 30.0
_KILL_REST_S: Final = 0.02
_READ_BYTES: Final = 64 * 1024
_MARK: Final = "assay-container"
# The container's root may be written to by runc (mount points) and by device hooks before the container starts, and
# is read-only for the container. Relative names keep commas and colons of the host's paths out of mount options.
_LAUNCH: Final = """
cd "$1" && {
    mount -t tmpfs -o mode=0755,size=64m container layer &&
    mkdir -m 755 layer/upper && mkdir layer/work && cp init layer/init &&
    mount -t overlay -o lowerdir=image,upperdir=layer/upper,workdir=layer/work container root
} 2>mount.err && shift && exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of the host that the engine uses, where runc keeps its own state, and who runs it."""

    runc: str
    unshare: str
    shell: str
    state: Path
    search: str
    rootless: bool = False

    def in_namespace(self, *namespaces: str) -> list[str]:
        """Words that start a program in namespaces of its own, as the root of a user namespace unless it is root."""
        as_root = ("--user", "--map-root-user") if self.rootless else ()
        return [self.unshare, *as_root, *namespaces, "--"]

    def environment(self) -> dict[str, str]:
        """Nothing of the host's environment but where programs are."""
        return {"PATH": self.search}


class RuncContainer:
    """A container whose bundle exists. Get it from `created_container`, which removes it again."""

    def __init__(self, tools: Tools, bundle: Path, group: ControlGroup) -> None:
        self.id = bundle.name
        self._tools = tools
        self._bundle = bundle
        self._group = group
        self._launcher: subprocess.Popen[bytes] | None = None
        self._output: int | None = None

    def start(self) -> None:
        """Launch it: runc sets it up, starts it and stays until it ends."""
        command = self._tools.in_namespace("--mount", "--propagation", "private")
        command += [self._tools.shell, "-c", _LAUNCH, _MARK, str(self._bundle)]
        command += [self._tools.runc, "--root", str(self._tools.state)]
        command += ["--log", str(self._bundle / "runc.log"), "--log-format", "json"]
        # Kept after its end: its control group still knows the memory peak then.
        command += ["run", "--keep", "--bundle", str(self._bundle), "--pid-file", str(self._bundle / "pid")]
        self._output, theirs = os.pipe()
        try:
            self._launcher = subprocess.Popen(
                [*command, self.id],
                stdin=subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                env=self._tools.environment(),
                # Ctrl-C is for the host, which ends the container in its own way.
                start_new_session=True,
            )
        except OSError as error:
            raise EngineDiedError(f"runc cannot be launched: {error.strerror}", subject=self.id) from error
        finally:
            os.close(theirs)

    def output(self) -> Iterator[bytes]:
        """Return stdout and stderr as they arrive, until nobody can write to them any more."""
        descriptor, self._output = self._output, None
        if descriptor is None:
            return
        try:
            while data := os.read(descriptor, _READ_BYTES):
                yield data
        finally:
            os.close(descriptor)

    def wait(self) -> None:
        """Return when the launcher has ended, and the container with it unless the launcher was killed."""
        if self._launcher is not None:
            self._launcher.wait()

    def kill(self) -> None:
        """Kill all its processes; one that is only being set up loses its launcher."""
        if self._group.pids():
            self._group.kill()
        elif self._launcher is not None:
            self._launcher.kill()

    def exit_code(self, *, stopped: bool) -> int:
        """Return the main process's exit code.

        Parameters
        ----------
        stopped : bool
            Whether the host killed the container.

        Raises
        ------
        EngineRefusedError
            runc could not start it.
        EngineDiedError
            runc ended before the container did.
        """
        code = -SIGKILL if self._launcher is None else self._launcher.returncode
        if stopped:
            return 128 + SIGKILL if code < 0 else code
        if code < 0:
            raise EngineDiedError(
                f"runc was ended by signal {-code} while the container ran",
                subject=self.id,
                hint="its processes were killed; look for what killed runc: dmesg, or the operator",
            )
        if code and (fault := self._fault()):
            raise EngineRefusedError(f"runc could not start the container: {fault}", subject=self.id)
        return code

    def _fault(self) -> str:
        """What runc, or the mounts before it, said went wrong; empty where the container itself ended so."""
        said = [line for line in _lines(self._bundle / "runc.log") if '"level":"error"' in line]
        if said:
            with suppress(ValueError, TypeError, KeyError):
                return " ".join(str(json.loads(said[-1])["msg"]).split())[:400]
            return said[-1][:400]
        if (self._bundle / "pid").is_file():
            return ""
        return " ".join(_lines(self._bundle / "mount.err"))[:400] or "it ended before the container existed"

    def remove(self) -> None:
        """Kill what runs and take everything of the container away, if it still exists.

        Raises
        ------
        EngineDiedError
            A process of it does not die.
        """
        deadline_s = time.monotonic() + KILL_TIMEOUT_S
        while running := self._running():
            if time.monotonic() > deadline_s:
                raise EngineDiedError(
                    f"processes {running} of the container were killed and still run",
                    subject=self.id,
                    hint="look for a hung disk or network file system under the outputs",
                )
            self.kill()
            time.sleep(_KILL_REST_S)
        if self._output is not None:
            os.close(self._output)
            self._output = None
        if (self._tools.state / self.id).exists():
            self._delete()
        self._group.remove()
        with suppress(FileNotFoundError):
            shutil.rmtree(self._bundle)

    def _running(self) -> list[int]:
        launcher = self._launcher
        alive = [launcher.pid] if launcher is not None and launcher.poll() is None else []
        return alive + self._group.pids()

    def _delete(self) -> None:
        command = self._tools.in_namespace() if self._tools.rootless else []
        command += [self._tools.runc, "--root", str(self._tools.state), "delete", "--force", self.id]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self._tools.environment(), check=False
        )
        if done.returncode and (self._tools.state / self.id).exists():
            raise EngineDiedError(
                f"runc could not delete the container: {' '.join(done.stderr.split())[:400]}", subject=self.id
            )


@contextmanager
def created_container(
    tools: Tools, bundle: Path, group: ControlGroup, *, labels: Mapping[str, str], image: Path, init: bytes
) -> Iterator[RuncContainer]:
    """Make a bundle without its runtime spec; however the block ends, remove everything of the container.

    Parameters
    ----------
    tools : Tools
    bundle : Path
        The folder to make; its name is the container's ID.
    group : ControlGroup
    labels : mapping
        Written first, so that whatever is left of the container can be told by them.
    image : Path
        The unpacked image's root.
    init : bytes
        The first process's program.
    """
    container = RuncContainer(tools, bundle, group)
    try:
        try:
            _make_bundle(bundle, labels, image, init)
        except OSError as error:
            raise EngineDiedError(f"{bundle}: {error.strerror}", subject=str(bundle)) from error
        yield container
    except BaseException:
        # The first failure is the one to tell; what is left is found by the reaper.
        with suppress(EngineError, OSError):
            container.remove()
        raise
    container.remove()


def _make_bundle(bundle: Path, labels: Mapping[str, str], image: Path, init: bytes) -> None:
    bundle.mkdir(mode=0o700)
    (bundle / "labels.json").write_text(json.dumps(dict(labels)), encoding="utf-8")
    for name in ("layer", "root", "etc"):
        (bundle / name).mkdir()
    (bundle / "image").symlink_to(image)
    (bundle / "init").write_bytes(init)
    (bundle / "init").chmod(0o755)
    for name, content in ETC.items():
        (bundle / "etc" / name).write_text(content, encoding="ascii")


ETC: Final[Mapping[str, str]] = {
    "hostname": "assay\n",
    "hosts": "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
    "resolv.conf": "",
}


def write_spec(bundle: Path, spec: Mapping[str, Any]) -> None:
    """Write the runtime spec into a bundle."""
    try:
        (bundle / "config.json").write_text(json.dumps(spec), encoding="utf-8")
    except OSError as error:
        raise EngineDiedError(f"{bundle}: {error.strerror}", subject=str(bundle)) from error


def end_launcher(bundle: Path) -> None:
    """Kill the launcher that a dead host left behind for a bundle: it could start a container after its removal."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if os.fsencode(bundle) in words and (os.fsencode(_MARK) in words or b"--bundle" in words):
                os.kill(int(entry.name), SIGKILL)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
