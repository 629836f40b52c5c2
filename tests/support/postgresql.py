"""A PostgreSQL server of the tests' own: Debian's programs, a folder that goes away, one socket, no network.

``initdb`` and the server refuse to run as root, so root runs them as Debian's user ``postgres``.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
ADMIN, OWNER, APPLICATION = "test_admin", "assay_owner", "assay_app"
START_LIMIT_S = 60
STOP_LIMIT_S = 30
NEEDED_BYTES = 400_000_000


def installed() -> bool:
    """Whether this machine has the server; ``.ci/test-tools`` installs it."""
    return (PROGRAMS / "initdb").exists()


@dataclass
class PrivateServer:
    """A running server."""

    folder: Path
    made: int = field(default=0)

    def url(self, role: str, database: str = "postgres") -> str:
        """How a role reaches a database."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as superuser, outside any transaction."""
        with closing(psycopg.connect(self.url("postgres", database), autocommit=True)) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """The name of an empty database, set up as ``registry/README.md`` says."""
        self.made += 1
        return self._create(f"assay_{self.made}")

    def _create(self, name: str) -> str:
        self.run(f"CREATE DATABASE {name} OWNER {OWNER} ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0")
        return name

    def restore(self, name: str, copy: Path) -> None:
        """Put a copy in the place of a database, as ``registry/README.md`` says."""
        self.drop(name)
        self._create(name)
        command = ["pg_restore", "--exit-on-error", f"--dbname={self.url('postgres', name)}", str(copy)]
        subprocess.run(command, check=True, capture_output=True)

    def drop(self, name: str) -> None:
        """Remove a database and end who is in it."""
        self.run(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def private_server() -> Iterator[PrivateServer]:
    """Start a server in a new folder, with the three roles; stop it by its process and remove the folder."""
    # Short: the path of a socket has to fit into 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="assay-pg-", dir=_fastest()))
    user = _hand_over(folder)
    try:
        data = folder / "data"
        quiet = [*user, str(PROGRAMS / "initdb"), f"--pgdata={data}", "--username=postgres", "--auth=trust"]
        subprocess.run([*quiet, "--encoding=UTF8", "--locale=C"], check=True, capture_output=True)
        command = [str(PROGRAMS / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*user, *command], stdout=log, stderr=log)
        try:
            server = PrivateServer(folder)
            _wait_for(server, process)
            server.run(f"CREATE ROLE {OWNER} NOLOGIN")
            server.run(f"CREATE ROLE {APPLICATION} LOGIN")
            server.run(f"CREATE ROLE {ADMIN} LOGIN")
            server.run(f"GRANT {OWNER} TO {ADMIN}")
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            process.wait(STOP_LIMIT_S)
    finally:
        shutil.rmtree(folder)


def _fastest() -> str | None:
    """Memory where there is enough: the server syncs as it would on a disk, and each test waits for that."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > NEEDED_BYTES:
        return str(memory)
    return None


def _hand_over(folder: Path) -> list[str]:
    """Give the folder to who runs the server; the words that run a program as them, in its own process."""
    if os.geteuid() != 0:
        return []
    entry = pwd.getpwnam("postgres")
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--"]


def _wait_for(server: PrivateServer, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_LIMIT_S
    while True:
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((server.folder / "log").read_text()) from None
            time.sleep(0.1)
        else:
            return
