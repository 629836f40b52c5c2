"""Computes on every visible CUDA device with the voxels of an image, and compares each result with the exact one.

Only libcuda, which comes with the driver, is called: no toolkit, no compiler, nothing to install. The two kernels are
PTX, which the driver compiles for the device at hand.
"""

import ctypes
import struct
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_size_t, c_ubyte, c_uint, c_uint64, c_void_p
from dataclasses import dataclass

from plugin_spec import CaseResult, GpuUnusable, QualityCheck, Refuse, hookimpl

HEADER_BYTES = 352
INT16 = 4
FEWEST_VOXELS = 1024
# The host computes the same in plain Python: this many take it about a second.
MOST_VOXELS = 65536
ROUNDS = 16
FACTOR, OFFSET = struct.unpack("<2f", struct.pack("<2f", 1 / 3, 0.1))
BLOCK = 128

# affine: y = x * a + b, rounded once. scramble: `rounds` steps of Marsaglia's xorshift32 on each word.
PTX = b"""\
.version 6.4
.target sm_50
.address_size 64

.visible .entry affine(
    .param .u64 affine_y,
    .param .u64 affine_x,
    .param .f32 affine_a,
    .param .f32 affine_b,
    .param .u32 affine_n
)
{
    .reg .pred  %p<2>;
    .reg .b32   %r<6>;
    .reg .f32   %f<5>;
    .reg .b64   %rd<8>;

    mov.u32         %r1, %ctaid.x;
    mov.u32         %r2, %ntid.x;
    mov.u32         %r3, %tid.x;
    mad.lo.s32      %r4, %r1, %r2, %r3;
    ld.param.u32    %r5, [affine_n];
    setp.ge.u32     %p1, %r4, %r5;
    @%p1 bra        AFFINE_DONE;

    ld.param.u64    %rd1, [affine_y];
    ld.param.u64    %rd2, [affine_x];
    ld.param.f32    %f1, [affine_a];
    ld.param.f32    %f2, [affine_b];
    cvta.to.global.u64 %rd3, %rd1;
    cvta.to.global.u64 %rd4, %rd2;
    mul.wide.u32    %rd5, %r4, 4;
    add.s64         %rd6, %rd4, %rd5;
    add.s64         %rd7, %rd3, %rd5;
    ld.global.f32   %f3, [%rd6];
    fma.rn.f32      %f4, %f3, %f1, %f2;
    st.global.f32   [%rd7], %f4;

AFFINE_DONE:
    ret;
}

.visible .entry scramble(
    .param .u64 scramble_words,
    .param .u32 scramble_rounds,
    .param .u32 scramble_n
)
{
    .reg .pred  %p<3>;
    .reg .b32   %r<11>;
    .reg .b64   %rd<5>;

    mov.u32         %r1, %ctaid.x;
    mov.u32         %r2, %ntid.x;
    mov.u32         %r3, %tid.x;
    mad.lo.s32      %r4, %r1, %r2, %r3;
    ld.param.u32    %r5, [scramble_n];
    setp.ge.u32     %p1, %r4, %r5;
    @%p1 bra        SCRAMBLE_DONE;

    ld.param.u64    %rd1, [scramble_words];
    ld.param.u32    %r6, [scramble_rounds];
    cvta.to.global.u64 %rd2, %rd1;
    mul.wide.u32    %rd3, %r4, 4;
    add.s64         %rd4, %rd2, %rd3;
    ld.global.u32   %r7, [%rd4];

SCRAMBLE_ROUND:
    setp.eq.u32     %p2, %r6, 0;
    @%p2 bra        SCRAMBLE_STORE;
    shl.b32         %r8, %r7, 13;
    xor.b32         %r7, %r7, %r8;
    shr.u32         %r9, %r7, 17;
    xor.b32         %r7, %r7, %r9;
    shl.b32         %r10, %r7, 5;
    xor.b32         %r7, %r7, %r10;
    sub.u32         %r6, %r6, 1;
    bra             SCRAMBLE_ROUND;

SCRAMBLE_STORE:
    st.global.u32   [%rd4], %r7;

SCRAMBLE_DONE:
    ret;
}
"""

