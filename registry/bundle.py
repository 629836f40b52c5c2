"""Trial bundles: everything a site needs to trust a trial's lock, in one file that verifies offline.

Verification starts from one pinned digest of a trust root and believes nothing else: the chain of roots,
every signature and the role of its signer, every record's place in the sponsor's log, the thresholds of the
lock, the approvals behind its slots, and every file that a locked release names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from plugin_spec.errors import InputError, PolicyError
from registry.activation import SiteActivated
from registry.archive import (
    Bundle,
    BundleIndex,
    ListedEntry,
    ListedFile,
    blob_name,
    write_archive,
)
from registry.canonical import Digest, digest, parse_json
from registry.catalogue import project
from registry.checkpoint import Checkpoint, cosign
from registry.errors import (
    BundleContentError,
    BundleEvidenceError,
    CheckpointMismatchError,
    LockMismatchError,
    LockNotSignedError,
    MalformedBundleError,
    MissingBlobError,
    NoTrustRootError,
    RootPinError,
    SiteNotEnrolledError,
)
from registry.excerpt import (
    check_leant_on,
    consistencies,
    proof_from,
    roots_among,
    verified_entries,
)
from registry.plans import ProtocolDeviation
from registry.record import Record
from registry.roots import RootHistory
from registry.standing import CHANGES
from registry.statements import (
    CatalogueDecision,
    ESignature,
    LockSlot,
    Release,
    TrialCreated,
    TrialLock,
    ValidationReport,
)
from registry.trials import LockView, check_policy, check_slots, status
from registry.trust_root import TrustRoot
from registry.witness import check_all_seen, cosigners, log_keys, open_enrolled

if TYPE_CHECKING:
    from registry.registry import Registry

MAX_IMAGE_CONFIG_BYTES = 4 * 1024 * 1024
# What a site needs of its trial beside the locks.
OF_TRIAL: Mapping[str, type[TrialCreated] | type[SiteActivated]] = MappingProxyType(
    {one.predicate_type: one for one in (TrialCreated, SiteActivated)}
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What a trial bundle was shown to hold."""

    trial: str
    lock: LockView
    roots: RootHistory
    records: tuple[Record, ...]
    checkpoint: Checkpoint
    cosigners: tuple[str, ...]


def export_trial(registry: Registry, trial: str, path: Path) -> Digest:
    """Write the bundle of a trial whose lock is in force, and return the file's digest.

    Parameters
    ----------
    registry : Registry
        The sponsor's. Its blob store holds, for each slot: manifest, I/O schema, SBOM, weights, the
        report's JSON and HTML, the image's config (the blob named by the image digest), and every
        uncompressed layer (the blobs named by the config's ``rootfs.diff_ids``).
    trial : str
        The trial.
    path : Path
        The file to make.

    Raises
    ------
    LockNotSignedError
        No lock of the trial holds.
    MissingBlobError
        A file that a locked release names is not in the blob store.
    """
    view = registry.trial(trial).effective
    if view is None:
        raise LockNotSignedError(f"trial {trial} has no lock with all its signatures", subject=trial)
    records = list(needed_records(registry.records(), trial))
    files: dict[Digest, int] = {}
    for slot in view.lock.slots:
        for blob in _slot_files(slot, registry, records):
            files[blob] = registry.blobs.verify(blob)
    index = BundleIndex(
        kind="trial",
        trial=trial,
        lock=view.digest,
        origin=registry.log.origin,
        checkpoint=registry.log.checkpoint(),
        entries=tuple(_listed(registry, record) for record in records),
        # From every checkpoint this log ever signed, since a site may hold any of them.
        consistency=tuple(consistencies(registry, _signed_sizes(registry), registry.log.size)),
        files=tuple(
            ListedFile(name=blob_name(blob), digest=blob, bytes=size) for blob, size in files.items()
        ),
    )
    return write_archive(path, index, {record.digest: record.envelope for record in records}, registry.blobs)


