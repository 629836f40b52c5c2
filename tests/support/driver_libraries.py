"""Stand-ins for libcuda and libnvidia-ml as shared libraries, for what loads them by name. Needs a C compiler."""

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


def build_drivers(folder: Path, *names: str) -> Path:
    """Compile the named stand-ins (``cuda``, ``nvml``) into a folder for ``LD_LIBRARY_PATH``."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) to build the stand-in driver libraries with")
    for name, source in (("cuda", _CUDA), ("nvml", _NVML)):
        if name in names:
            library = {"cuda": "libcuda.so.1", "nvml": "libnvidia-ml.so.1"}[name]
            command = [compiler, "-shared", "-fPIC", "-o", str(folder / library), "-xc", "-"]
            subprocess.run(command, input=source, text=True, check=True)
    return folder
