"""Bundles whose index, entries or files were changed on the way."""

import base64
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from registry.checkpoint import Checkpoint, parse_note, sign_checkpoint
from registry.statements import (
    Release,
)
from tests.support.bundle_forgery import Members, forge, forge_index, members_of, write_members
from tests.support.forged_records import CORPUS, Forger, Forgery, attack
from tests.support.insider import listed_anew, statement_of
from tests.support.registry_builders import World, digest_of

# ---- the index


def index_edit(name: str, code: str, change: Callable[[dict[str, Any]], object]) -> None:
    CORPUS[name] = Forgery(lambda world: forge_index(world.exported(), change), code)


def checkpoint_line(number: int, text: str) -> Callable[[dict[str, Any]], object]:
    def change(index: dict[str, Any]) -> None:
        lines = index["checkpoint"].split("\n")
        lines[number] = text
        index["checkpoint"] = "\n".join(lines)

    return change


def leaning(index: dict[str, Any]) -> None:
    for one in index["consistency"]:
        one["hashes"] = ["00" * 32 for _ in one["hashes"]]


def first_proof(index: dict[str, Any]) -> None:
    index["entries"][0]["inclusion"][0] = "ff" * 32


def moved(index: dict[str, Any]) -> None:
    index["entries"][2]["sequence"], index["entries"][3]["sequence"] = 3, 2


index_edit("index that names another lock", "lock-mismatch", lambda i: i.update(lock=digest_of("another")))
index_edit("bundle for another trial", "bundle-evidence", lambda i: i.update(trial="trial-2"))
index_edit(
    "bundle that claims another log", "checkpoint-mismatch", lambda i: i.update(origin="assay.example/log/x")
)
index_edit("unknown field in the index", "malformed-bundle", lambda i: i.update(trusted=True))
index_edit("another contract", "malformed-bundle", lambda i: i.update(contract="assay.bundle/0"))
index_edit("garbage inclusion proof", "bad-inclusion-proof", first_proof)
index_edit("no inclusion proof", "bad-inclusion-proof", lambda i: i["entries"][0].update(inclusion=[]))
index_edit("garbage consistency proof", "bad-consistency-proof", leaning)
index_edit("no consistency proof", "bad-consistency-proof", lambda i: i.update(consistency=[]))
index_edit("entry moved", "bad-inclusion-proof", moved)
index_edit(
    "time of an entry edited",
    "bad-inclusion-proof",
    lambda i: i["entries"][3].update(logged_at="2026-11-23T07:00:00+00:00"),
)
index_edit(
    "entries reordered",
    "bundle-content",
    lambda i: i.update(entries=[*i["entries"][:-2], *reversed(i["entries"][-2:])]),
)
index_edit("checkpoint of another size", "unsigned-checkpoint", checkpoint_line(1, "3"))
index_edit("unknown origin", "unknown-origin", checkpoint_line(0, "assay.example/log/nobody"))
index_edit("zero-size checkpoint", "malformed-checkpoint", checkpoint_line(1, "0"))
index_edit(
    "checkpoint without signature",
    "malformed-note",
    lambda i: i.update(checkpoint=i["checkpoint"].partition("\n\n")[0]),
)


@attack("duplicate key in the index", "malformed-json")
def _index_twice(world: World) -> Path:
    def change(members: Members) -> None:
        members["bundle.json"] = members["bundle.json"].replace(b'"trial":', b'"trial":"trial-2","trial":', 1)

    return forge(world.exported(), change)


@attack("checkpoint signed by somebody else", "unsigned-checkpoint")
def _unsigned(world: World) -> Path:
    def change(index: dict[str, Any]) -> None:
        size, root = index["checkpoint"].split("\n")[1:3]
        forged = Checkpoint(origin=index["origin"], size=int(size), root=base64.b64decode(root))
        index["checkpoint"] = sign_checkpoint(forged, world.keys["simone"]).decode()

    return forge_index(world.exported(), change)


@attack("broken cosignature", "bad-cosignature")
def _cosignature(world: World) -> Path:
    world.cosign()

    def change(index: dict[str, Any]) -> None:
        lines = index["checkpoint"].rstrip("\n").split("\n")
        assert len(parse_note(index["checkpoint"].encode()).signatures) == 2
        mark, name, sig = lines[-1].split(" ")
        broken = bytearray(base64.b64decode(sig))
        broken[-1] ^= 1
        lines[-1] = " ".join([mark, name, base64.b64encode(bytes(broken)).decode()])
        index["checkpoint"] = "\n".join(lines) + "\n"

    return forge_index(world.exported(), change)


