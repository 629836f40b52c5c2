"""Schema 2: the hashes of the log's complete subtrees, computed from the leaves as they are stored."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from registry.merkle import Frontier
from registry.tree import completed_by

revision, down_revision = "2", None

_ROWS = 4096
_ENTRIES = sa.table("entries", sa.column("sequence", sa.Integer), sa.column("leaf_hash", sa.LargeBinary))


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
