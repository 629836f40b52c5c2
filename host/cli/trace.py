"""``assay trace``: from one number to everything it came from."""

from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, show

if TYPE_CHECKING:
    from registry.record import Record


def trace(
    run: Annotated[str, typer.Argument(help="The run's id.")],
    value: Annotated[str, typer.Argument(help="PORT.COLUMN, for example volumes.gm_ml.")],
    row: Annotated[int, typer.Option(help="Row of the measurements table.")] = 0,
    json: JsonFlag = False,
) -> None:
    """Follow a number to its scan, image, manifest, lock, report, signatures and log entries; check each link."""
    from host.errors import OptionError
    from registry.esignature import describe
    from registry.trace import trace as follow

    port, dot, column = value.partition(".")
    if not dot:
        raise OptionError(f"{value!r}: expected PORT.COLUMN", subject=value)
    _, registry = session.open_registry()
    found = follow(registry, run, port=port, column=column, row=row)
    started, release, lock, validation = found.started, found.release, found.lock, found.validation
    lines = [
        f"{found.value.port}.{found.value.column} = {found.value.value} {found.value.unit or ''}".rstrip(),
        f"run         {started.run}, {started.at}, {found.finished.outcome}",
        f"engine      {started.engine} {started.engine_version}",
        *[
            f"gpu         {one.uuid}  {one.model}, driver {one.driver}, compute capability {one.compute_capability}"
            for one in started.gpu_devices
        ],
        *([f"gpu         {started.gpu_fallback}"] if started.gpu_fallback else []),
        f"subject     {started.subject}, visit {started.visit}",
        *[f"scan        {one.digest}  ({one.name}, {one.bytes} bytes)" for one in started.inputs],
        f"image       {started.image}",
        f"manifest    {started.manifest}",
        *[f"weights     {one.digest}  ({one.name})" for one in started.weights],
        f"release     {started.release}  {release.plugin} {release.version}, submitted by {release.actor}",
    ]
    if lock is not None:
        lines.append(f"lock        {lock.digest}  {lock.lock.trial}, sequence {lock.lock.sequence}")
        lines += [f"  signed    {describe(one)}" for one in lock.signatures]
    if validation is not None:
        report, protocol = validation.report, validation.protocol
        lines.append(
            f"report      {report.report_json.digest}  verdict {report.verdict}, {report.evidence} evidence"
        )
        lines += [f"  signed    {describe(one)}" for one in validation.signatures]
        lines.append(f"protocol    {protocol.protocol_digest}  {protocol.kit} {protocol.version}")
    lines += [f"log entry   {one.sequence:>4}  {one.digest}  {_kind(one)}" for one in found.records]
    document = {
        "value": found.value,
        "started": started,
        "finished": found.finished,
        "release": release,
        "lock": lock.lock if lock else None,
        "report": validation.report if validation else None,
        "report_signatures": validation.signatures if validation else [],
        "protocol": validation.protocol if validation else None,
        "entries": [{"sequence": one.sequence, "digest": one.digest} for one in found.records],
        "checkpoint": found.checkpoint,
    }
    show(document, lines, as_json=json)


def _kind(record: "Record") -> str:
    """A record's type in one word: ``trial-lock``."""
    return record.statement.predicate_type.rpartition("/v")[0].rpartition("/")[2]