def needed_records(records: Iterable[Record], trial: str) -> Iterator[Record]:
    """The records of a log that a site needs to judge a trial's locks by itself, in log order."""
    everything = list(records)
    releases = set(_locked(everything, trial))
    wanted: set[Digest] = set()
    # Backwards: what a record refers to stands before it in the log.
    for record in reversed(everything):
        kind = record.statement.predicate_type
        # Every approval of a locked release, not of its report alone: what was decided later rests on them all.
        if kind == CatalogueDecision.predicate_type:
            decision = record.statement.read(CatalogueDecision)
            wanted |= {record.digest, decision.report} if decision.release in releases else set()
        elif kind in CHANGES and record.statement.read(CHANGES[kind]).release in releases:
            wanted.add(record.digest)
        elif kind == TrialLock.predicate_type and (lock := record.statement.read(TrialLock)).trial == trial:
            wanted |= (
                {record.digest} | {one.release for one in lock.slots} | {one.report for one in lock.slots}
            )
        elif kind in OF_TRIAL and record.statement.read(OF_TRIAL[kind]).trial == trial:
            wanted.add(record.digest)
        elif kind == ValidationReport.predicate_type and record.digest in wanted:
            report = record.statement.read(ValidationReport)
            wanted |= {report.started, report.protocol, report.release}
        elif kind == ProtocolDeviation.predicate_type and record.digest in wanted:
            wanted.add(record.statement.read(ProtocolDeviation).previous)
    for record in everything:
        is_root = record.statement.predicate_type == TrustRoot.predicate_type
        if is_root or record.digest in wanted or _about(record) & wanted:
            yield record


def _locked(records: Iterable[Record], trial: str) -> Iterator[Digest]:
    """The releases that any lock of a trial names."""
    for record in records:
        if record.statement.predicate_type == TrialLock.predicate_type:
            lock = record.statement.read(TrialLock)
            yield from (slot.release for slot in lock.slots if lock.trial == trial)


def _about(record: Record) -> set[Digest]:
    """What a signature must have been wanted for to be wanted itself."""
    if record.statement.predicate_type == ESignature.predicate_type:
        return {record.statement.read(ESignature).target}
    return set()


def _listed(registry: Registry, record: Record) -> ListedEntry:
    proof = registry.log.inclusion(record.digest)
    return ListedEntry(
        sequence=record.sequence,
        logged_at=record.logged_at,
        payload=record.digest,
        envelope=digest(record.envelope),
        inclusion=tuple(one.hex() for one in proof.hashes),
    )


def _signed_sizes(registry: Registry) -> set[int]:
    return {open_enrolled(note, registry.root).size for note in registry.log.notes()}


def _slot_files(slot: LockSlot, registry: Registry, records: Sequence[Record]) -> Iterator[Digest]:
    yield from named_files(slot, records)
    with registry.blobs.open(slot.image) as stream:
        yield from layers(stream.read(MAX_IMAGE_CONFIG_BYTES + 1), slot)


def named_files(slot: LockSlot, records: Sequence[Record]) -> Iterator[Digest]:
    """Every file that a slot's release and report name, the image's config included."""
    by_digest = {record.digest: record.statement for record in records}
    if slot.release not in by_digest or slot.report not in by_digest:
        raise BundleContentError(f"slot {slot.slot}: its release or report is missing", subject=slot.release)
    release = by_digest[slot.release].read(Release)
    report = by_digest[slot.report].read(ValidationReport)
    yield from (release.manifest, release.io_schema, release.sbom, release.image)
    yield from (file.digest for file in release.weights)
    yield from (file.digest for file in report.files)
    for record in records:
        if record.statement.predicate_type == ESignature.predicate_type:
            signature = record.statement.read(ESignature)
            if signature.target == slot.report and signature.signed_copy is not None:
                yield signature.signed_copy.digest


def layers(config: bytes, slot: LockSlot) -> list[Digest]:
    """The digests of an image's uncompressed layers, as its config names them. Raises `MissingBlobError`."""
    document = parse_json(config, where=f"image config of {slot.plugin}", limit=MAX_IMAGE_CONFIG_BYTES)
    rootfs = document.get("rootfs") if isinstance(document, dict) else None
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise MissingBlobError(f"the image config of {slot.plugin} names no layers", subject=slot.image)
    return [str(one) for one in found]


def verify_bundle(path: Path, *, pin: Digest) -> Verified:
    """Verify a trial bundle offline.

    Parameters
    ----------
    path : Path
        The bundle.
    pin : Digest
        The payload digest of a trust root, known from elsewhere; nothing in the bundle is believed without
        it.

    Raises
    ------
    TrustError
        One of its named subclasses, for the first thing that does not verify.
    """
    with Bundle(path) as bundle:
        return verify_opened(bundle, pin=pin)


def verify_opened(bundle: Bundle, *, pin: Digest) -> Verified:
    """Verify a trial bundle that is open already; raises as `verify_bundle` does."""
    try:
        return _verify(bundle, pin)
    except (PolicyError, InputError, NoTrustRootError) as error:
        # Inside a bundle a broken rule or a missing record is nobody's attempt: it is not to be trusted.
        raise BundleEvidenceError(f"{error.code}: {error.message}", subject=error.subject) from error


