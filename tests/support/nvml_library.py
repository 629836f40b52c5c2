# ruff: noqa: N802 - the functions have the names of the library's
"""A stand-in for NVIDIA's management library, below pynvml: its functions as ctypes would call them.

pynvml and everything of ours above it run as they are; only the shared library is not there on a machine without a
GPU. `install` puts it in pynvml's place for the library, for this process.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pynvml

SUCCESS, NOT_SUPPORTED, NOT_FOUND, GPU_IS_LOST, DRIVER_NOT_LOADED = 0, 3, 6, 15, 9


@dataclass(frozen=True)
class Card:
    """One GPU behind the library; ``instances`` cuts it into MIG instances, by their numbers."""

    uuid: str
    name: str = "NVIDIA A100-PCIE-40GB"
    memory_bytes: int = 40 * 1024**3
    capability: tuple[int, int] = (8, 0)
    instances: Sequence[int] | None = None
    lost: bool = False


@dataclass
class NvmlLibrary:
    """The functions that pynvml asks for, by their names in the shared library."""

    cards: Sequence[Card] = ()
    driver: str = "550.54.15"
    init_answer: int = SUCCESS
    knows_mig: bool = True
    open_sessions: int = 0
    _handles: dict[int, Card] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name == "nvmlDeviceGetMigMode" and not self.__dict__["knows_mig"]:
            raise AttributeError(name)
        try:
            return getattr(type(self), f"_{name.removesuffix('_v2')}").__get__(self)
        except AttributeError:
            raise AttributeError(name) from None

    def _nvmlInitWithFlags(self, flags: int) -> int:
        self.open_sessions += self.init_answer == SUCCESS
        return self.init_answer

    def _nvmlShutdown(self) -> int:
        self.open_sessions -= 1
        return SUCCESS

    def _nvmlErrorString(self, code: int) -> bytes:
        return b"error %d of the stand-in" % getattr(code, "value", code)

    def _nvmlSystemGetDriverVersion(self, text: Any, length: Any) -> int:
        text.value = self.driver.encode()
        return SUCCESS

    def _nvmlDeviceGetCount(self, count: Any) -> int:
        count._obj.value = len(self.cards)
        return SUCCESS

    def _nvmlDeviceGetHandleByIndex(self, index: Any, handle: Any) -> int:
        if self.cards[index.value].lost:
            return GPU_IS_LOST
        return self._hand_out(self.cards[index.value], 1 + index.value, handle)

    def _nvmlDeviceGetMigMode(self, handle: Any, current: Any, pending: Any) -> int:
        card = self._card(handle)
        if card.capability[0] < 8:
            return NOT_SUPPORTED
        current._obj.value = pending._obj.value = int(card.instances is not None)
        return SUCCESS

    def _nvmlDeviceGetMaxMigDeviceCount(self, handle: Any, count: Any) -> int:
        count._obj.value = 7
        return SUCCESS

    def _nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, index: Any, instance: Any) -> int:
        of = self._card(handle)
        if index.value not in (of.instances or ()):
            return NOT_FOUND
        card = Card(f"MIG-{of.uuid[4:]}-{index.value}", f"{of.name} MIG 1g.5gb", 5 * 1024**3, of.capability)
        return self._hand_out(card, 1000 + 100 * self._number(handle) + index.value, instance)

    def _nvmlDeviceGetUUID(self, handle: Any, text: Any, length: Any) -> int:
        text.value = self._card(handle).uuid.encode()
        return SUCCESS

    def _nvmlDeviceGetName(self, handle: Any, text: Any, length: Any) -> int:
        text.value = self._card(handle).name.encode()
        return SUCCESS

    def _nvmlDeviceGetMemoryInfo(self, handle: Any, memory: Any) -> int:
        memory._obj.total = self._card(handle).memory_bytes
        return SUCCESS

    def _nvmlDeviceGetCudaComputeCapability(self, handle: Any, major: Any, minor: Any) -> int:
        major._obj.value, minor._obj.value = self._card(handle).capability
        return SUCCESS

    def _hand_out(self, card: Card, number: int, handle: Any) -> int:
        self._handles[number] = card
        ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))[0] = number
        return SUCCESS

    def _number(self, handle: Any) -> int:
        return int(ctypes.cast(handle, ctypes.c_void_p).value or 0)

    def _card(self, handle: Any) -> Card:
        return self._handles[self._number(handle)]


@contextmanager
def installed(library: NvmlLibrary) -> Iterator[NvmlLibrary]:
    """Let pynvml find this library instead of the machine's."""
    install(library)
    try:
        yield library
    finally:
        pynvml.nvmlLib = None
        pynvml._nvmlGetFunctionPointer_cache.clear()


def install(library: NvmlLibrary) -> None:
    """The same for the rest of the process, for programs that a test starts."""
    pynvml.nvmlLib = library
    pynvml._nvmlGetFunctionPointer_cache.clear()
