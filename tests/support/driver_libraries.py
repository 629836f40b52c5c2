"""Stand-ins for libcuda and libnvidia-ml as shared libraries, for what loads them by name. Needs a C compiler."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

_CUDA = """
#include <string.h>
#include <stdlib.h>
typedef int CUdevice;
int cuInit(unsigned f)
{ const char *a = getenv("STAND_IN_CUINIT"); if (a && a[0] == 'x') abort(); return a ? atoi(a) : 0; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGet(CUdevice *d, int i) { *d = i; return 0; }
int cuDeviceGetUuid_v2(unsigned char *u, CUdevice d) { for (int i = 0; i < 16; i++) u[i] = 0xaa; return 0; }
int cuDeviceGetName(char *s, int n, CUdevice d) { strncpy(s, "Stand-in GPU", n); return 0; }
int cuDeviceTotalMem_v2(size_t *m, CUdevice d) { *m = 1UL << 33; return 0; }
int cuDeviceGetAttribute(int *v, int a, CUdevice d) { *v = a == 75 ? 8 : a == 76 ? 6 : -1; return 0; }
"""
# The kernels of plugins/gpu-probe by their names; STAND_IN_FAULT makes one element of each wrong.
_KERNELS = """
#include <math.h>
#include <stdint.h>
#include <stdio.h>
int cuDriverGetVersion(int *v) { *v = 12040; return 0; }
int cuGetErrorString(int e, const char **s) { static char t[40]; sprintf(t, "stand-in error %d", e); *s = t; return 0; }
int cuDeviceGetUuid(unsigned char *u, CUdevice d) { return cuDeviceGetUuid_v2(u, d); }
int cuDevicePrimaryCtxRetain(void **c, CUdevice d) { *c = (void *)0x7100000000; return 0; }
int cuDevicePrimaryCtxRelease_v2(CUdevice d) { return 0; }
int cuCtxSetCurrent(void *c) { return c == (void *)0x7100000000 ? 0 : 201; }
int cuCtxSynchronize(void) { return 0; }
int cuModuleLoadDataEx(void **m, const char *ptx, unsigned n, int *options, void **values)
{
    if (getenv("STAND_IN_PTX_ERROR")) { strcpy(values[0], "ptxas error: no such target"); return 218; }
    *m = (void *)0x7200000000; return strncmp(ptx, ".version", 8) || options[0] != 5 || options[1] != 6;
}
int cuModuleUnload(void *m) { return m != (void *)0x7200000000; }
int cuModuleGetFunction(void **f, void *m, const char *name)
{ *f = (void *)strdup(name); return m != (void *)0x7200000000; }
int cuMemAlloc_v2(uint64_t *p, size_t n) { *p = (uint64_t)(uintptr_t)malloc(n); return 0; }
int cuMemFree_v2(uint64_t p) { free((void *)(uintptr_t)p); return 0; }
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t n) { memcpy((void *)(uintptr_t)to, from, n); return 0; }
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t n) { memcpy(to, (void *)(uintptr_t)from, n); return 0; }
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **p, void **extra)
{
    unsigned threads = gx * bx;
    if (gy * gz * by * bz != 1 || shared || stream || extra) return 1;
    if (!strcmp(f, "affine")) {
        float *y = (float *)(uintptr_t)*(uint64_t *)p[0], *x = (float *)(uintptr_t)*(uint64_t *)p[1];
        for (unsigned i = 0; i < threads && i < *(unsigned *)p[4]; i++)
            y[i] = fmaf(x[i], *(float *)p[2], *(float *)p[3]);
        if (getenv("STAND_IN_FAULT")) y[7] = nextafterf(y[7], 1e9f);
        return 0;
    }
    uint32_t *w = (uint32_t *)(uintptr_t)*(uint64_t *)p[0];
    for (unsigned i = 0; i < threads && i < *(unsigned *)p[2]; i++)
        for (unsigned r = *(unsigned *)p[1]; r; r--) { w[i] ^= w[i] << 13; w[i] ^= w[i] >> 17; w[i] ^= w[i] << 5; }
    if (getenv("STAND_IN_FAULT")) w[7] ^= 1;
    return strcmp(f, "scramble");
}
"""
_NVML = """
#include <string.h>
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlSystemGetDriverVersion(char *s, unsigned n) { strncpy(s, "550.54.15", n); return 0; }
int nvmlDeviceGetCount_v2(unsigned *n) { *n = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **h) { *h = (void *)(0x7000000000UL + i); return 0; }
int nvmlDeviceGetUUID(void *h, char *s, unsigned n)
{ strncpy(s, (unsigned long)h & 1 ? "GPU-one" : "GPU-zero", n); return 0; }
int nvmlDeviceGetName(void *h, char *s, unsigned n) { strncpy(s, "Stand-in GPU", n); return 0; }
int nvmlDeviceGetCudaComputeCapability(void *h, int *a, int *b) { *a = 7; *b = 5; return 0; }
int nvmlDeviceGetMemoryInfo(void *h, unsigned long long *m) { m[0] = 1ULL << 34; m[1] = m[2] = 0; return 0; }
"""


def require_no_driver() -> None:
    """Skip what shows how a process ends that finds no driver, on a machine that has one."""
    for name in ("libcuda.so.1", "libnvidia-ml.so.1"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        pytest.skip(f"this machine has {name}: what happens without it cannot be tried here")


def build_drivers(folder: Path, *names: str) -> Path:
    """Compile the named stand-ins (``cuda``, ``nvml``) into a folder for ``LD_LIBRARY_PATH``."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) to build the stand-in driver libraries with")
    for name, source in (("cuda", _CUDA + _KERNELS), ("nvml", _NVML)):
        if name in names:
            library = {"cuda": "libcuda.so.1", "nvml": "libnvidia-ml.so.1"}[name]
            command = [compiler, "-shared", "-fPIC", "-o", str(folder / library), "-xc", "-", "-lm"]
            subprocess.run(command, input=source, text=True, check=True)
    return folder
