"""Exclusive leases of GPUs across all processes of a machine.

Invariants
----------
* A device has one holder, or several that all said it may be shared; a MIG instance and the GPU it is a part of are
  never held at the same time.
* A lease ends with its holder, however that ends: it is a lock of the kernel's on an open file.
* Whoever came first is served first, among those who want the same devices; nobody holds some while waiting for more.
* Waiting can be cancelled and leaves nothing behind.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from host.errors import RunCancelledError
from host.gpu.device import GpuDevice
from host.gpu.lease_files import (
    Holder,
    Ticket,
    file_of,
    lease_folder,
    open_locked,
    prepare,
    read_holder,
    read_ticket,
    write_note,
)

POLL_S: Final = 0.1
WHOLE: Final = "whole"
PARTS: Final = "parts"
_TABLE: Final = "table.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which devices would do, how many of them are needed, and whether others may use them too."""

    candidates: Sequence[GpuDevice]
    count: int
    shared: bool = False

    def ticket(self) -> Ticket:
        """The same, as others in the queue need to know it."""
        return Ticket(
            keys=tuple(one.uuid for one in self.candidates),
            parents=tuple(one.parent for one in self.candidates if one.parent),
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """Devices that are held until the block ends.

    ``left_by`` names holders that ended without letting go: their containers may still be at work on the device.
    """

    devices: tuple[GpuDevice, ...]
    left_by: tuple[Holder, ...] = ()


@dataclass
class _Held:
    """The open, locked files behind a lease."""

    devices: list[GpuDevice] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    left_by: list[Holder] = field(default_factory=list)

    def close(self) -> None:
        for descriptor in (*self.notes, *self.others):
            os.close(descriptor)


@contextmanager
def lease(
    wanted: Wanted,
    holder: Holder,
    *,
    waiting: Callable[[str], None] = lambda line: None,
    cancelled: Callable[[], bool] = lambda: False,
    folder: Path | None = None,
) -> Iterator[Lease]:
    """Hold ``wanted.count`` of the candidates, the first free ones, for the time of the block.

    Parameters
    ----------
    wanted : Wanted
    holder : Holder
        Written into the devices' files, for those who wait.
    waiting : callable, optional
        Told in one line, once, when the devices are not free and whom they wait for.
    cancelled : callable, optional
        Asked about every 0.1 s while waiting.
    folder : Path, optional
        Where the locks lie; `lease_folder` by default. It must be the same for everybody.

    Raises
    ------
    RunCancelledError
        ``cancelled`` said so; nothing is held and the place in the queue is given up.
    GpuLeaseError
        The folder or a file in it cannot be used.
    """
    table = _Table(lease_folder() if folder is None else folder)
    held = table.acquire(wanted, waiting, cancelled)
    try:
        for descriptor in held.notes:
            write_note(descriptor, holder)
        yield Lease(tuple(held.devices), tuple(held.left_by))
    finally:
        for descriptor in held.notes:
            # Others may share the device: the note stays for the last of them.
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                write_note(descriptor, None)
        held.close()


def holder_of(device: GpuDevice, *, folder: Path | None = None) -> str:
    """Who holds a device now, in words; empty when it is free. Takes and changes nothing."""
    at = lease_folder() if folder is None else folder
    beside = file_of(at, device.parent, WHOLE) if device.parent else file_of(at, device.uuid, PARTS)
    for path in (file_of(at, device.uuid, WHOLE), beside):
        if not path.exists():
            continue
        descriptor = open_locked(path, fcntl.LOCK_EX)
        if descriptor is None:
            return str(read_holder(path) or "an unknown process")
        os.close(descriptor)
    return ""


class _Table:
    """The folder of locks. Everything is decided while holding its one short-lived lock."""

    def __init__(self, folder: Path) -> None:
        prepare(folder)
        self._folder = folder

    def acquire(self, wanted: Wanted, waiting: Callable[[str], None], cancelled: Callable[[], bool]) -> _Held:
        """Wait for the devices; see `lease`."""
        ticket: tuple[Path, int] | None = None
        told = False
        try:
            while True:
                with self._decision(cancelled):
                    ticket = ticket or self._queue(wanted.ticket())
                    ahead = self._rival_ahead(ticket[0], wanted.ticket())
                    held = None if ahead else self._try(wanted)
                    if held is not None:
                        return held
                if not told:
                    waiting(self._why(wanted))
                    told = True
                _pause(cancelled)
        finally:
            if ticket is not None:
                ticket[0].unlink(missing_ok=True)
                os.close(ticket[1])

    @contextmanager
    def _decision(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        while (descriptor := open_locked(self._folder / _TABLE, fcntl.LOCK_EX)) is None:
            _pause(cancelled, seconds=POLL_S / 10)
        try:
            yield
        finally:
            os.close(descriptor)

    def _queue(self, wants: Ticket) -> tuple[Path, int]:
        """Take the next number; the lock on it says that its owner still waits."""
        number = 1 + max((_number(path) for path in self._tickets()), default=0)
        path = self._folder / f"ticket-{number:012d}"
        descriptor = open_locked(path, fcntl.LOCK_EX)
        assert descriptor is not None  # noqa: S101 - numbers are given out under the table's lock
        write_note(descriptor, wants)
        return path, descriptor

    def _rival_ahead(self, mine: Path, wants: Ticket) -> bool:
        for path in self._tickets():
            if path == mine:
                return False
            descriptor = open_locked(path, fcntl.LOCK_EX)
            if descriptor is not None:
                # Its owner is gone. In a sticky folder only they could remove it; it is passed over all the same.
                with suppress(PermissionError):
                    path.unlink(missing_ok=True)
                os.close(descriptor)
                continue
            other = read_ticket(path)
            if other is not None and wants.rivals(other):
                return True
        return False

    def _tickets(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("ticket-*") if _number(path))

    def _try(self, wanted: Wanted) -> _Held | None:
        held = _Held()
        try:
            for device in wanted.candidates:
                if len(held.devices) < wanted.count:
                    self._take(device, held, shared=wanted.shared)
        except BaseException:
            held.close()
            raise
        if len(held.devices) == wanted.count:
            return held
        held.close()
        return None

    def _take(self, device: GpuDevice, held: _Held, *, shared: bool) -> None:
        """Lock a device if it is free, its parent's parts with it."""
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        whole, parts = (file_of(self._folder, device.parent or device.uuid, part) for part in (WHOLE, PARTS))
        # A part keeps everybody from the whole, and the whole everybody from the parts: looking is enough, since
        # nobody else decides now.
        if not _free(whole if device.parent else parts):
            return
        path = file_of(self._folder, device.uuid, WHOLE)
        descriptor = open_locked(path, mode)
        if descriptor is None:
            return
        if device.parent:
            beside = open_locked(parts, fcntl.LOCK_SH)
            if beside is None:
                os.close(descriptor)
                return
            held.others.append(beside)
        # A note that nobody has emptied is of a holder that was killed, or of one who shares the device.
        left = read_holder(path)
        if left is not None and not shared:
            held.left_by.append(left)
        held.devices.append(device)
        held.notes.append(descriptor)

    def _why(self, wanted: Wanted) -> str:
        taken = [
            f"{one.uuid} held by {holder}"
            for one in wanted.candidates
            if (holder := holder_of(one, folder=self._folder))
        ]
        return f"waiting for {wanted.count} GPU(s): {', '.join(taken) or 'others came first'}"


def _free(path: Path) -> bool:
    descriptor = open_locked(path, fcntl.LOCK_EX)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def _number(path: Path) -> int:
    digits = path.name.removeprefix("ticket-")
    return int(digits) if digits.isdecimal() else 0


def _pause(cancelled: Callable[[], bool], *, seconds: float = POLL_S) -> None:
    if cancelled():
        raise RunCancelledError("the run was cancelled while it waited for a GPU; nothing was started")
    time.sleep(seconds)
