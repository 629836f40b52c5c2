"""A registry's home as files that a diff can show: its log, its checkpoints, its blobs, and no key.

``python -m tests.support.stored_home FOLDER`` stores a home as the present version writes it. What an earlier version
stored stays as it is, for good: what was signed then has to verify for ever.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from host.engines.interface import ContainerSpec
from host.errors import EngineDiedError
from host.home import Home, now
from host.kits.data import data_folder
from registry import home, keys
from registry.canonical import digest
from registry.checkpoint import open_checkpoint
from registry.database import Database
from registry.esignature import Signing, compose
from registry.keys import Signer, generate
from registry.log import Log
from registry.record import Record
from registry.registry import Registry
from registry.statements import SignatureMeaning, ValidationReport
from registry.trust_root import Role
from tests.support.memory_engine import Ending, raising, tiny_adapter
from tests.support.registry_builders import seeded
from tests.support.tiny_host import ROLES, TinyHost, tiny_host

LOG, DESCRIPTION, BLOBS, CASES = "log.json", "registry.json", "blobs", "cases"


def node() -> Signer:
    """The node of every `TinyHost`, whose key is not worth keeping secret, nor worth a scanner's alarm."""
    return generate(seeded("tiny"))


def store(host: TinyHost, folder: Path) -> None:
    """Write a home to a new folder."""
    folder.mkdir()
    registry = host.registry
    entries = [{"logged_at": one.logged_at, "envelope": one.envelope.decode()} for one in registry.log.rows()]
    document = {"entries": entries, "notes": registry.log.notes()}
    (folder / LOG).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    shutil.copyfile(host.home.path / home.DESCRIPTION, folder / DESCRIPTION)
    shutil.copytree(data_folder(host.home, host.kit), folder / CASES / host.kit.kit_digest[7:])
    (folder / BLOBS).mkdir()
    for path in sorted((host.home.path / "blobs").rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            (folder / BLOBS / digest(data)[7:]).write_bytes(data)


def restore(stored: Path, folder: Path) -> tuple[Home, Registry]:
    """Make a home of what was stored, in a new folder."""
    folder.mkdir()
    (folder / "keys").mkdir()
    shutil.copyfile(stored / DESCRIPTION, folder / DESCRIPTION)
    keys.save_private(folder / home.NODE_KEY, node(), None)
    shutil.copytree(stored / CASES, folder / "kits")
    document = json.loads((stored / LOG).read_text())
    times = [datetime.fromisoformat(one["logged_at"]) for one in document["entries"]]
    Database.create(folder / home.DATABASE)
    log = Log(
        Database.open(folder / home.DATABASE),
        origin=json.loads((stored / DESCRIPTION).read_text())["origin"],
        node=node(),
        keys={one.public.keyid: one.public for one in (node(), *(generate(seeded(name)) for name in ROLES))},
        clock=lambda: times[log.size] if log.size < len(times) else times[-1],
    )
    for one in document["entries"]:
        log.append(one["envelope"].encode())
    for note in document["notes"]:
        log.keep_checkpoint(open_checkpoint(note.encode(), origin=log.origin, key=node().public), note)
    registry = Registry.open(folder, now)
    for path in (stored / BLOBS).iterdir():
        assert registry.blobs.put_bytes(path.read_bytes()).digest[7:] == path.name
    return Home(folder, folder / "cache"), registry


@contextmanager
def a_history() -> Iterator[TinyHost]:
    """An attempt that never ended, one that is not met, compared warm and signed twice, and one that is met."""
    with TemporaryDirectory() as scratch:
        host = tiny_host(Path(scratch), mode="serve")
        host.engine.container = raising(EngineDiedError("gone"))
        with pytest.raises(EngineDiedError):
            host.validate()

        def late(spec: ContainerSpec) -> Ending:
            case = json.loads((spec.inputs / "request.json").read_text())["case_id"]
            return Ending(137, timed_out=True) if case == "cube-2" else tiny_adapter(spec)

        host.engine.container = late
        record = host.validate(warm=True).record
        sign(host, "ada", record, "authorship")
        sign(host, "quentin", record, "review")
        host.engine.container = tiny_adapter
        sign(host, "quentin", host.validate().record, "approval")
        yield host


def sign(host: TinyHost, person: str, record: Record, meaning: SignatureMeaning) -> None:
    """An e-signature on a report, bound to the page that was shown."""
    page = record.statement.read(ValidationReport).report_html.digest
    shown = Signing(target=record.digest, meaning=meaning, reason="read in full", rendering=page)
    role = Role(ROLES[person][0])
    signature = compose(host.registry.root.person(person), role, shown, at=now())
    host.registry.act(signature, host.keys[person], [("report", record.digest)])


if __name__ == "__main__":
    with a_history() as made:
        store(made, Path(sys.argv[1]))
