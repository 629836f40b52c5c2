"""What a run may use: processor, memory, scratch, time, and GPU."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from plugin_spec.model import StrictModel

MIB = 1024 * 1024
GpuVersion = Annotated[str, StringConstraints(pattern=r"^\d{1,4}(\.\d{1,4}){0,2}$")]


class Gpu(StrictModel):
    """The GPU a plugin needs, checked against the device before a run.

    Attributes
    ----------
    count : int
        Number of devices.
    vram_mib : int
        Memory a device must have.
    driver_min : GpuVersion
        Lowest version of the driver.
    compute_capability_min, compute_capability_tested : str, tuple of str
        The lowest that is accepted, and those on which the author has run the plugin (NVIDIA: "8.6").
    cpu_fallback : str
        What may happen where no fitting device is: nothing (``no``), or a run without one whose results are the
        same or within the declared tolerances.
    shared : bool
        Whether other runs may use the device at the same time.
    """

    count: int = Field(ge=1, le=8)
    vendor: Literal["nvidia", "amd"] = "nvidia"
    vram_mib: int = Field(gt=0)
    compute_capability_min: GpuVersion
    compute_capability_tested: tuple[GpuVersion, ...] = ()
    driver_min: GpuVersion
    cpu_fallback: Literal["no", "same_results", "within_tolerance"]
    shared: bool = False


class Resources(StrictModel):
    """Limits the engine enforces.

    A warm container has ``start_timeout_s`` for its set-up and ``case_timeout_s`` for each case; in a fresh one
    ``case_timeout_s`` holds for both together.

    Attributes
    ----------
    cpus : float
        Processors, fractions allowed.
    memory_mib : int
        Memory limit, before what ``memory_per_input_mib`` adds.
    memory_per_input_mib : float
        Memory added for every MiB of uncompressed input.
    shm_mib : int
        Shared memory (/dev/shm), a part of the memory limit.
    scratch_mib : int
        Scratch space in memory, a part of the memory limit.
    output_mib : int
        Total size of all outputs.
    pids : int
        Processes and threads.
    start_timeout_s, case_timeout_s : int
        Time for a warm container's set-up, and for each case.
    gpu : Gpu or None
        The GPU it needs; none unless said.
    """

    cpus: float = Field(gt=0, le=64)
    memory_mib: int = Field(ge=32, le=1024 * 1024)
    memory_per_input_mib: float = Field(default=0.0, ge=0, le=100)
    shm_mib: int = Field(default=64, ge=0, le=65536)
    scratch_mib: int = Field(ge=1, le=1024 * 1024)
    output_mib: int = Field(ge=1, le=1024 * 1024)
    pids: int = Field(default=256, ge=4, le=32768)
    start_timeout_s: int = Field(default=120, ge=1, le=24 * 3600)
    case_timeout_s: int = Field(ge=1, le=7 * 24 * 3600)
    gpu: Gpu | None = None
