"""``assay kit sample-size``: how many subjects a criterion needs, with the sentence for the protocol."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import JsonFlag, show

if TYPE_CHECKING:
    from host.statistics.sample_size import AucVariance, SampleSize

app = typer.Typer(
    help="How many subjects a criterion needs, under assumptions that you state.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Each answer ends with a sentence for sample_size_basis in protocol.toml.",
)

LevelOption = Annotated[float, typer.Option("--level", help="Coverage of the two-sided interval.")]
PowerOption = Annotated[
    float, typer.Option("--power", help="Chance to meet the criterion if the assumption is true.")
]
_EXAMPLE = "Example: assay kit sample-size"


@app.command(epilog=f"{_EXAMPLE} proportion --expected 0.9 --goal 0.8   (or --half-width 0.05)")
def proportion(
    expected: Annotated[float, typer.Option("--expected", help="Proportion that is assumed, 0 to 1.")],
    goal: Annotated[float | None, typer.Option("--goal", help="The lower bound must lie above this.")] = None,
    half_width: Annotated[
        float | None, typer.Option("--half-width", help="Or: the interval reaches no further than this.")
    ] = None,
    level: LevelOption = 0.95,
    power: PowerOption = 0.8,
    json: JsonFlag = False,
) -> None:
    """For a proportion such as sensitivity: Wilson's interval."""
    from host.statistics import sample_size

    _one_of("--goal", goal, "--half-width", half_width)
    with _stated("proportion"):
        if goal is not None:
            found = sample_size.for_proportion_goal(expected, goal, level=level, power=power)
            aim = f"the lower end of Wilson's {_percent(level)} interval lies above {goal:g}"
        else:
            found = sample_size.for_proportion_width(expected, half_width or 0.0, level=level)
            aim = f"half of Wilson's {_percent(level)} interval is no wider than {half_width:g}"
    _show(found, f"a proportion of {expected:g}", aim, json)


@app.command(epilog=f"{_EXAMPLE} mean --sd 12 --half-width 3")
def mean(
    sd: Annotated[float, typer.Option("--sd", help="SD between subjects that is assumed.")],
    half_width: Annotated[float, typer.Option("--half-width", help="The interval reaches no further.")],
    level: LevelOption = 0.95,
    json: JsonFlag = False,
) -> None:
    """For a mean such as a bias: Student's interval."""
    from host.statistics import sample_size

    with _stated("mean"):
        found = sample_size.for_mean_width(sd, half_width, level=level)
    aim = f"half of Student's {_percent(level)} interval is no wider than {half_width:g}"
    _show(found, f"an SD of {sd:g}", aim, json)


@app.command(epilog=f"{_EXAMPLE} equivalence --sd 12 --margin 5 --difference 1")
def equivalence(
    sd: Annotated[float, typer.Option("--sd", help="SD of the differences, one per subject.")],
    margin: Annotated[
        float, typer.Option("--margin", help="The interval must lie inside -margin to margin.")
    ],
    difference: Annotated[float, typer.Option("--difference", help="True difference that is assumed.")] = 0.0,
    alpha: Annotated[
        float, typer.Option("--alpha", help="Of each one-sided test: 0.05 is a 90 % interval.")
    ] = 0.05,
    power: PowerOption = 0.8,
    json: JsonFlag = False,
) -> None:
    """For equivalence of a mean difference: two one-sided t tests."""
    from host.statistics import sample_size

    with _stated("equivalence"):
        found = sample_size.for_equivalence(sd, margin, difference=difference, alpha=alpha, power=power)
    aim = (
        f"the {_percent(1 - 2 * alpha)} interval of the mean difference lies inside {-margin:g} to {margin:g}"
    )
    _show(found, f"an SD of {sd:g} and a true difference of {difference:g}", aim, json)


@app.command(epilog=f"{_EXAMPLE} limits --sd 4 --margin 12 --bias 1   (or --half-width 0.34)")
def limits(
    sd: Annotated[float | None, typer.Option("--sd", help="SD of the differences that is assumed.")] = None,
    margin: Annotated[
        float | None, typer.Option("--margin", help="Both limits must lie inside -margin to margin.")
    ] = None,
    bias: Annotated[float, typer.Option("--bias", help="Bias that is assumed.")] = 0.0,
    half_width: Annotated[
        float | None,
        typer.Option("--half-width", help="Or: each limit's interval reaches no further outwards, in SDs."),
    ] = None,
    level: LevelOption = 0.95,
    power: PowerOption = 0.8,
    json: JsonFlag = False,
) -> None:
    """For limits of agreement: their exact intervals."""
    from host.statistics import sample_size

    _one_of("--margin (with --sd)", margin, "--half-width", half_width)
    with _stated("limits"):
        if margin is not None:
            if sd is None:
                raise typer.BadParameter("--margin needs --sd")
            found = sample_size.for_limits_within(sd, margin, bias=bias, level=level, power=power)
            aim = f"both limits of agreement with their {_percent(level)} bounds lie inside {-margin:g} to {margin:g}"
            _show(found, f"an SD of {sd:g} and a bias of {bias:g}", aim, json)
            return
        found = sample_size.for_limits_width(half_width or 0.0, level=level)
    aim = f"the {_percent(level)} interval of a limit reaches no more than {half_width:g} SD outwards"
    _show(found, "normal differences", aim, json)