def _verify(bundle: Bundle, pin: Digest) -> Verified:
    index = bundle.index
    if index.kind != "trial":
        raise MalformedBundleError(
            f"{bundle.path}: holds {index.kind}, not a trial", subject=str(bundle.path)
        )
    envelopes = [(entry, bundle.envelope(entry.payload)) for entry in index.entries]
    if len(index.entries) != sum(one.name.startswith("envelopes/") for one in index.files):
        raise BundleContentError(f"{bundle.path}: an envelope belongs to no entry", subject=str(bundle.path))
    roots = roots_among(envelopes, pin)
    checkpoint = open_enrolled(index.checkpoint, roots.current)
    if checkpoint.origin != index.origin:
        raise CheckpointMismatchError(
            f"{bundle.path}: the checkpoint is of another log", subject=index.origin
        )
    records = verified_entries(envelopes, checkpoint, roots)
    check_leant_on(records, roots, checkpoint, index.consistency)
    view = _check_lock(index, records, roots)
    for slot in view.lock.slots:
        _check_files(bundle, slot, records)
    seen_by = tuple(sorted(cosigners(index.checkpoint, roots.current)))
    return Verified(index.trial, view, roots, records, checkpoint, seen_by)


def _check_lock(index: BundleIndex, records: Sequence[Record], roots: RootHistory) -> LockView:
    known = status(records, index.trial, roots)
    view = known.effective
    if view is None:
        raise LockNotSignedError(
            f"trial {index.trial}: no lock carries all its signatures", subject=index.trial
        )
    if view.digest != index.lock:
        raise LockMismatchError(
            f"trial {index.trial}: the bundle names another lock than is in force", subject=index.trial
        )
    # Who holds the log's key could log a lock that asks for fewer signatures, and have it signed by those.
    check_policy(view.lock)
    # A lock is judged by the catalogue of its time; what was decided since must have come about by the rules too.
    before = [one for one in records if one.sequence < view.record.sequence]
    check_slots(view.lock, known.trial.scope, project(before, roots))
    project(records, roots)
    return view


def _check_files(bundle: Bundle, slot: LockSlot, records: Sequence[Record]) -> None:
    config = bundle.small_blob(slot.image, limit=MAX_IMAGE_CONFIG_BYTES)
    missing = sorted({*named_files(slot, records), *layers(config, slot)} - bundle.blobs)
    if missing:
        raise BundleContentError(f"slot {slot.slot}: the file {missing[0]} is missing", subject=missing[0])


def import_trial(registry: Registry, path: Path, *, pin: Digest) -> Verified:
    """At a site: verify a trial bundle, then keep its records, checkpoint and blobs, and pin its root.

    What does not verify or does not continue what this site holds leaves a refusal in the log, nothing else.

    Parameters
    ----------
    registry : Registry
        The site's home. Its first import sets what it trusts; every later bundle must continue that.
    path : Path
        The bundle.
    pin : Digest
        The trust root digest the site was given by another way.

    Raises
    ------
    TrustError
        It does not verify, is older than what this site has seen, or does not name this site.
    """
    with registry.refusals_logged("trial-import", registry.node_id), Bundle(path) as bundle:
        verified = verify_opened(bundle, pin=pin)
        _check_for_site(registry, verified)
        log_key = log_keys(verified.checkpoint.origin, verified.roots.current)[0]
        with registry.writing():
            check_all_seen(
                registry,
                verified.checkpoint,
                log_key,
                partial(proof_from, bundle.index.consistency),
            )
            registry.append_known(verified.records, verified.roots)
            # This site has seen that it continues all it knew, and says so; the sponsor gets it with the return.
            registry.log.keep_checkpoint(verified.checkpoint, _cosigned(registry, bundle.index.checkpoint))
            for blob in sorted(bundle.blobs):
                registry.blobs.put_stream(bundle.parts(blob_name(blob)), expected=blob)
            # Last, for the pin is a file of its own, which no rollback undoes.
            if registry.pin is None:
                registry.trust(pin)
        return verified


def _check_for_site(registry: Registry, verified: Verified) -> None:
    if registry.pin not in (None, *(version.digest for version in verified.roots.versions)):
        raise RootPinError(
            "the bundle's trust root does not continue the one this site trusts", subject=str(registry.pin)
        )
    enrolled = [one for one in verified.roots.current.people if one.id == registry.node_id]
    if not enrolled or registry.node.public not in enrolled[0].keys:
        raise SiteNotEnrolledError(
            f"{registry.node_id} is not enrolled with this home's key", subject=registry.node_id
        )
    if registry.node_id not in verified.lock.lock.sites:
        raise SiteNotEnrolledError(
            f"trial {verified.trial} does not name {registry.node_id}", subject=registry.node_id
        )


def _cosigned(registry: Registry, note: str) -> str:
    now = int(registry.clock().timestamp())
    return cosign(note.encode(), registry.node_id, registry.node, time_s=now).decode()
