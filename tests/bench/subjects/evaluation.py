"""What the evaluation of a whole kit costs: 200 cases scored one after another, or on all CPUs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from host.machine import this_machine
from host.side_by_side import side_by_side
from host.validation.protocol import Protocol
from host.validation.rows import CaseRow
from tests.bench.benchmark import (
    Benchmark,
    CannotRunError,
    Experiment,
    Goal,
    Subject,
    Subjects,
    WrongAnswerError,
)
from tests.bench.subjects.metrics import LESION_RULE, MASK_SET
from tests.support.nifti_files import write_nifti
from tests.support.plans import make_criterion, make_metric, make_plan
from tests.support.scored_cases import make_case, score_one

CASES = 200
SHAPE = (128, 128, 96)
FILES = 4  # distinct images; each stands for a fiftieth of the kit
_UNITS = {"volume_difference_ml": "mL", "relative_volume_difference_percent": "%"}


def full_plan() -> Protocol:
    """Every figure of masks and lesions, on one label."""
    metrics = [
        make_metric(
            "masks",
            id=f"figure_{number}",
            function=function,
            parameters=parameters,
            unit=_UNITS.get(function, "mm" if function.endswith("_mm") else "1"),
            failed_case_counts_as="not met",
        )
        for number, (function, parameters) in enumerate(MASK_SET)
    ]
    metrics.append(make_metric("lesions", parameters=LESION_RULE))
    return make_plan([make_criterion("every_case", "figure_0")], metrics=metrics)


def write_images(folder: Path, number: int) -> None:
    """A large and forty small balls; predicted ones lie a little aside."""
    draw = np.random.RandomState(number)
    at = np.stack(np.meshgrid(*(np.arange(size) for size in SHAPE), indexing="ij"), axis=-1)
    masks = np.zeros((2, *SHAPE), np.uint8)
    for radius in (24.0, *draw.uniform(2, 5, 40)):
        centre = draw.uniform(radius + 2, np.array(SHAPE) - radius - 2)
        for mask, moved in zip(masks, (0.0, draw.uniform(-1, 1, 3)), strict=True):
            mask[((at - centre - moved) ** 2).sum(axis=-1) < radius**2] = 1
    for name, mask in zip(("reference", "answer"), masks, strict=True):
        write_nifti(folder / f"{name}-{number}.nii.gz", mask)


@contextmanager
def _subjects(folder: Path) -> Iterator[Subjects]:
    if this_machine().cpus < 2:
        raise CannotRunError("this process may use one CPU only")
    for number in range(FILES):
        write_images(folder, number)
    plan = full_plan()

    def row(number: int) -> CaseRow:
        of = number % FILES
        return score_one(
            plan,
            case=make_case(case_id=f"case-{number}"),
            outputs={"mask": folder / f"answer-{of}.nii.gz"},
            references={"mask": folder / f"reference-{of}.nii.gz"},
        )

    expected = [row(number).values for number in range(FILES)]

    def check(turn: int, answer: object) -> None:
        assert isinstance(answer, list)
        for number, found in enumerate(answer):
            if found.values != expected[number % FILES]:
                raise WrongAnswerError(f"case {number} has other figures side by side than alone")

    yield {
        "side by side": Subject(lambda turn: list(side_by_side(row, range(CASES))), cases=CASES, check=check),
        "one after another": Subject(
            lambda turn: [row(number) for number in range(CASES)], cases=CASES, check=check
        ),
    }


EXPERIMENT = Experiment(
    "evaluation",
    (
        Benchmark(
            "evaluation-200-cases",
            f"{len(MASK_SET) + 1} metrics of {CASES} cases of {' × '.join(str(size) for size in SHAPE)} voxels, on all "
            "CPUs against one after another",
            "side by side",
            "one after another",
            Goal(1.3, at_least=True),
            speed=True,
        ),
    ),
    _subjects,
    turns=3,
)