_SIGNATURES = {
    "cuInit": (c_uint,),
    "cuDriverGetVersion": (POINTER(c_int),),
    "cuGetErrorString": (c_int, POINTER(c_char_p)),
    "cuDeviceGetCount": (POINTER(c_int),),
    "cuDeviceGet": (POINTER(c_int), c_int),
    "cuDeviceGetName": (c_char_p, c_int, c_int),
    "cuDeviceGetUuid": (POINTER(c_ubyte * 16), c_int),
    "cuDeviceGetAttribute": (POINTER(c_int), c_int, c_int),
    "cuDeviceTotalMem_v2": (POINTER(c_size_t), c_int),
    "cuDevicePrimaryCtxRetain": (POINTER(c_void_p), c_int),
    "cuDevicePrimaryCtxRelease_v2": (c_int,),
    "cuCtxSetCurrent": (c_void_p,),
    "cuCtxSynchronize": (),
    "cuModuleLoadDataEx": (POINTER(c_void_p), c_char_p, c_uint, POINTER(c_int), POINTER(c_void_p)),
    "cuModuleUnload": (c_void_p,),
    "cuModuleGetFunction": (POINTER(c_void_p), c_void_p, c_char_p),
    "cuMemAlloc_v2": (POINTER(c_uint64), c_size_t),
    "cuMemFree_v2": (c_uint64,),
    "cuMemcpyHtoD_v2": (c_uint64, c_void_p, c_size_t),
    "cuMemcpyDtoH_v2": (c_void_p, c_uint64, c_size_t),
    "cuLaunchKernel": (c_void_p, *[c_uint] * 7, c_void_p, POINTER(c_void_p), POINTER(c_void_p)),
}
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_LOG_BUFFER, _LOG_BYTES = 5, 6  # CU_JIT_ERROR_LOG_BUFFER and its size
_JIT_LOG = 4096


@dataclass(frozen=True)
class Device:
    """One device and how it computed."""

    name: str
    uuid: str
    compute_capability: float
    vram_mib: float
    max_error: int
    mismatches: int


class Cuda:
    """libcuda with its functions' signatures; an answer other than 0 becomes `GpuUnusable`."""

    def __init__(self, library="libcuda.so.1"):
        try:
            self._library = ctypes.CDLL(library)
            for name, arguments in _SIGNATURES.items():
                getattr(self._library, name).argtypes = arguments
        except (OSError, AttributeError) as error:
            raise GpuUnusable(f"the driver's library cannot be used in this container: {error}") from error
        self.call("cuInit", 0)

    def call(self, name, *arguments, more=None):
        """Call a function; ``more`` adds to the message of an error."""
        answer = getattr(self._library, name)(*arguments)
        if answer:
            said = c_char_p()
            self._library.cuGetErrorString(answer, byref(said))
            words = said.value.decode() if said.value else "unknown error"
            log = more.value.decode(errors="replace").strip() if more is not None else ""
            raise GpuUnusable(f"{name} answers with error {answer}: {words} {log}".rstrip())

    @contextmanager
    def afterwards(self, name, *arguments):
        """Give something back after the block; an error of the block is not hidden by one of giving back."""
        try:
            yield
        except BaseException:
            getattr(self._library, name)(*arguments)
            raise
        self.call(name, *arguments)

    def number(self, name, *arguments, kind=c_int):
        """Call a function whose first argument is where it writes its answer."""
        value = kind()
        self.call(name, byref(value), *arguments)
        return value.value


@hookimpl
def setup(context):
    """Open the driver's library; it must see a device."""
    cuda = Cuda()
    if cuda.number("cuDeviceGetCount") < 1:
        raise GpuUnusable("CUDA sees no device in this container")
    return cuda


@hookimpl
def run_case(case, state):
    """Have every visible device compute with the image's voxels."""
    voxels = read_voxels(case.inputs["image"].read_bytes())
    devices = [compute(state, number, voxels) for number in range(state.number("cuDeviceGetCount"))]
    _SEEN.update(described(state, devices))
    exact = all(one.max_error == 0 and one.mismatches == 0 for one in devices)
    row = {
        "device_count": float(len(devices)),
        "compute_capability": min(one.compute_capability for one in devices),
        "vram_mib": min(one.vram_mib for one in devices),
        "elements": float(len(voxels)),
        "max_error": float(max(one.max_error for one in devices)),
        "mismatches": float(sum(one.mismatches for one in devices)),
    }
    return CaseResult(
        outputs={"probe": [row]},
        qc=[QualityCheck("computes-exactly", "pass" if exact else "fail", row["max_error"])],
    )


_SEEN = {}


@hookimpl
def describe_environment():
    """The driver's CUDA version and the devices by name."""
    return dict(_SEEN)


def described(cuda, devices):
    """What the record keeps of the devices beside the numbers."""
    version = cuda.number("cuDriverGetVersion")
    told = {"cuda-of-driver": f"{version // 1000}.{version % 1000 // 10}"}
    for number, one in enumerate(devices):
        told[f"device-{number}"] = f"{one.name} {one.uuid}"
    return told


