"""Scores: a value inside its range, with its interval exactly where one is declared."""

from host.content.documents import read_as
from host.errors import OutputMalformedError, OutputRangeError
from plugin_spec.documents import ScoreDocument
from plugin_spec.ports import ScorePort


def check_score(port: ScorePort, data: bytes) -> ScoreDocument:
    """Check a score file; the limits of the interval keep the value's range, for they are such values."""
    document = read_as(ScoreDocument, port.name, data)
    given = document.lower is not None
    if given != (port.interval != "none"):
        said = "none is declared" if given else f"a {port.interval} interval is declared: lower and upper"
        raise OutputMalformedError(f"port {port.name}: interval: {said}", subject=port.name)
    for name in ("value", "lower", "upper"):
        number = getattr(document, name)
        if number is not None and not port.minimum <= number <= port.maximum:
            raise OutputRangeError(
                f"port {port.name}: {name} is {number:g} {port.unit}; "
                f"{port.minimum:g} to {port.maximum:g} is declared",
                subject=port.name,
            )
    return document