# ---- records left out


def left_out(kind: str) -> Forger:
    def make(world: World) -> Path:
        def change(members: Members) -> None:
            index = json.loads(members["bundle.json"])
            kept = []
            for entry in index["entries"]:
                name = f"envelopes/{entry['payload'][7:]}.json"
                if f"attestation/{kind}/".encode() in statement_of(members[name]):
                    del members[name]
                else:
                    kept.append(entry)
            index["entries"] = kept
            listed_anew(members, index)

        return forge(world.exported(), change)

    return make


for _kind, _code in {
    "esignature": "lock-not-signed",
    "catalogue-decision": "bundle-evidence",
    "validation-started": "bundle-evidence",
    "validation-report": "bundle-evidence",
    "protocol": "bundle-evidence",
    "release": "bundle-evidence",
    "trust-root": "root-pin-mismatch",
    "trial-created": "bundle-evidence",
    "trial-lock": "lock-not-signed",
}.items():
    CORPUS[f"without any {_kind}"] = Forgery(left_out(_kind), _code)


@attack("without the first trust root", "root-version-skip")
def _without_first_root(world: World) -> Path:
    def change(members: Members) -> None:
        index = json.loads(members["bundle.json"])
        first = index["entries"].pop(0)
        del members[f"envelopes/{first['payload'][7:]}.json"]
        listed_anew(members, index)

    return forge(world.exported(), change)


# ---- files


def blob_of(members: Members) -> str:
    return max(name for name in members if name.startswith("blobs/") and members[name])


@attack("file changed", "bundle-content")
def _file_changed(world: World) -> Path:
    def change(members: Members) -> None:
        members[blob_of(members)] = b"other bytes"

    return forge(world.exported(), change)


@attack("file changed and listed so", "bundle-content")
def _file_relisted(world: World) -> Path:
    def change(members: Members) -> None:
        members[blob_of(members)] = b"other bytes"
        listed_anew(members, json.loads(members["bundle.json"]))

    return forge(world.exported(), change)


@attack("file left out and not listed", "bundle-content")
def _file_gone(world: World) -> Path:
    def change(members: Members) -> None:
        del members[blob_of(members)]
        listed_anew(members, json.loads(members["bundle.json"]))

    return forge(world.exported(), change)


@attack("image config left out", "bundle-content")
def _config_gone(world: World) -> Path:
    image = world.logged["release"].statement.read(Release).image

    def change(members: Members) -> None:
        del members[f"blobs/{image[7:]}"]
        listed_anew(members, json.loads(members["bundle.json"]))

    return forge(world.exported(), change)


def with_member(name: str, kind: int = stat.S_IFREG) -> Forger:
    def make(world: World) -> Path:
        path = world.exported()
        info = zipfile.ZipInfo(name)
        info.external_attr = (kind | 0o644) << 16
        return write_members(path.with_name("forged.zip"), members_of(path), [(info, b"evil")])

    return make


CORPUS["unlisted file"] = Forgery(with_member("blobs/" + "0" * 64), "bundle-content")
CORPUS["zip slip"] = Forgery(with_member("../../etc/passwd"), "unsafe-bundle-name")
CORPUS["absolute name"] = Forgery(with_member("/etc/passwd"), "unsafe-bundle-name")
CORPUS["symbolic link"] = Forgery(with_member("blobs/" + "0" * 64, stat.S_IFLNK), "unsafe-bundle-name")


@attack("zip bomb", "malformed-bundle")
def _bomb(world: World) -> Path:
    path = world.exported()
    members = members_of(path)
    with zipfile.ZipFile(path.with_name("bomb.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**members, "blobs/" + "0" * 64: bytes(50_000_000)}.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return path.with_name("bomb.zip")


@attack("cut off", "malformed-bundle")
def _cut(world: World) -> Path:
    path = world.exported()
    path.write_bytes(path.read_bytes()[:-40])
    return path


@attack("index left out", "malformed-bundle")
def _no_index(world: World) -> Path:
    return forge(world.exported(), lambda members: members.pop("bundle.json"))
