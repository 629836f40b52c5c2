"""What a later edit of a protocol changes, field by field, and which criteria it bears on. Pure.

A field is named by its path; metrics and criteria by their id, so that their order says nothing.
"""

from collections.abc import Iterable, Iterator, Mapping

from host.validation.protocol import Protocol
from registry.canonical import canonical_json
from registry.plans import FieldChange

# What every criterion is judged by, whichever metric it looks at.
_OF_ALL = frozenset({"multiplicity", "seed", "resamples", "level", "sides", "clusters"})


def changes(before: Protocol, after: Protocol) -> tuple[FieldChange, ...]:
    """Every field that differs between two protocols, in the order of its path; empty where they say the same."""
    old, new = dict(_fields(_document(before))), dict(_fields(_document(after)))
    return tuple(
        FieldChange(field=path, before=old.get(path), after=new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    )


def _document(protocol: Protocol) -> Mapping[str, object]:
    document = protocol.model_dump(mode="json")
    for name in ("metrics", "criteria"):
        document[name] = {one.pop("id"): one for one in document[name]}
    return document


def _fields(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _fields(item, f"{path}.{name}" if path else str(name))
    else:
        yield path, canonical_json(value).decode()


def bears_on(changed: Iterable[FieldChange], protocol: Protocol) -> tuple[str, ...]:
    """The criteria of a protocol whose verdict a change may have moved, in the protocol's order.

    It changes the criterion itself, the metric it looks at, or what all criteria are judged by; the wording of the plan
    as a whole bears on none.
    """
    named = [one.field.split(".") for one in changed]
    everything = any(path[0] in _OF_ALL for path in named)
    criteria = {path[1] for path in named if path[0] == "criteria"}
    metrics = {path[1] for path in named if path[0] == "metrics"}
    return tuple(
        one.id for one in protocol.criteria if everything or one.id in criteria or one.metric in metrics
    )