def read_voxels(data):
    """The first voxels of an uncompressed NIfTI-1 image of int16."""
    if (
        len(data) < HEADER_BYTES
        or data[344:348] != b"n+1\0"
        or struct.unpack_from("<h", data, 70)[0] != INT16
    ):
        raise Refuse(
            "not-int16", "image: an uncompressed little-endian NIfTI-1 image of int16 voxels is needed"
        )
    count = min(MOST_VOXELS, (len(data) - HEADER_BYTES) // 2)
    if count < FEWEST_VOXELS:
        raise Refuse("too-few-voxels", f"image: {count} voxels, at least {FEWEST_VOXELS} are needed")
    return struct.unpack_from(f"<{count}h", data, HEADER_BYTES)


def compute(cuda, number, voxels):
    """Have one device compute, and compare."""
    device = cuda.number("cuDeviceGet", number)
    context = c_void_p(cuda.number("cuDevicePrimaryCtxRetain", device, kind=c_void_p))
    with cuda.afterwards("cuDevicePrimaryCtxRelease_v2", device):
        cuda.call("cuCtxSetCurrent", context)
        module = load(cuda)
        with cuda.afterwards("cuModuleUnload", module):
            numbers, words = on_device(cuda, module, voxels)
    name, uuid = ctypes.create_string_buffer(100), (c_ubyte * 16)()
    cuda.call("cuDeviceGetName", name, 100, device)
    cuda.call("cuDeviceGetUuid", byref(uuid), device)
    major, minor = (
        cuda.number("cuDeviceGetAttribute", which, device) for which in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR)
    )
    return Device(
        name=name.value.decode(errors="replace"),
        uuid=bytes(uuid).hex(),
        compute_capability=major + minor / 10,
        vram_mib=float(cuda.number("cuDeviceTotalMem_v2", device, kind=c_size_t) // 2**20),
        max_error=max(
            abs(place(got) - place(exact))
            for got, exact in zip(numbers, expected_numbers(voxels), strict=True)
        ),
        mismatches=sum(got != exact for got, exact in zip(words, expected_words(voxels), strict=True)),
    )


def load(cuda):
    """Have the driver compile the kernels; what its compiler says is in the error."""
    module, log = c_void_p(), ctypes.create_string_buffer(_JIT_LOG)
    options = (c_int * 2)(_LOG_BUFFER, _LOG_BYTES)
    values = (c_void_p * 2)(ctypes.addressof(log), _JIT_LOG)
    cuda.call("cuModuleLoadDataEx", byref(module), PTX, 2, options, values, more=log)
    return module


def on_device(cuda, module, voxels):
    """Run both kernels and fetch what they wrote."""
    count = len(voxels)
    given, wanted, words = (
        (c_float * count)(*voxels),
        (c_float * count)(),
        (c_uint * count)(*first_words(voxels)),
    )
    with memory(cuda, given) as x, memory(cuda, wanted) as y, memory(cuda, words) as w:
        cuda.call("cuMemcpyHtoD_v2", x, given, ctypes.sizeof(given))
        cuda.call("cuMemcpyHtoD_v2", w, words, ctypes.sizeof(words))
        launch(cuda, module, b"affine", [y, x, c_float(FACTOR), c_float(OFFSET), c_uint(count)], count)
        launch(cuda, module, b"scramble", [w, c_uint(ROUNDS), c_uint(count)], count)
        cuda.call("cuCtxSynchronize")
        cuda.call("cuMemcpyDtoH_v2", wanted, y, ctypes.sizeof(wanted))
        cuda.call("cuMemcpyDtoH_v2", words, w, ctypes.sizeof(words))
    return list(wanted), list(words)


@contextmanager
def memory(cuda, like):
    """Memory of the device, as much as ``like`` takes, for the time of a block."""
    pointer = c_uint64(cuda.number("cuMemAlloc_v2", ctypes.sizeof(like), kind=c_uint64))
    with cuda.afterwards("cuMemFree_v2", pointer):
        yield pointer


def launch(cuda, module, name, arguments, count):
    """Start a kernel with one thread per element."""
    function = c_void_p(cuda.number("cuModuleGetFunction", module, name, kind=c_void_p))
    places = (c_void_p * len(arguments))(*[ctypes.addressof(one) for one in arguments])
    blocks = (count + BLOCK - 1) // BLOCK
    cuda.call("cuLaunchKernel", function, blocks, 1, 1, BLOCK, 1, 1, 0, None, places, None)


def first_words(voxels):
    """A word for each voxel that is never 0, where xorshift would stay."""
    return [((value & 0xFFFF) << 16 | index & 0xFFFF) or 1 for index, value in enumerate(voxels)]


def expected_numbers(voxels):
    """``x * FACTOR + OFFSET`` rounded once to single precision.

    A product of 16 and 24 bits plus an offset has fewer than 53 bits, so it is exact in double precision.
    """
    return struct.unpack(
        f"<{len(voxels)}f", struct.pack(f"<{len(voxels)}f", *[x * FACTOR + OFFSET for x in voxels])
    )


def place(value):
    """Where a single-precision number stands among all of them: neighbours differ by 1."""
    (bits,) = struct.unpack("<i", struct.pack("<f", value))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def expected_words(voxels):
    """What the scramble makes of each word."""
    words = []
    for first in first_words(voxels):
        word = first
        for _ in range(ROUNDS):
            word ^= word << 13 & 0xFFFFFFFF
            word ^= word >> 17
            word ^= word << 5 & 0xFFFFFFFF
        words.append(word)
    return words
