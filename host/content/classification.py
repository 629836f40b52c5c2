"""Classifications: a declared class, and probabilities that agree with it."""

import math
from typing import Final

from host.content.documents import read_as
from host.content.wording import first_of
from host.errors import OutputContradictionError, OutputLabelsError, OutputMalformedError
from plugin_spec.documents import ClassificationDocument
from plugin_spec.ports import ClassificationPort

# Per class: a tool that writes six decimals is off by half of this in each.
SUM_TOLERANCE_PER_CLASS: Final = 1e-6


def check_classification(port: ClassificationPort, data: bytes) -> ClassificationDocument:
    """Check a classification file.

    Probabilities stand exactly where the port declares them, one per class, and sum to 1 within
    `SUM_TOLERANCE_PER_CLASS` times the number of classes. The call is what the operating point says of them; without
    one it has the highest of them (or one of the highest).
    """
    document = read_as(ClassificationDocument, port.name, data)
    classes = {one.name for one in port.classes}
    if document.label not in classes:
        raise OutputLabelsError(
            f"port {port.name}: the class {document.label!r} is not declared", subject=port.name
        )
    if (document.probabilities is not None) != port.probabilities:
        wanted = "a probability per class is declared" if port.probabilities else "none is declared"
        raise OutputMalformedError(f"port {port.name}: probabilities: {wanted}", subject=port.name)
    if document.probabilities is not None:
        _check_probabilities(port, document.label, document.probabilities, classes)
    return document


def _check_probabilities(
    port: ClassificationPort, label: str, given: dict[str, float], classes: set[str]
) -> None:
    if set(given) != classes:
        wrong = sorted(set(given) ^ classes)
        raise OutputLabelsError(
            f"port {port.name}: probabilities lack or add the classes {first_of(wrong)}", subject=port.name
        )
    total = math.fsum(given.values())
    if abs(total - 1.0) > SUM_TOLERANCE_PER_CLASS * len(classes):
        raise OutputContradictionError(
            f"port {port.name}: the probabilities sum to {total:.9g}, not to 1", subject=port.name
        )
    point = port.operating_point
    if point is not None:
        reached = given[point.positive] >= point.threshold
        if (label == point.positive) != reached:
            raise OutputContradictionError(
                f"port {port.name}: the call is {label}, but {point.positive} has the probability "
                f"{given[point.positive]:g} and is called from {point.threshold:g} on",
                subject=port.name,
            )
    elif given[label] < max(given.values()):
        raise OutputContradictionError(
            f"port {port.name}: the call is {label} at {given[label]:g}, but "
            f"{max(given, key=given.__getitem__)} has {max(given.values()):g}",
            subject=port.name,
        )
