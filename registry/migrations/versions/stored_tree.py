"""Schema 2: the hashes of the log's complete subtrees, from the leaves as they are stored, and runs by their ids."""

import base64
import json
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from registry.merkle import Frontier
from registry.record import run_key
from registry.tree import completed_by

revision, down_revision = "2", None

_ROWS = 4096
_ENTRIES = sa.table("entries", sa.column("sequence", sa.Integer), sa.column("leaf_hash", sa.LargeBinary))
_BODIES = sa.table(
    "entries",
    sa.column("sequence", sa.Integer),
    sa.column("predicate_type", sa.String),
    sa.column("envelope", sa.LargeBinary),
)
_SUBJECTS = sa.table("subjects", sa.column("sequence", sa.Integer), sa.column("digest", sa.String))
_RUN_STARTED = "https://assay.example/attestation/run-started/v1"


def upgrade() -> None:
    """Make ``nodes`` and fill it."""
    nodes = op.create_table(
        "nodes",
        sa.Column(
            "sequence",
            sa.Integer,
            sa.ForeignKey("entries.sequence"),
            primary_key=True,
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
    )
    connection = op.get_bind()
    for rows in _completed(connection):
        connection.execute(sa.insert(nodes), rows)
    _file_runs(connection)


def _file_runs(connection: sa.Connection) -> None:
    """File the start of each run under its id; an envelope that cannot be read is the audit's to name."""
    query = sa.select(_BODIES.c.sequence, _BODIES.c.envelope)
    found = connection.execute(query.where(_BODIES.c.predicate_type == _RUN_STARTED)).all()
    rows = [
        {"sequence": one.sequence, "digest": run_key(run)} for one in found if (run := _run(one.envelope))
    ]
    if rows:
        connection.execute(sa.insert(_SUBJECTS), rows)


def _run(envelope: bytes) -> str:
    try:
        statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
        return str(statement["predicate"]["run"])
    except (ValueError, KeyError, TypeError):
        return ""


def _completed(connection: sa.Connection) -> Iterator[list[dict[str, object]]]:
    """Rows for the new table, some at a time; none from a gap on, which the audit names."""
    frontier = Frontier()
    while True:
        query = sa.select(_ENTRIES).where(_ENTRIES.c.sequence >= frontier.size)
        page = connection.execute(query.order_by(_ENTRIES.c.sequence).limit(_ROWS)).all()
        rows: list[dict[str, object]] = []
        for sequence, leaf in page:
            if sequence != frontier.size:
                break
            if completed := completed_by(frontier, leaf):
                rows.append({"sequence": sequence, "hashes": completed})
        if rows:
            yield rows
        if len(page) < _ROWS or sequence != frontier.size - 1:
            return
