"""What the log costs beside the plainest thing that would do: rows into SQLite, and SHA-256 over the same bytes.

Entries are signed refusals of about 1.2 kB. "Raw" writes the very rows that the log writes (bodies, index, tree) into
the same tables with the same keys, all made beforehand and without guards: it hashes, verifies and checks nothing.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from registry import dsse, entries, merkle
from registry.canonical import digest
from registry.checkpoint import Checkpoint
from registry.database import Database
from registry.keys import PublicKey, Signer, generate
from registry.log import Log
from registry.record import Record, leaf_data, read_record
from registry.statements import PAYLOAD_TYPE, Refusal, make_statement
from registry.tree import StoredTree, completed_by
from registry.tree_check import check_tree
from registry.trust_root import Role
from tests.bench.benchmark import Benchmark, Experiment, Goal, Subject, Subjects, WrongAnswerError

ONE_BY_ONE, IN_A_BATCH, LARGE, NEW, PROVEN = 200, 2_000, 1_000_000, 10_000, 20
TIME = "2026-11-25T08:00:00+00:00"
ORIGIN = "assay.example/log/bench"
TABLES = {"entries": 6, "subjects": 2, "nodes": 2}
DUE_S = 0.05

APPEND = Benchmark(
    "log-append",
    f"{ONE_BY_ONE} signed records appended one by one (signature verified, hashed, indexed, guards on, a commit each, "
    "synchronous=FULL), against raw sqlite3 inserts of the same rows, a commit each",
    "append",
    "raw",
    Goal(0.8, at_least=True),
    speed=True,
)
BATCH = Benchmark(
    "log-batch-write",
    f"{IN_A_BATCH} records, their signatures verified before, written in one transaction (hashed, indexed, guards on), "
    "against raw sqlite3 inserts of the same rows in one",
    "write",
    "raw",
    Goal(0.6, at_least=True),
    speed=True,
)
BATCH_VERIFIED = Benchmark(
    "log-batch-append",
    f"the same with the {IN_A_BATCH} signatures verified and statements parsed in it (`Log.append_many`)",
    "append_many",
    "raw",
    speed=True,
)
VERIFY = Benchmark(
    "log-verify-tree",
    f"a log of {LARGE} entries checked from its file (each body, leaf and node hashed and compared; signatures are not "
    "part of it), against hashlib over as many bodies, leaves and nodes in memory",
    "check_tree",
    "hashlib",
    Goal(1.5),
)
VERIFY_NEW = Benchmark(
    "log-verify-new",
    f"the last {NEW} of {LARGE} entries checked from the checkpoint before them, against checking all; the goal is "
    "twice their share",
    "check_new",
    "check_tree",
    Goal(2 * NEW / LARGE),
)
INCLUSION = Benchmark(
    "log-inclusion",
    f"an inclusion proof from a log of {LARGE} entries, the record read and its signature verified, against 50 ms",
    "inclusion",
    "50 ms",
    Goal(1),
)
NODE: Signer = generate(lambda length: bytes(range(length)))
KEYS: dict[str, PublicKey] = {NODE.public.keyid: NODE.public}
Rows = list[tuple[str, tuple[object, ...]]]


def refusal(number: int) -> bytes:
    """A signed envelope that no other number has."""
    predicate = Refusal(
        actor="bench",
        role=Role.LOG,
        at=TIME,
        reason="the rules forbid it",
        attempted="run-started",
        attempted_by=None,
        subject_id=f"{number}",
        error="bench",
        message="nothing was refused: this record is for timing",
    )
    statement = make_statement(predicate, [(f"refusal-{number}", digest(b"%d" % number))])
    return dsse.sign(statement, PAYLOAD_TYPE, [NODE])


def new_log(path: Path) -> Log:
    """A log in a new file."""
    return Log(
        Database.create(path), origin=ORIGIN, node=NODE, keys=KEYS, clock=lambda: datetime.fromisoformat(TIME)
    )


@dataclass
class _Turn:
    """What one subject writes in one turn, and where."""

    path: Path
    envelopes: list[bytes]
    log: Log = field(init=False)
    records: list[Record] = field(init=False)
    rows: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.log = new_log(self.path)
        self.records = [read_record(number, TIME, one, KEYS) for number, one in enumerate(self.envelopes)]
        self.rows = []

    def make_raw(self) -> None:
        """Take the guards away, and learn the rows from a log beside it."""
        model = new_log(self.path.with_suffix(".model"))
        model.append_many(self.envelopes)
        with closing(sqlite3.connect(self.path.with_suffix(".model"))) as connection:
            for table, columns in TABLES.items():
                statement = f"INSERT INTO {table} VALUES ({','.join('?' * columns)})"
                rows = connection.execute(f"SELECT * FROM {table}").fetchall()
                self.rows += [(statement, row) for row in rows]
        with closing(sqlite3.connect(self.path)) as connection:
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall():
                connection.execute(f"DROP TRIGGER {name}")

    def size(self) -> int:
        """How many entries the file holds."""
        with closing(sqlite3.connect(self.path)) as connection:
            return int(connection.execute("SELECT count(*) FROM entries").fetchone()[0])


def _raw(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def insert_each(turn: _Turn) -> None:
    """The rows of each entry in a transaction of their own."""
    by_entry: dict[object, Rows] = {}
    for statement, row in turn.rows:
        by_entry.setdefault(row[0], []).append((statement, row))
    with closing(_raw(turn.path)) as connection:
        for rows in by_entry.values():
            connection.execute("BEGIN IMMEDIATE")
            for statement, row in rows:
                connection.execute(statement, row)
            connection.execute("COMMIT")


def insert_all(turn: _Turn) -> None:
    """All rows in one transaction, each table's at once."""
    by_table: dict[str, list[tuple[object, ...]]] = {}
    for statement, row in turn.rows:
        by_table.setdefault(statement, []).append(row)
    with closing(_raw(turn.path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement, rows in by_table.items():
            connection.executemany(statement, rows)
        connection.execute("COMMIT")


def append_each(turn: _Turn) -> None:
    """Append one by one to a file that stays open, as a host does that runs a batch."""
    with turn.log.database.kept_open():
        for one in turn.envelopes:
            turn.log.append(one)


def append_all(turn: _Turn) -> None:
    """Verify and append all in one transaction."""
    turn.log.append_many(turn.envelopes)


def write_all(turn: _Turn) -> None:
    """Write verified records in one transaction."""
    with turn.log.database.transaction() as session:
        entries.store(session, turn.records, merkle.Frontier())


def _writers(folder: Path, count: int, runs: Mapping[str, Callable[[_Turn], None]]) -> Subjects:
    held: dict[str, _Turn] = {}

    def subject(name: str, run: Callable[[_Turn], None]) -> Subject:
        def prepare(turn: int) -> None:
            envelopes = [refusal(turn * count + number) for number in range(count)]
            held[name] = _Turn(folder / f"{name}-{turn}.db", envelopes)
            if name == "raw":
                held[name].make_raw()

        def check(turn: int, _: object) -> None:
            if held[name].size() != count:
                raise WrongAnswerError(f"turn {turn}: {held[name].size()} entries, not {count}")

        return Subject(lambda _: run(held[name]), count, prepare, check)

    return {name: subject(name, run) for name, run in runs.items()}


@contextmanager
def append_subjects(folder: Path) -> Iterator[Subjects]:
    """Entries one by one, through the log and without it."""
    yield _writers(folder, ONE_BY_ONE, {"append": append_each, "raw": insert_each})


@contextmanager
def batch_subjects(folder: Path) -> Iterator[Subjects]:
    """The same entries in one transaction."""
    runs = {"write": write_all, "append_many": append_all, "raw": insert_all}
    yield _writers(folder, IN_A_BATCH, runs)


@dataclass(frozen=True)
class _Large:
    """A large log; only the records that are proven are real, the others are bodies of their size."""

    log: Log
    leaves: list[bytes]
    body: bytes
    names: dict[int, str]

    def checkpoint(self, size: int) -> Checkpoint:
        """What the log would sign at a size."""
        with self.log.database.reading() as session:
            return Checkpoint(origin=ORIGIN, size=size, root=StoredTree(session).root(size))


def _fill(path: Path) -> _Large:
    log = new_log(path)
    body, frontier, leaves = refusal(LARGE), merkle.Frontier(), list[bytes]()
    real = {place: refusal(place) for place in range(LARGE // PROVEN // 2, LARGE, LARGE // PROVEN)}
    names: dict[int, str] = {}
    with closing(_raw(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for place in range(LARGE):
            stored = real.get(place) or b"%012d" % place + body[12:]
            payload = digest(dsse.unverified_payload(stored) if place in real else b"%d" % place)
            if place in real:
                names[place] = payload
            leaves.append(leaf_data(place, TIME, payload, digest(stored)))
            leaf = merkle.leaf_hash(leaves[-1])
            row = (place, TIME, payload, Refusal.predicate_type, stored, leaf)
            connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", row)
            if completed := completed_by(frontier, leaf):
                connection.execute("INSERT INTO nodes VALUES (?, ?)", (place, completed))
        connection.execute("COMMIT")
    return _Large(log, leaves, body, names)


def hash_all(leaves: Sequence[bytes], body: bytes) -> bytes:
    """Hash a body for each leaf, the leaves and the nodes, and nothing else; the root."""
    one, level = hashlib.sha256, list[bytes]()
    for leaf in leaves:
        one(body).hexdigest()
        level.append(one(b"\x00" + leaf).digest())
    while len(level) > 1:
        lone = level[len(level) & ~1 :]
        pairs = zip(level[0::2], level[1::2], strict=False)
        level = [one(b"\x01" + left + right).digest() for left, right in pairs] + lone
    return level[0]


@contextmanager
def large_subjects(folder: Path) -> Iterator[Subjects]:
    """One log of a million entries: checked, checked in part, and proven from."""
    large = _fill(folder / "large.db")
    database, whole, earlier = large.log.database, large.checkpoint(LARGE), large.checkpoint(LARGE - NEW)

    def sound(turn: int, answer: object) -> None:
        if answer not in ([], whole.root):
            raise WrongAnswerError(f"turn {turn}: {answer!r}")

    def proven(turn: int, answer: object) -> None:
        for place, proof in zip(large.names, answer, strict=True):  # type: ignore[call-overload]  # of `prove`
            leaf = merkle.leaf_hash(large.leaves[place])
            merkle.verify_inclusion(leaf, place, LARGE, proof=proof.hashes, root=whole.root)

    def prove(turn: int) -> object:
        # A log of its own each turn, so that no signature was verified before.
        log = Log(database, origin=ORIGIN, node=NODE, keys=KEYS, clock=lambda: datetime.fromisoformat(TIME))
        return [log.inclusion(name) for name in large.names.values()]

    yield {
        "check_tree": Subject(lambda turn: list(check_tree(database, [whole])), check=sound),
        "check_new": Subject(lambda turn: list(check_tree(database, [whole], since=earlier)), check=sound),
        "hashlib": Subject(lambda turn: hash_all(large.leaves, large.body), check=sound),
        "inclusion": Subject(prove, PROVEN, check=proven),
        "50 ms": Subject(lambda turn: time.sleep(DUE_S)),
    }


EXPERIMENTS = (
    Experiment("log-append", (APPEND,), append_subjects, turns=7),
    Experiment("log-batch", (BATCH, BATCH_VERIFIED), batch_subjects, turns=5),
    Experiment("log-large", (VERIFY, VERIFY_NEW, INCLUSION), large_subjects, turns=3),
)
