"""What an input costs before a container sees it: copied and hashed once, then read."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel
import numpy as np

from host.cases.nifti import read_volume
from host.staging import MAX_INPUT_BYTES, RunFolder, copy_hashed
from plugin_spec.resources import MIB
from tests.bench.benchmark import (
    Benchmark,
    CannotRunError,
    Experiment,
    Goal,
    Subject,
    Subjects,
    WrongAnswerError,
)

FILE_BYTES = 256 * MIB
# A T1-weighted scan of 1 mm: anatomy is smooth, noise is not, and both are compressed.
SHAPE = (192, 224, 192)
MEMORY = Path("/dev/shm")  # the disk is not what is compared

HASHING = Benchmark(
    "input-hashing",
    "staging a 256 MiB input (copied and hashed in one pass), against `openssl dgst -sha256` of it",
    "staging",
    "openssl",
    Goal(0.95, at_least=True),
    speed=True,
)
LOADING = Benchmark(
    "nifti-gz-loading",
    "reading a `.nii.gz` of 192 × 224 × 192 int16 voxels, every voxel checked, against nibabel",
    "read_volume",
    "nibabel",
    Goal(2, at_least=True),
    speed=True,
)


@contextmanager
def hashing_subjects(folder: Path) -> Iterator[Subjects]:
    """Stage a file, and hash the same file with openssl."""
    if shutil.which("openssl") is None:
        raise CannotRunError("no openssl here")
    work = MEMORY / f"assay-bench-{os.getpid()}"
    work.mkdir(mode=0o700)
    block = np.random.default_rng(20261124).bytes(FILE_BYTES)
    source = work / "scan.nii"
    source.write_bytes(block)

    def differ(turn: int) -> None:
        """Give the turn a content of its own, at every turn's start."""
        with source.open("r+b") as stream:
            stream.write(turn.to_bytes(8, "big"))

    def stage(turn: int) -> str:
        target = RunFolder.create(work / f"run-{turn}").inputs / "scan.nii"
        return copy_hashed("scan", source, target, bytes_max=MAX_INPUT_BYTES).digest

    def openssl(turn: int) -> str:
        line = ["openssl", "dgst", "-sha256", "-r", str(source)]
        done = subprocess.run(line, capture_output=True, text=True, check=True)
        return f"sha256:{done.stdout.split()[0]}"

    def check(turn: int, answer: object) -> None:
        shutil.rmtree(work / f"run-{turn}", ignore_errors=True)
        expected = hashlib.sha256(turn.to_bytes(8, "big") + block[8:]).hexdigest()
        if answer != f"sha256:{expected}":
            raise WrongAnswerError(f"turn {turn}: the digest is {answer}")

    try:
        yield {
            "staging": Subject(stage, prepare=differ, check=check),
            "openssl": Subject(openssl, prepare=differ, check=check),
        }
    finally:
        shutil.rmtree(work)


@contextmanager
def loading_subjects(folder: Path) -> Iterator[Subjects]:
    """Read one scan per turn both ways."""
    draw = np.random.default_rng(20261124)
    grid = np.stack(np.meshgrid(*(np.linspace(0, 1, size) for size in SHAPE), indexing="ij"))
    anatomy = 600 * (np.sin(9 * grid[0]) * np.cos(7 * grid[1]) * np.sin(8 * grid[2]) + 1)

    def path(turn: int) -> Path:
        return folder / f"scan-{turn}.nii.gz"

    def draw_scan(turn: int) -> None:
        if not path(turn).exists():
            data = (anatomy + draw.normal(0, 12, SHAPE)).clip(0).astype(np.int16)
            nibabel.save(nibabel.Nifti1Image(data, np.eye(4)), path(turn))  # type: ignore[no-untyped-call]  # nibabel

    def ours(turn: int) -> tuple[int, ...]:
        data = read_volume(path(turn)).data
        return (*data.shape, int(data[100, 100, 100]))

    def theirs(turn: int) -> tuple[int, ...]:
        data = np.asanyarray(nibabel.load(path(turn)).dataobj)  # type: ignore[attr-defined]  # nibabel
        return (*data.shape, int(data[100, 100, 100]))

    answers: dict[int, object] = {}

    def same(turn: int, answer: object) -> None:
        if answers.setdefault(turn, answer) != answer:
            raise WrongAnswerError(f"turn {turn}: {answer}, the other says {answers[turn]}")

    yield {
        "read_volume": Subject(ours, prepare=draw_scan, check=same),
        "nibabel": Subject(theirs, prepare=draw_scan, check=same),
    }


EXPERIMENTS = (
    Experiment("input-hashing", (HASHING,), hashing_subjects, turns=9),
    Experiment("nifti-loading", (LOADING,), loading_subjects, turns=7),
)
