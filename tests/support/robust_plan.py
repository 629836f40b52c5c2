"""The tiny kit's protocol with perturbations, runs once more and a locked release; and a plugin that bears them."""

import json
from collections.abc import Callable

from host.engines.interface import ContainerSpec
from tests.support.memory_engine import Ending, tiny_adapter

FIRST_VOXEL = 352
VOLUME_METRIC = """
[[metrics]]
id = "{id}"
kind = "numbers"
function = "relative_difference_percent"
port = "volumes"
column = "bright_ml"
unit = "%"
against = "{against}"
definition = "100 (measured - earlier)/earlier of the volume."
failed_case_counts_as = "not met"
"""
OVERLAP_METRIC = """
[[metrics]]
id = "{id}"
kind = "masks"
function = "dice"
port = "mask"
label = "bright"
reference_value = 1
unit = "1"
against = "{against}"
definition = "Dice of the two masks."
failed_case_counts_as = 0.0
"""
SAMENESS_METRIC = """
[[metrics]]
id = "same_{id}"
kind = "sameness"
sameness = "{id}"
unit = "1"
definition = "1 where the answer was the same again."
failed_case_counts_as = "not met"
"""
CRITERION = """
[[criteria]]
id = "{id}"
requirement = "R"
metric = "{metric}"
statistic = "every_case"
comparator = "{comparator}"
bound = {bound}
scope = "{scope}"
min_cases = 1
rationale = "For tests."
"""
PERTURBATIONS = {
    "noise_2": 'kind = "noise"\nlevel = 2.0\nunit = "%"\nreference_intensity = 200.0\nwithin = "nonzero"\n'
    'distribution = "rician"\nseed = 4',
    "turned": 'kind = "rotation"\nlevel = 180.0\nunit = "deg"\naxis = "z"',
    "fine": 'kind = "resampling"\nlevel = 5.0\nunit = "mm"',
}


def criterion(metric: str, *, scope: str = "overall", comparator: str = ">=", bound: float = 1.0) -> str:
    name = f"{metric}_{scope.removeprefix('each:')}"
    return CRITERION.format(id=name, metric=metric, scope=scope, comparator=comparator, bound=bound)


def perturbation(name: str, cases: str = '"all"') -> str:
    return f'\n[[perturbations]]\nid = "{name}"\ninputs = ["scan"]\ncases = {cases}\n{PERTURBATIONS[name]}\n'


def sameness(name: str, kind: str, **more: object) -> str:
    """A declared comparison, its metric, and a criterion on it."""
    fields = "".join(f"{field} = {json.dumps(value)}\n" for field, value in more.items())
    declared = f'\n[[sameness]]\nid = "{name}"\nkind = "{kind}"\n{fields}'
    return declared + SAMENESS_METRIC.format(id=name) + criterion(f"same_{name}")


def planned(*parts: str) -> Callable[[str], str]:
    """The tiny protocol in its second version, with these parts."""
    return lambda text: text.replace("assay.protocol/1", "assay.protocol/2") + "".join(parts)


ROBUST = (
    perturbation("noise_2"),
    perturbation("turned", '["cube-3"]'),
    perturbation("fine"),
    VOLUME_METRIC.format(id="shift", against="unperturbed"),
    OVERLAP_METRIC.format(id="overlap_shift", against="unperturbed"),
    criterion("dice_bright", scope="each:perturbation"),
    criterion("ended_as_expected", scope="each:perturbation"),
    criterion("shift", comparator="abs<=", bound=2.0),
    criterion("overlap_shift", scope="each:perturbation"),
)
JUDGED = """
[[criteria]]
id = "{statistic}_of_{metric}"
requirement = "R"
metric = "{metric}"
statistic = "{statistic}"
judged = "{judged}"
comparator = "{comparator}"
bound = {bound}
scope = "overall"
min_cases = 1
rationale = "For tests."
{options}"""
EQUIVALENT = (
    VOLUME_METRIC.format(id="delta", against="locked_release"),
    JUDGED.format(
        statistic="bias", metric="delta", judged="estimate", comparator="abs<=", bound=0.5, options=""
    ),
    JUDGED.format(
        statistic="rc_between", metric="delta", judged="estimate", comparator="<=", bound=1.0, options=""
    ),
    JUDGED.format(
        statistic="change_bias",
        metric="delta",
        judged="estimate",
        comparator="abs<=",
        bound=0.4,
        options='options = {visit = "size"}\n',
    ),
)
LOCKED = (
    VOLUME_METRIC.format(id="delta", against="locked_release"),
    OVERLAP_METRIC.format(id="overlap_delta", against="locked_release"),
    criterion("delta", comparator="abs<=", bound=1.0),
    criterion("overlap_delta"),
)


def bearing(behave: Callable[[ContainerSpec], Ending] = tiny_adapter) -> Callable[[ContainerSpec], Ending]:
    """A plugin that answers whatever stands in the first voxel, unless that says refuse."""

    def container(spec: ContainerSpec) -> Ending:
        scan = spec.inputs / "scan.nii"
        data = bytearray(scan.read_bytes())
        if data[FIRST_VOXEL] != 1:
            data[FIRST_VOXEL : FIRST_VOXEL + 2] = bytes(2)
            scan.chmod(0o600)
            scan.write_bytes(data)
        return behave(spec)

    return container


def case_of(spec: ContainerSpec) -> str:
    """Which case a container is for."""
    case: str = json.loads((spec.inputs / "request.json").read_text())["case_id"]
    return case
