"""Verifies a trial bundle from one pinned trust root, without a line of Assay's code.

A second reading of the published formats (DSSE, in-toto Statement v1, RFC 9162, C2SP checkpoints) and of the rules in
``registry/README.md``, on the standard library, securesystemslib for signatures on records and the ``openssl`` command
for signatures on checkpoints. ``test_bundle_corpus.py`` holds it against ``assay verify``.

    python tests/redteam/independent_verifier.py trial.bundle --pin sha256:…

prints what was found as JSON and ends with 0, or prints the first fault and ends with 1.
"""

import argparse
import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import SSlibKey

Json = dict[str, Any]
PREFIX, LOG_PREFIX = "https://assay.example/attestation/", "assay.example/log/"
# Who may sign which kind of record.
ROLES = {
    "trust-root/v1": {"root"},
    "release/v1": {"developer"},
    "protocol/v1": {"developer", "qa"},
    "protocol-deviation/v1": {"qa"},
    "validation-started/v1": {"developer", "qa"},
    "validation-report/v1": {"developer", "qa"},
    "esignature/v1": {"developer", "qa", "sponsor"},
    "catalogue-decision/v1": {"qa"},
    "release-suspended/v1": {"qa", "sponsor"},
    "release-reinstated/v1": {"qa"},
    "release-recalled/v1": {"qa", "sponsor"},
    "release-retired/v1": {"qa"},
    "trial-created/v1": {"sponsor"},
    "trial-lock/v1": {"sponsor"},
    "site-activated/v1": {"sponsor"},
}
REACH = {"demonstration": 0, "exploratory": 1, "endpoint": 2}
# How a SubjectPublicKeyInfo begins, before the raw key.
P256_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
ED25519_SPKI = bytes.fromhex("302a300506032b6570032100")
NAME = re.compile(r"bundle\.json|envelopes/[0-9a-f]{64}\.json|blobs/[0-9a-f]{64}")


class Refused(Exception):
    """Why the bundle is not to be trusted."""


def need(holds: object, why: str) -> None:
    if not holds:
        raise Refused(why)


@dataclass(frozen=True)
class Entry:
    """One record: where it stands, who signed it, and what it says."""

    sequence: int
    digest: str
    signers: frozenset[str]
    kind: str
    says: Json


def sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def strict_json(data: bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> Json:
        need(len({key for key, _ in pairs}) == len(pairs), "a JSON object has one key twice")
        return dict(pairs)

    def no_constant(name: str) -> None:
        raise Refused(f"{name} is not JSON")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON: {error}") from error


def members_of(path: Path) -> tuple[Json, dict[str, bytes]]:
    """The index and every member, each exactly as listed."""
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                kind = info.external_attr >> 16 & 0o170000
                need(
                    NAME.fullmatch(info.filename) and kind in {0, 0o100000}, f"unsafe name {info.filename!r}"
                )
                need(info.compress_type == 0 and not info.flag_bits & 1, f"{info.filename} is compressed")
            names = archive.namelist()
            need(len(set(names)) == len(names), "a file is there twice")
            need(sum(one.file_size for one in archive.infolist()) <= path.stat().st_size, "files overlap")
            members = {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise Refused(f"not a readable bundle: {error}") from error
    need("bundle.json" in members, "no bundle.json")
    index = strict_json(members["bundle.json"])
    known = {"contract", "kind", "trial", "lock", "origin", "checkpoint", "entries", "consistency", "files"}
    need(set(index) == known and index["contract"] == "assay.bundle/1", "an index of another kind")
    need(index["kind"] == "trial", "not the bundle of a trial")
    listed = {one["name"]: one for one in index["files"]}
    need(len(listed) == len(index["files"]), "a file is listed twice")
    need(set(listed) | {"bundle.json"} == set(members), "other files than listed")
    for name, one in listed.items():
        need(
            (sha256(members[name]), len(members[name])) == (one["digest"], one["bytes"]),
            f"{name}: other bytes",
        )
        need(not name.startswith("blobs/") or name == "blobs/" + one["digest"][7:], f"{name}: another digest")
    return index, members


def public_key(listed: Json) -> SSlibKey:
    raw = base64.b64decode(listed["public"], validate=True)
    if listed["algorithm"] == "ecdsa-p256":
        lines = base64.encodebytes(P256_SPKI + raw).decode()
        pem = f"-----BEGIN PUBLIC KEY-----\n{lines}-----END PUBLIC KEY-----\n"
        return SSlibKey(listed["keyid"], "ecdsa", "ecdsa-sha2-nistp256", {"public": pem})
    need(listed["algorithm"] == "ed25519", f"a key of algorithm {listed['algorithm']}")
    return SSlibKey(listed["keyid"], "ed25519", "ed25519", {"public": raw.hex()})


def opened(data: bytes, keys: dict[str, SSlibKey]) -> tuple[bytes, frozenset[str]]:
    """The payload and the ids of the known keys that signed it; a broken signature of a known key is a fault."""
    body = strict_json(data)
    need(set(body) == {"payload", "payloadType", "signatures"}, "not an envelope")
    need(all(set(one) == {"keyid", "sig"} for one in body["signatures"]), "not an envelope's signature")
    need(body["payloadType"] == "application/vnd.in-toto+json", f"a payload of type {body['payloadType']!r}")
    try:
        envelope = Envelope.from_dict(body)
    except (ValueError, KeyError) as error:
        raise Refused(f"not an envelope: {error}") from error
    signed = set()
    for keyid, signature in envelope.signatures.items():
        if keyid in keys:
            try:
                keys[keyid].verify_signature(signature, envelope.pae())
            except UnverifiedSignatureError as error:
                raise Refused(f"the signature of key {keyid[:12]} does not verify") from error
            signed.add(keyid)
    need(signed, "no known key signed")
    return envelope.payload, frozenset(signed)


def openssl_verifies(raw: bytes, signature: bytes, message: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (("key", ED25519_SPKI + raw), ("signature", signature), ("message", message)):
            (Path(folder) / name).write_bytes(data)
        command = (
            "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message -sigfile signature"
        )
        done = subprocess.run(command.split(), cwd=folder, capture_output=True, check=False, timeout=60)
    return done.returncode == 0


@dataclass(frozen=True)
class Note:
    """A checkpoint that its log signed, and the witnesses that cosigned it."""

    origin: str
    size: int
    root: bytes
    cosigners: frozenset[str]


def read_note(note: str, root: Json) -> Note:
    """A checkpoint of an enrolled log, signed by one of its keys, with the cosignatures of enrolled witnesses."""
    text, blank, tail = note.rpartition("\n\n")
    need(blank and tail.endswith("\n"), "not a signed note")
    message = (text + "\n").encode()
    lines = text.split("\n")
    need(len(lines) == 3 and re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]), "not a checkpoint")
    logs = [one for one in root["people"] if LOG_PREFIX + one["id"] == lines[0]]
    need(logs and {"log", "site"} & set(logs[0]["roles"]), f"no log {lines[0]!r} is enrolled")
    signatures = [line.removeprefix("\u2014 ").split(" ") for line in tail.removesuffix("\n").split("\n")]
    need(all(len(one) == 2 for one in signatures), "a line that is no signature")
    found = [(name, base64.b64decode(sig, validate=True)) for name, sig in signatures]
    need(any(_signed(lines[0], key, 1, found, message) for key in _raw(logs[0])), "the log did not sign")
    cosigned = set()
    for person in root["people"]:
        if {"qa", "site"} & set(person["roles"]):
            for key in _raw(person):
                if _signed(person["id"], key, 4, found, message):
                    cosigned.add(person["id"])
    return Note(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True), frozenset(cosigned))


def _raw(person: Json) -> list[bytes]:
    """The keys that can sign notes, which C2SP defines for Ed25519."""
    own = [key["public"] for key in person["keys"] if key["algorithm"] == "ed25519"]
    return [base64.b64decode(public, validate=True) for public in own]


def _signed(name: str, key: bytes, kind: int, lines: list[tuple[str, bytes]], message: bytes) -> bool:
    """Whether a key signed; a line in its name that does not verify is a fault."""
    key_hash = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]
    own = [data[4:] for found, data in lines if found == name and data[:4] == key_hash]
    for data in own:
        signature, said = data, message
        if kind == 4:
            signature = data[8:]
            said = b"cosignature/v1\ntime %d\n" % int.from_bytes(data[:8], "big") + message
        need(
            openssl_verifies(key, signature, said),
            f"the signature of {name} on the checkpoint does not verify",
        )
    return bool(own)


