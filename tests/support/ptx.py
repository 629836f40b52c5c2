"""Runs the few PTX instructions of the probe's kernels, one thread after another: what they mean, without a GPU.

Semantics are those of NVIDIA's "Parallel Thread Execution ISA". An instruction that is not here is an error.
"""

import math
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MASK32, MASK64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_ENTRY = re.compile(r"\.visible \.entry (\w+)\((.*?)\)\s*\{(.*?)\n\}", re.DOTALL)


def single(value: float) -> float:
    """The value rounded to single precision."""
    result: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return result


class Kernel:
    """One entry point of a PTX text."""

    def __init__(self, ptx: str, name: str) -> None:
        found = {entry: (parameters, body) for entry, parameters, body in _ENTRY.findall(ptx)}
        parameters, body = found[name]
        self.parameters = [line.split()[-1].rstrip(",") for line in parameters.strip().splitlines()]
        lines = [line.strip() for line in body.splitlines()]
        self._lines = [line for line in lines if line and not line.startswith(".reg")]
        self._labels = {line[:-1]: place for place, line in enumerate(self._lines) if line.endswith(":")}

    def launch(self, arguments: Sequence[Any], memory: bytearray, *, blocks: int, threads: int) -> None:
        """Run every thread; pointers are places in ``memory``."""
        given = dict(zip(self.parameters, arguments, strict=True))
        for block in range(blocks):
            for thread in range(threads):
                special = {"%ctaid.x": block, "%ntid.x": threads, "%tid.x": thread}
                self._run(given, special, memory)

    def _run(self, given: Mapping[str, Any], registers: dict[str, Any], memory: bytearray) -> None:
        place = 0
        while place < len(self._lines):
            line = self._lines[place]
            place += 1
            if line.endswith(":"):
                continue
            if line.startswith("@"):
                guard, line = line.split(None, 1)
                if not registers[guard[1:]]:
                    continue
            operation, _, rest = line.rstrip(";").partition(" ")
            operands = [one.strip() for one in rest.split(",")] if rest.strip() else []
            if operation == "ret":
                return
            if operation == "bra":
                place = self._labels[operands[0]]
                continue
            _step(operation, operands, given, registers, memory)


def _step(
    operation: str,
    operands: list[str],
    given: Mapping[str, Any],
    registers: dict[str, Any],
    memory: bytearray,
) -> None:
    def value(name: str) -> Any:
        return registers[name] if name.startswith("%") else int(name)

    if operation.startswith("ld.param"):
        registers[operands[0]] = given[operands[1].strip("[]")]
    elif operation.startswith(("ld.global", "st.global")):
        address, register = (operands[1], operands[0]) if operation.startswith("ld") else operands
        code = "<f" if operation.endswith("f32") else "<I"
        at = value(address.strip("[]"))
        if operation.startswith("ld"):
            registers[register] = struct.unpack_from(code, memory, at)[0]
        else:
            struct.pack_into(code, memory, at, value(register))
    else:
        registers[operands[0]] = _ARITHMETIC[operation](*map(value, operands[1:]))


_ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "mov.u32": lambda a: a,
    "cvta.to.global.u64": lambda a: a,
    "mad.lo.s32": lambda a, b, c: (a * b + c) & MASK32,
    "mul.wide.u32": lambda a, b: (a * b) & MASK64,
    "add.s64": lambda a, b: (a + b) & MASK64,
    "sub.u32": lambda a, b: (a - b) & MASK32,
    "setp.ge.u32": lambda a, b: a >= b,
    "setp.eq.u32": lambda a, b: a == b,
    "shl.b32": lambda a, b: (a << b) & MASK32,
    "shr.u32": lambda a, b: a >> b,
    "xor.b32": lambda a, b: a ^ b,
    # Rounded once: exact in double precision for the operands of the probe, as its adapter argues.
    "fma.rn.f32": lambda a, b, c: single(math.fsum((a * b, c))),
}
