"""What the figures of one pair of masks cost, beside surface-distance and beside counting with numpy."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import surface_distance

from host import extensions
from host.metrics.mask_pair import Mask, MaskPair
from host.metrics.overlap import dice
from host.metrics.parameters import complete
from plugin_spec.host_hooks import Observed, ParameterValue
from tests.bench.benchmark import Benchmark, Experiment, Goal, Subject, Subjects, WrongAnswerError

SHAPE = (256, 256, 160)
SPACING_MM = (1.0, 1.0, 1.2)
LESIONS = 60
LESION_RULE: Mapping[str, ParameterValue] = {
    "connectivity": 26,
    "matching": "any_overlap",
    "assignment": "many_to_many",
}
SURFELS: Mapping[str, ParameterValue] = {"surface": "surfels"}
TOLERANCES_MM = (1, 2, 3)
WHAT = {"organ": "one organ", "lesions": f"{LESIONS} lesions"}
FigureSet = tuple[tuple[str, Mapping[str, ParameterValue]], ...]
# Every figure of masks that a protocol can ask for, in every definition that it can ask for.
MASK_SET: FigureSet = (
    *((name, {}) for name in ("dice", "jaccard", "voxel_sensitivity", "voxel_precision")),
    *((name, {}) for name in ("volume_difference_ml", "relative_volume_difference_percent")),
    *((name, {}) for name in ("hd_mm", "hd95_mm", "hd95_pooled_mm", "hd95_surfels_mm", "assd_mm", "masd_mm")),
    *((name, SURFELS) for name in ("hd_mm", "assd_mm", "masd_mm")),
    *(("nsd", {"tolerance_mm": mm}) for mm in TOLERANCES_MM),
    *(("nsd", {"tolerance_mm": mm, **SURFELS}) for mm in TOLERANCES_MM),
)
# And of lesions, which surface-distance does not have.
LESION_SET = tuple((name, LESION_RULE) for name in ("lesion_f1", "lesion_sensitivity", "lesion_precision"))
Masks = tuple[Mask, Mask]
Figures = dict[str, float]


def organ(turn: int) -> Masks:
    """Half a litre, its surface moved by a voxel or two, differently at every turn."""
    i, j, k = (
        np.linspace(-1, 1, size, dtype=np.float32).reshape([-1 if axis == at else 1 for at in range(3)])
        for axis, size in enumerate(SHAPE)
    )
    level = (i / 0.47) ** 2 + (j / 0.39) ** 2 + (k / 0.56) ** 2
    wave = np.sin(17 * i + turn) * np.sin(19 * j + 2 * turn) + np.sin(13 * k + 3 * turn) * np.cos(11 * i)
    return level < 1 + 0.06 * wave, level < 1


def lesions(turn: int) -> Masks:
    """Sixty lesions of 2 to 6 voxels' radius: most found, some missed, some false, none quite right."""
    draw = np.random.RandomState(turn)
    predicted, reference = np.zeros((2, *SHAPE), bool)
    for number in range(LESIONS):
        centre = [draw.randint(12, size - 12) for size in SHAPE]
        radius = draw.uniform(2, 6)
        if number % 10 != 0:
            _draw_ball(reference, centre, radius)
        if number % 10 != 1:
            moved = [at + draw.randint(-1, 2) for at in centre]
            _draw_ball(predicted, moved, radius + draw.uniform(-1, 1))
    return predicted, reference


def _draw_ball(mask: Mask, centre: list[int], radius: float) -> None:
    i, j, k = np.ogrid[-8:9, -8:9, -8:9]
    box = tuple(slice(at - 8, at + 9) for at in centre)
    mask[box] |= i**2 + j**2 + k**2 < radius**2


