"""What a protocol says beside a metric's name, held against what the metric declares."""

import math
from collections.abc import Mapping

from host.errors import MetricParameterError
from plugin_spec.host_hooks import MetricParameter, MetricRegistration, ParameterValue


def complete(metric: MetricRegistration, given: Mapping[str, ParameterValue]) -> dict[str, ParameterValue]:
    """Every declared parameter of a metric: as given, or by default.

    Parameters
    ----------
    metric : MetricRegistration
    given : mapping of str to float, int or str
        As a protocol has them; a whole number may stand for a real one.

    Returns
    -------
    dict
        What the metric's function is called with, in the declared order.

    Raises
    ------
    MetricParameterError
        A name that is not declared, a value that is not allowed, or a missing one that has no default.
    """
    declared = {parameter.name: parameter for parameter in metric.parameters}
    if unknown := sorted(set(given) - set(declared)):
        raise MetricParameterError(
            f"{metric.name} has no parameter {', '.join(unknown)}",
            subject=metric.name,
            hint=f"it has: {', '.join(declared) or 'none'}",
        )
    return {name: _value(metric.name, one, given.get(name)) for name, one in declared.items()}


def _value(metric: str, parameter: MetricParameter, given: ParameterValue | None) -> ParameterValue:
    value = parameter.default if given is None else given
    if value is None:
        raise MetricParameterError(
            f"{metric}: {parameter.name} is not given, and has no default",
            subject=metric,
            hint=f"{parameter.name}: {_allowed(parameter)}",
        )
    for choice in parameter.choices:
        if type(choice) is type(value) and choice == value:
            return choice
    if not parameter.choices and isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and parameter.minimum <= number <= parameter.maximum:
            return number
    raise MetricParameterError(
        f"{metric}: {parameter.name} is {value!r}",
        subject=metric,
        hint=f"{parameter.name}: {_allowed(parameter)}",
    )


def _allowed(parameter: MetricParameter) -> str:
    if parameter.choices:
        return f"one of {', '.join(str(one) for one in parameter.choices)}"
    if math.isinf(parameter.maximum):
        return f"a number, {parameter.minimum:g} or more"
    return f"a number from {parameter.minimum:g} to {parameter.maximum:g}"
