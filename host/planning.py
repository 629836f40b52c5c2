"""What a run will be, decided before anything is started: parameters and limits. Pure."""

from collections.abc import Mapping

from host.engines.interface import Limits
from host.errors import ParameterError, PortError
from plugin_spec.case import Scalar
from plugin_spec.manifest import Manifest
from plugin_spec.ports import BoolParameter, EnumParameter, FloatParameter, IntParameter, Parameter
from plugin_spec.resources import MIB

LOG_BYTES = 4 * MIB
OUTPUT_FILES = 1000


def check_ports(manifest: Manifest, given: Mapping[str, int]) -> None:
    """Refuse inputs that were not declared, and name those that are missing or too many.

    Parameters
    ----------
    manifest : Manifest
    given : mapping of str to int
        How many files were given for each port.
    """
    declared = {port.name for port in manifest.inputs}
    extra = sorted(set(given) - declared)
    if extra:
        raise PortError(
            f"{manifest.id} declares no input {extra[0]!r}",
            subject=extra[0],
            hint=f"inputs: {', '.join(sorted(declared))}",
        )
    for port in sorted(manifest.inputs, key=lambda one: one.name):
        count = given.get(port.name, 0)
        if port.at_least and not count:
            raise PortError(
                f"{manifest.id} needs the input {port.name!r}",
                subject=port.name,
                hint=f"--input {port.name}=FILE",
            )
        if count and not port.at_least <= count <= port.at_most:
            takes = (
                f"{port.at_least} to {port.at_most}" if port.at_least < port.at_most else f"{port.at_most}"
            )
            raise PortError(
                f"the input {port.name!r} takes {takes} {'files' if port.at_most > 1 else 'file'}, {count} were given",
                subject=port.name,
                hint=f"give --input {port.name}=FILE once per file",
            )


def complete_parameters(manifest: Manifest, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Fill in defaults and refuse what the manifest does not allow.

    Raises
    ------
    ParameterError
        Unknown name, wrong type or out of bounds.
    """
    declared = {parameter.name: parameter for parameter in manifest.parameters}
    for name, value in given.items():
        if name not in declared:
            raise ParameterError(
                f"{manifest.id} has no parameter {name!r}",
                subject=name,
                hint=f"known: {', '.join(declared) or 'none'}",
            )
        if not declared[name].accepts(value):
            raise ParameterError(
                f"parameter {name}: {value!r} is not allowed; {allowed(declared[name])}", subject=name
            )
    return {name: given.get(name, parameter.default) for name, parameter in declared.items()}


def allowed(parameter: Parameter) -> str:
    """What a manifest allows of a parameter, in words."""
    if isinstance(parameter, (IntParameter, FloatParameter)):
        return f"allowed: {parameter.kind}, {parameter.minimum} to {parameter.maximum}"
    if isinstance(parameter, BoolParameter):
        return "allowed: true, false"
    if isinstance(parameter, EnumParameter):
        return f"allowed: {', '.join(parameter.values)}"
    return f"allowed: text that matches {parameter.pattern}"


def plan_limits(manifest: Manifest, input_bytes: int) -> Limits:
    """Turn declared resources into the limits of one container.

    Parameters
    ----------
    manifest : Manifest
    input_bytes : int
        Uncompressed size of the case's inputs; memory grows with it as the manifest says.
    """
    need = manifest.resources
    memory_mib = need.memory_mib + need.memory_per_input_mib * input_bytes / MIB
    return Limits(
        cpus=need.cpus,
        memory_bytes=int(memory_mib * MIB),
        shm_bytes=need.shm_mib * MIB,
        scratch_bytes=need.scratch_mib * MIB,
        pids=need.pids,
        output_bytes=need.output_mib * MIB,
        output_files=OUTPUT_FILES,
        log_bytes=LOG_BYTES,
        timeout_s=float(need.case_timeout_s),
    )