# ---- the tree (RFC 9162, sections 2.1.3.2 and 2.1.4.2)


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_leaf(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    need(index < size, "an entry outside the tree")
    first, last, found = index, size - 1, leaf
    for one in proof:
        need(last > 0, "a proof that is too long")
        if first & 1 or first == last:
            found = node(one, found)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            found = node(found, one)
        first, last = first >> 1, last >> 1
    need(last == 0, "a proof that is too short")
    return found


def check_consistent(old: Note, new: Note, proof: list[bytes]) -> None:
    """Refuse a tree that does not continue an older one."""
    why = "the log does not continue a checkpoint that a record leans on"
    need(0 < old.size <= new.size, why)
    if old.size == new.size:
        need(not proof and old.root == new.root, why)
        return
    if old.size & (old.size - 1) == 0:
        proof = [old.root, *proof]
    need(proof, why)
    first, last = old.size - 1, new.size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    before = after = proof[0]
    for one in proof[1:]:
        need(last > 0, why)
        if first & 1 or first == last:
            before, after = node(one, before), node(one, after)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            after = node(after, one)
        first, last = first >> 1, last >> 1
    need(last == 0 and before == old.root and after == new.root, why)


def people_of(root: Json) -> dict[str, Json]:
    return {one["id"]: one for one in root["people"]}


def keys_of(roots: list[Json]) -> dict[str, SSlibKey]:
    return {key["keyid"]: public_key(key) for root in roots for one in root["people"] for key in one["keys"]}


def persons(root: Json, signers: frozenset[str], role: str) -> set[str]:
    return {
        one["id"]
        for one in root["people"]
        if role in one["roles"] and any(key["keyid"] in signers for key in one["keys"])
    }


def root_chain(envelopes: list[bytes], pin: str) -> list[Json]:
    """Every version of the trust root, each signed by the threshold of the one before and its own."""
    roots: list[Json] = []
    digests: list[str] = []
    owners: dict[str, str] = {}
    for data in envelopes:
        root = strict_json(base64.b64decode(strict_json(data)["payload"]))["predicate"]
        judges = [*roots[-1:], root]
        payload, signers = opened(data, keys_of(judges))
        need(root["version"] == len(roots) + 1, "a version of the trust root is missing")
        need(root["previous"] == (digests[-1] if digests else None), "a trust root continues another one")
        for judge in judges:
            signed = persons(judge, signers, "root")
            need(len(signed) >= judge["thresholds"]["root"], f"trust root {root['version']}: too few signed")
        need(any(root["actor"] in persons(one, signers, "root") for one in judges), "its author did not sign")
        ids = [one["id"] for one in root["people"]]
        keys = [(key["keyid"], one["id"]) for one in root["people"] for key in one["keys"]]
        need(len(set(ids)) == len(ids) and len(dict(keys)) == len(keys), "an id or a key is listed twice")
        need(all(owners.setdefault(key, who) == who for key, who in keys), "a key passes to somebody else")
        _check_names(roots, root)
        roots.append(root)
        digests.append(sha256(payload))
    need(pin in digests, "the pinned trust root is not in the chain")
    return roots


def _check_names(roots: list[Json], root: Json) -> None:
    for one in root["people"]:
        held = [known[one["id"]] for earlier in roots if one["id"] in (known := people_of(earlier))]
        if held and held[-1]["name"] != one["name"]:
            kept = any(key in held[-1]["keys"] for key in one["keys"])
            need(kept, f"the id {one['id']} passes to somebody else")


class Verifier:
    """One bundle; every method refuses what does not hold."""

    def __init__(self, path: Path, pin: str) -> None:
        self.index, self.members = members_of(path)
        listed = self.index["entries"]
        self.envelopes = [self.members.get(f"envelopes/{one['payload'][7:]}.json", b"") for one in listed]
        need(all(self.envelopes), "an envelope is missing")
        kept = sum(name.startswith("envelopes/") for name in self.members)
        need(kept == len(listed), "an envelope belongs to no entry")
        places = [
            (one["sequence"], data)
            for one, data in zip(listed, self.envelopes, strict=True)
            if _kind(data) == "trust-root/v1"
        ]
        need(places, "no trust root is carried")
        self.roots = root_chain([data for _, data in places], pin)
        self.places = [place for place, _ in places]
        self.note = read_note(self.index["checkpoint"], self.roots[-1])
        need(self.note.origin == self.index["origin"], "the checkpoint is of another log")
        self.keys = keys_of(self.roots)
        self.entries = [self._entry(one, data) for one, data in zip(listed, self.envelopes, strict=True)]
        numbers = [one.sequence for one in self.entries]
        need(numbers == sorted(set(numbers)), "entries out of order")
        self.by_digest = {one.digest: one for one in self.entries}

    def root_at(self, sequence: int) -> Json:
        """The trust root in force at a place of the log."""
        held = [root for root, place in zip(self.roots, self.places, strict=True) if place <= sequence]
        need(held, "no trust root was in force")
        return held[-1]

    def of_kind(self, kind: str) -> list[Entry]:
        return [one for one in self.entries if one.kind == kind]

    def _entry(self, listed: Json, data: bytes) -> Entry:
        leaf = {"contract": "assay.entry/1", **{k: listed[k] for k in ("sequence", "logged_at", "payload")}}
        leaf["envelope"] = sha256(data)
        encoded = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
        proof = [bytes.fromhex(one) for one in listed["inclusion"]]
        found = root_of_leaf(
            hashlib.sha256(b"\x00" + encoded).digest(), listed["sequence"], self.note.size, proof
        )
        need(found == self.note.root, f"entry {listed['sequence']} is not in the log")
        payload, signers = opened(data, self.keys)
        need(sha256(payload) == listed["payload"], "an entry holds another record than listed")
        statement = strict_json(payload)
        need(set(statement) == {"_type", "subject", "predicateType", "predicate"}, "not a statement")
        need(statement["_type"] == "https://in-toto.io/Statement/v1", "not an in-toto Statement v1")
        kind = str(statement["predicateType"]).removeprefix(PREFIX)
        entry = Entry(listed["sequence"], listed["payload"], signers, kind, statement["predicate"])
        self._check_actor(entry)
        return entry

    def _check_actor(self, entry: Entry) -> None:
        need(entry.kind in ROLES, f"no rule for records of type {entry.kind!r}")
        need(entry.says["reason"] and entry.says["at"], "a record without a reason or a time")
        if entry.kind == "trust-root/v1":
            return
        root, says = self.root_at(entry.sequence), entry.says
        person = people_of(root).get(says["actor"])
        need(person, f"nobody is enrolled as {says['actor']!r}")
        need(says["role"] in person["roles"], f"{says['actor']} does not hold the role {says['role']}")
        need(says["role"] in ROLES[entry.kind], f"a {entry.kind} is not for {says['role']}")
        need(says["actor"] in persons(root, entry.signers, says["role"]), "the actor did not sign")
        if entry.kind == "esignature/v1":
            need({"target", "meaning", "printed_name"} <= set(says), "a signature without its parts")
            need(says["printed_name"] == person["name"], "another name is printed than enrolled")

    def check(self) -> Json:
        """Everything above the records: what they lean on, the lock in force, its slots and its files."""
        for entry in [*self.of_kind("validation-started/v1"), *self.of_kind("trial-lock/v1")]:
            self._check_leant_on(entry)
        lock = self._lock_in_force()
        for slot in lock.says["slots"]:
            self._check_slot(slot, lock)
        return {
            "trial": self.index["trial"],
            "lock": lock.digest,
            "records": len(self.entries),
            "checkpoint": {"origin": self.note.origin, "size": self.note.size},
            "cosigners": sorted(self.note.cosigners),
        }

    def _check_leant_on(self, entry: Entry) -> None:
        earlier = read_note(entry.says["checkpoint"], self.root_at(entry.sequence))
        need(earlier.origin == self.note.origin and earlier.size <= entry.sequence, "a foreign checkpoint")
        proofs = [one["hashes"] for one in self.index["consistency"] if one["size"] == earlier.size]
        check_consistent(earlier, self.note, [bytes.fromhex(one) for one in (proofs[0] if proofs else [])])

    def _lock_in_force(self) -> Entry:
        created = [
            one for one in self.of_kind("trial-created/v1") if one.says["trial"] == self.index["trial"]
        ]
        need(created, "the trial was never opened")
        self.scope = created[-1].says["scope"]
        locks = [one for one in self.of_kind("trial-lock/v1") if one.says["trial"] == self.index["trial"]]
        for number, one in enumerate(locks, start=1):
            before = locks[number - 2].digest if number > 1 else None
            need(
                (one.says["sequence"], one.says["previous"]) == (number, before),
                "the locks are not one chain",
            )
        holding = [one for one in locks if self._holds(one)]
        need(holding, "no lock carries all its signatures")
        need(holding[-1].digest == self.index["lock"], "another lock is in force than the index names")
        asked = {one["role"]: one["count"] for one in holding[-1].says["policy"]}
        need(asked.get("sponsor", 0) >= 1 and asked.get("qa", 0) >= 1, "fewer signers than a lock needs")
        return holding[-1]

    def _holds(self, lock: Entry) -> bool:
        places = [one["role"] for one in lock.says["policy"] for _ in range(one["count"])]
        signers: set[str] = set()
        for one in self.of_kind("esignature/v1"):
            if one.says["target"] == lock.digest and one.says["meaning"] in {"approval", "responsibility"}:
                root = self.root_at(one.sequence)
                own = {key["keyid"] for key in people_of(root)[one.says["actor"]]["keys"]}
                signers |= own & one.signers
                if _filled(places, root, frozenset(signers), frozenset()):
                    return True
        return False

    def _check_slot(self, slot: Json, lock: Entry) -> None:
        release, report = (
            self._named(slot["release"], "release/v1"),
            self._named(slot["report"], "validation-report/v1"),
        )
        for field in ("plugin", "version", "image", "image_name", "manifest", "weights"):
            need(slot[field] == release.says[field], f"slot {slot['slot']}: {field} is not the release's")
        for field in ("verdict", "evidence"):
            need(slot[field] == report.says[field], f"slot {slot['slot']}: {field} is not the report's")
        need(report.says["release"] == release.digest, "the report is of another release")
        need(
            not slot.get("warm") or report.says.get("warm") == "equal", "warm containers were not found equal"
        )
        self._check_report(report, release)
        self._check_in_use(release, lock)
        approvals = [
            one
            for one in self.of_kind("catalogue-decision/v1")
            if (one.says["report"], one.says["release"]) == (report.digest, release.digest)
        ]
        before = [one for one in approvals if one.sequence < lock.sequence]
        reaching = [one for one in before if REACH[one.says["scope"]] >= REACH[self.scope]]
        reaching = [one for one in reaching if _covers(one.says.get("context"), slot.get("context"))]
        need(reaching, f"slot {slot['slot']}: no approval reaches {self.scope}")
        for one in approvals:
            need(
                one.says["actor"] not in {report.says["actor"], release.says["actor"]}, "approved by a party"
            )
            self._check_scope(one.says["scope"], report)
        self._check_files(slot, release, report)

    def _check_in_use(self, release: Entry, lock: Entry) -> None:
        """Nothing leads from recalled or retired back, and a suspended release waits for its reinstatement."""
        stopped = ""
        for one in self.entries:
            if one.says.get("release") == release.digest and one.sequence < lock.sequence:
                verb = one.kind.removeprefix("release-").removesuffix("/v1")
                if one.kind == "catalogue-decision/v1":
                    need(not stopped, f"a release that is {stopped} was approved")
                elif verb == "reinstated":
                    need(stopped == "suspended", f"a release that is {stopped} was reinstated")
                    stopped = ""
                elif verb in {"suspended", "recalled", "retired"}:
                    stopped = verb
        need(not stopped, f"a release that is {stopped} was locked")

    def _named(self, digest: str, kind: str) -> Entry:
        need(digest in self.by_digest and self.by_digest[digest].kind == kind, f"no {kind} {digest}")
        return self.by_digest[digest]

    def _check_report(self, report: Entry, release: Entry) -> None:
        """A report counts where QA, who took no part, signed it, and its plan was there before it was started."""
        says = report.says
        started = self._named(says["started"], "validation-started/v1")
        plan = self.by_digest.get(says["protocol"])
        need(plan and plan.kind in {"protocol/v1", "protocol-deviation/v1"}, "the report's plan is missing")
        self.plan = plan
        for field in ("validation", "release", "protocol", "actor", "subset", "cases"):
            need(says[field] == started.says[field], f"the report's {field} is not what was started")
        need(says["evidence"] == plan.says["evidence"], "the report claims other evidence than its plan")
        need(says["subset"] != "whole kit" or says["cases"] == plan.says["cases"], "cases are missing")
        note = read_note(started.says["checkpoint"], self.root_at(started.sequence))
        need(plan.sequence < note.size <= started.sequence, "the plan was not there before the start")
        need(note.cosigners - {started.says["actor"]}, "nobody else cosigned the plan's checkpoint")
        parties = {says["actor"], release.says["actor"]}
        signed = [
            one
            for one in self.of_kind("esignature/v1")
            if one.says["target"] == report.digest
            and (one.says["meaning"] in {"review", "approval"} and one.says["role"] == "qa")
            and one.says["actor"] not in parties
        ]
        need(signed, "no independent signature of QA is on the report")
        while plan.kind == "protocol-deviation/v1":
            need(plan.says["actor"] not in parties, "a party approved a deviation")
            before = self.by_digest.get(plan.says["previous"])
            need(before, "a plan is missing")
            plan = before

    def _check_scope(self, scope: str, report: Entry) -> None:
        says = report.says
        if REACH[scope] >= REACH["exploratory"]:
            whole = says["subset"] == "whole kit" and says["cases"] >= self.plan.says["cases"]
            need(says["verdict"] == "met" and whole, f"the report does not reach {scope}")
        need(scope != "endpoint" or says["evidence"] == "patient", "an endpoint without patients")

    def _check_files(self, slot: Json, release: Entry, report: Entry) -> None:
        config = self.members.get("blobs/" + slot["image"][7:])
        need(config is not None, "the image's config is missing")
        files = [report.says["report_json"], report.says["report_html"], *release.says["weights"]]
        files += [report.says["report_pdf"]] if report.says.get("report_pdf") else []
        wanted = {one["digest"] for one in files} | set(strict_json(config)["rootfs"]["diff_ids"])
        wanted |= {release.says[field] for field in ("manifest", "io_schema", "sbom", "image")}
        for one in self.of_kind("esignature/v1"):
            if one.says["target"] == report.digest and one.says.get("signed_copy"):
                wanted.add(one.says["signed_copy"]["digest"])
        missing = sorted(one for one in wanted if "blobs/" + one[7:] not in self.members)
        need(not missing, f"slot {slot['slot']}: files are missing: {missing}")


def _kind(envelope: bytes) -> str:
    try:
        statement = strict_json(base64.b64decode(strict_json(envelope)["payload"], validate=True))
        return str(statement["predicateType"]).removeprefix(PREFIX)
    except (KeyError, TypeError, ValueError) as error:
        raise Refused(f"not a statement in an envelope: {error}") from error


def _covers(approved: Json | None, used: Json | None) -> bool:
    """Whether an approval's context of use covers a slot's; a slot without one asks for nothing."""
    if used is None or approved is None:
        return used is None
    same = all(
        approved.get(one) == used.get(one) for one in ("measurand", "population", "modality", "tracer")
    )
    ranks = ("none", "exploratory", "secondary", "primary")
    return same and ranks.index(used["endpoint_role"]) <= ranks.index(approved["endpoint_role"])


def _filled(places: list[str], root: Json, signers: frozenset[str], taken: frozenset[str]) -> bool:
    """Whether every place can be filled by a person of its own."""
    if not places:
        return True
    free = persons(root, signers, places[0]) - taken
    return any(_filled(places[1:], root, signers, taken | {one}) for one in free)


def verify(path: Path, pin: str) -> Json:
    """What a bundle shows from a pinned trust root. Raises `Refused`."""
    try:
        return Verifier(path, pin).check()
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Refused(f"malformed: {type(error).__name__}: {error}") from error


def main() -> int:
    """Verify one bundle from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--pin", required=True, help="digest of a trust root, learnt by another way")
    asked = parser.parse_args()
    try:
        sys.stdout.write(json.dumps(verify(asked.bundle, asked.pin), indent=1) + "\n")
    except Refused as fault:
        sys.stderr.write(f"refused: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