@app.command(epilog=f"{_EXAMPLE} wcv --expected 0.08 --claim 0.10")
def wcv(
    expected: Annotated[float, typer.Option("--expected", help="wCV that is assumed; 0.1 is 10 %.")],
    claim: Annotated[float, typer.Option("--claim", help="The upper bound must not exceed this.")],
    level: LevelOption = 0.90,
    power: Annotated[
        float | None,
        typer.Option(
            "--power", help="Without it, the bound holds at the assumed wCV itself, one time in two."
        ),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """For repeatability, every subject measured twice: the upper bound of the wCV."""
    from host.statistics import sample_size

    with _stated("wcv"):
        found = sample_size.for_wcv(expected, claim, level=level, power=power)
    aim = f"the upper end of the {_percent(level)} interval of the wCV does not exceed {claim:g}"
    _show(found, f"a wCV of {expected:g} measured twice per subject", aim, json)


@app.command(epilog=f"{_EXAMPLE} auc --expected 0.9 --goal 0.8 --negatives-per-positive 3")
def auc(
    expected: Annotated[float, typer.Option("--expected", help="Area that is assumed, above 0.5.")],
    goal: Annotated[float, typer.Option("--goal", help="The lower bound must lie above this.")],
    negatives_per_positive: Annotated[
        float,
        typer.Option("--negatives-per-positive", help="Subjects without the condition per one with it."),
    ] = 1.0,
    variance: Annotated[
        str, typer.Option("--variance", help="hanley_mcneil (continuous scores) or obuchowski (few levels).")
    ] = "hanley_mcneil",
    level: LevelOption = 0.95,
    power: PowerOption = 0.8,
    json: JsonFlag = False,
) -> None:
    """For an area under the ROC curve: its lower bound above a goal."""
    from typing import get_args

    from host.statistics import sample_size

    if variance not in get_args(sample_size.AucVariance):
        raise typer.BadParameter(f"--variance: one of {', '.join(get_args(sample_size.AucVariance))}")
    chosen: AucVariance = "obuchowski" if variance == "obuchowski" else "hanley_mcneil"
    with _stated("auc"):
        found = sample_size.for_auc_goal(
            expected,
            goal,
            negatives_per_positive=negatives_per_positive,
            variance=chosen,
            level=level,
            power=power,
        )
    aim = f"the lower end of the {_percent(level)} interval of the area lies above {goal:g}"
    _show(found, f"an area of {expected:g}", aim, json)


@contextmanager
def _stated(verb: str) -> Iterator[None]:
    """Turn assumptions that contradict each other into one line for the operator."""
    from host.errors import DesignError

    try:
        yield
    except ValueError as error:
        raise DesignError(str(error), hint=f"assay kit sample-size {verb} --help") from error


def _one_of(first: str, one: float | None, second: str, other: float | None) -> None:
    if (one is None) == (other is None):
        raise typer.BadParameter(f"give either {first} or {second}")


def _percent(level: float) -> str:
    return f"{100 * level:g} %"


def _show(found: "SampleSize", assumed: str, aim: str, as_json: bool) -> None:
    if found.subjects is None:
        number = basis = f"For {assumed}, no number of subjects up to a million makes it so that {aim}."
    else:
        number = f"{found.subjects} subjects"
        if found.negatives is not None:
            number = f"{found.subjects} subjects with the condition and {found.negatives} without"
        chance = "" if found.what != "power" else f" with power {found.reached:.3f}"
        basis = f"For {assumed}, {number} are needed so that {aim}{chance} ({found.method})."
    reached = None if math.isnan(found.reached) else found.reached
    show(
        {**vars(found), "reached": reached, "basis": basis},
        [number, f"  {found.what}: {found.reached:.4g}", f"  method: {found.method}", f"  basis: {basis}"]
        if found.subjects is not None
        else [basis],
        as_json=as_json,
    )
