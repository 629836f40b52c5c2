"""A warm container: ``setup`` once, then one case per order of the host, over the host's unix socket.

A message is a JSON object on a line of its own and says ``"contract": "assay.serve/1"``. Everything else about a case
goes by the file protocol: request.json and inputs in, result.json and outputs out.

| from | message | when |
|---|---|---|
| host | ``{"type": "setup", "seed", "threads", "gpu", "weights"}`` | once, first |
| container | ``{"type": "ready"}`` or ``{"type": "failed", "reason_code", "message"}`` | after ``setup`` |
| host | ``{"type": "case", "order"}`` | once the case's files are in place |
| container | ``{"type": "done", "order", "exit_code", "left"}`` | once result.json is written |

``order`` is a word that nobody can know before the host sends it. ``left`` counts the processes that the case left
running. After each case the line ``[assay: end of case ORDER]`` ends both stdout and stderr, so that the host can
tell the case's own log. The host closes the socket when it orders no more.
"""

import json
import os
import shutil
import socket
import stat
import sys
import traceback
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, Generator, Mapping, Optional

from plugin_spec.hookspecs import GpuUnusable
from plugin_spec.runtime import protocol
from plugin_spec.runtime.adapter import answered, load_adapter, measured_environment, run_case
from plugin_spec.runtime.gpu import Look
from plugin_spec.runtime.protocol import Folders

_PROCESSES = Path("/proc")
_LOG_DESCRIPTORS = (1, 2)


def end_of_case(order: str) -> bytes:
    """The line that ends a case's part of the log."""
    return b"[assay: end of case " + order.encode() + b"]\n"


def running_processes() -> FrozenSet[int]:
    """The processes of this container that run; one that has ended and waits for its parent does not count."""
    found = set()
    for name in os.listdir(_PROCESSES):
        if name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                status = (_PROCESSES / name / "stat").read_text(errors="replace")
                if status.rpartition(") ")[2][:1] not in ("Z", "X"):
                    found.add(int(name))
    return frozenset(found)


def serve(
    adapter: str,
    folders: Folders,
    control: Path,
    processes: Callable[[], FrozenSet[int]] = running_processes,
) -> int:
    """Serve the host at ``control`` until it orders no more.

    Returns
    -------
    int
        0, or the contract's code for a plugin error where ``setup`` failed.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link, closing(_messages(link)) as orders:
        link.connect(str(control))
        first = next(orders)
        try:
            server = _Server(adapter, folders, first, processes)
        except GpuUnusable as error:
            return _give_up(link, "gpu-unusable", str(error))
        except Exception as error:  # noqa: BLE001 - whatever the algorithm raises is its failure, reported as such
            traceback.print_exc()
            return _give_up(link, "plugin-error", f"{type(error).__name__}: {error}")
        _send(link, type="ready")
        for order in orders:
            exit_code, left = server.run(str(order["order"]))
            _send(link, type="done", order=order["order"], exit_code=exit_code, left=left)
    return protocol.EXIT_OK


def _give_up(link: socket.socket, reason_code: str, message: str) -> int:
    """Tell the host why ``setup`` failed, and end as a fresh container would."""
    shown = message[: protocol.MAX_MESSAGE_CHARACTERS]
    _send(link, type="failed", reason_code=reason_code, message=shown)
    return protocol.CODE_OF_REASON[reason_code]


class _Server:
    """The adapter after its ``setup``."""

    def __init__(
        self,
        adapter: str,
        folders: Folders,
        setup: Mapping[str, Any],
        processes: Callable[[], FrozenSet[int]],
    ) -> None:
        self._folders = folders
        self._processes = processes
        self._look = Look()
        self._look.require(setup["gpu"])
        self._hooks = load_adapter(adapter).hook
        self._state = self._hooks.setup(context=protocol.context_of(setup, folders))
        self._environment: Optional[Mapping[str, str]] = None
        self._at_rest = processes()

    def run(self, order: str) -> "tuple[int, int]":
        """Run the case that lies ready; its exit code, and how many processes it left running."""
        exit_code = answered(self._run, self._folders, self._look)
        os.chdir(self._folders.scratch)
        clear(self._folders.scratch)
        left = len(self._processes() - self._at_rest)
        _end_log(order)
        return exit_code, left

    def _run(self) -> None:
        request = protocol.read_request(self._folders)
        run_case(
            self._hooks,
            request,
            self._state,
            self._folders,
            environment=self._measured,
            look=self._look,
        )

    def _measured(self) -> Mapping[str, str]:
        if self._environment is None:
            self._environment = measured_environment(self._hooks)
        return self._environment


def clear(folder: Path) -> None:
    """Remove everything in ``folder``, folders that were closed to their owner included."""
    for name in os.listdir(folder):
        path = folder / name
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            continue
        path.chmod(0o700)
        for parent, names, _ in os.walk(path):
            for inner in names:
                if not os.path.islink(os.path.join(parent, inner)):
                    os.chmod(os.path.join(parent, inner), 0o700)
        shutil.rmtree(path)


def _end_log(order: str) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the algorithm has closed it: nothing of it is left to write
            stream.flush()
    for descriptor in _LOG_DESCRIPTORS:
        with suppress(OSError):
            os.write(descriptor, end_of_case(order))


def _messages(link: socket.socket) -> Generator[Dict[str, Any], None, None]:
    with link.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            message: Dict[str, Any] = json.loads(line)
            if message.get("contract") != protocol.SERVE_CONTRACT:
                raise ValueError(
                    f"the host speaks {message.get('contract')!r}, not {protocol.SERVE_CONTRACT!r}"
                )
            yield message


def _send(link: socket.socket, **fields: Any) -> None:
    document = {"contract": protocol.SERVE_CONTRACT, **fields}
    link.sendall(json.dumps(document, sort_keys=True).encode("utf-8") + b"\n")