def figures(masks: Masks, wanted: FigureSet) -> Figures:
    """What the evaluation of a case computes of one label, from its masks on."""
    pair = MaskPair.of(*masks, spacing_mm=SPACING_MM)
    found = {}
    for name, parameters in wanted:
        metric = extensions.metric(name)
        answer = metric.load()(pair, **complete(metric, parameters))
        key = " ".join([name, *(f"{one}" for one in parameters.values())])
        found[key] = answer.value if isinstance(answer, Observed) else answer
    return found


def peers_figures(masks: Masks) -> Figures:
    """What surface-distance has of it, under our names."""
    predicted, reference = masks
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that scipy has moved since
        found = surface_distance.compute_surface_distances(reference, predicted, SPACING_MM)
    from_reference, from_predicted = surface_distance.compute_average_surface_distance(found)
    shares = {
        f"nsd {mm} surfels": surface_distance.compute_surface_dice_at_tolerance(found, mm)
        for mm in TOLERANCES_MM
    }
    return {
        "dice": surface_distance.compute_dice_coefficient(reference, predicted),
        "hd_mm surfels": surface_distance.compute_robust_hausdorff(found, 100),
        "hd95_surfels_mm": surface_distance.compute_robust_hausdorff(found, 95),
        "masd_mm surfels": (from_reference + from_predicted) / 2,
        **shares,
    }


def numpys_dice(masks: Masks) -> Figures:
    """Dice by counting."""
    a, b = masks
    common, total = np.count_nonzero(a & b), np.count_nonzero(a) + np.count_nonzero(b)
    return {"dice": 2 * common / total}


def _experiment(thing: str, make: Callable[[int], Masks], wanted: FigureSet, goal: float) -> Experiment:
    sizes = " × ".join(str(size) for size in SHAPE)
    return Experiment(
        f"metrics-{thing}",
        (
            Benchmark(
                f"metrics-{thing}-full-set",
                f"{len(wanted)} figures of {WHAT[thing]} in {sizes} voxels, against the {len(TOLERANCES_MM) + 4} of "
                "surface-distance",
                "full set",
                "surface-distance",
                Goal(goal, at_least=True),
                speed=True,
            ),
            Benchmark(
                f"metrics-{thing}-dice",
                f"Dice of {WHAT[thing]}, from masks packed for every figure, against `np.count_nonzero` of both "
                "and of `a & b`",
                "dice",
                "numpy",
                Goal(1, at_least=True),
                speed=True,
            ),
        ),
        lambda folder: _subjects(make, wanted),
        turns=9,
    )


@contextmanager
def _subjects(make: Callable[[int], Masks], wanted: FigureSet) -> Iterator[Subjects]:
    held: dict[int, Masks] = {}
    answers: dict[tuple[int, str], float] = {}

    def prepare(turn: int) -> None:
        """Masks of the turn, the same for all subjects; those of the turn before are let go."""
        if turn not in held:
            held.clear()
            held[turn] = make(turn)

    def check(turn: int, answer: object) -> None:
        """A figure that two subjects give is the same figure."""
        assert isinstance(answer, dict)
        for name, value in answer.items():
            if not math.isclose(value, answers.setdefault((turn, name), value), rel_tol=1e-9):
                raise WrongAnswerError(f"turn {turn}: {name} is {value}, or {answers[turn, name]}")

    def subject(work: Callable[[Masks], Figures], times: int = 1) -> Subject:
        """What takes milliseconds is done several times a turn."""

        def run(turn: int) -> Figures:
            return [work(held[turn]) for _ in range(times)][-1]

        return Subject(run, cases=times, prepare=prepare, check=check)

    yield {
        "full set": subject(lambda masks: figures(masks, wanted)),
        "surface-distance": subject(peers_figures),
        "dice": subject(lambda masks: {"dice": dice(MaskPair.of(*masks, spacing_mm=SPACING_MM))}, 25),
        "numpy": subject(numpys_dice, 25),
    }


EXPERIMENTS = (
    _experiment("organ", organ, MASK_SET, goal=4),
    _experiment("lesions", lesions, (*MASK_SET, *LESION_SET), goal=15),
)
