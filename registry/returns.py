"""A site's records come back: its whole log in a bundle, taken into the sponsor's in one transaction.

The whole log travels each time, so the sponsor recomputes its root and that of every earlier return: a site
cannot drop, change or insert anything in what it once returned, and a gap in its chain of runs shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from registry import merkle
from registry.activation import SiteActivated
from registry.archive import (
    MAX_WITNESSED,
    Bundle,
    BundleIndex,
    ListedEntry,
    ListedFile,
    blob_name,
    write_archive,
)
from registry.authority import NODE_ACTS, check_authority, read_act
from registry.canonical import Digest, digest
from registry.checkpoint import Checkpoint
from registry.errors import (
    ActionDeniedError,
    BundleContentError,
    ChainGapError,
    CheckpointMismatchError,
    DuplicateRecordError,
    LockMismatchError,
    MalformedBundleError,
    SiteNotActivatedError,
    SiteNotEnrolledError,
    WrongActorError,
    WrongStateError,
)
from registry.keys import Signer
from registry.locked_run import RunRequest, check_run_allowed
from registry.record import ORIGIN_PREFIX, Record, leaf_data, read_record
from registry.results import RUN_TYPES, check_conduct, trial_runs
from registry.statements import SERIES_LISTING, Act, RecordsTakenIn, Release, RunFinished, RunStarted
from registry.trials import TrialStatus
from registry.trust_root import Role, TrustRoot
from registry.values import named_faults
from registry.witness import hear, open_enrolled

if TYPE_CHECKING:
    from registry.registry import Registry


@dataclass(frozen=True, slots=True)
class SiteLog:
    """A site's returned log, its root recomputed and compared with the site's signed checkpoint."""

    site: str
    trial: str
    note: str
    checkpoint: Checkpoint
    leaves: tuple[bytes, ...]
    entries: tuple[tuple[ListedEntry, bytes], ...]


def export_site_records(registry: Registry, trial: str, path: Path, *, with_outputs: bool = False) -> Digest:
    """At a site: write its whole log for the sponsor and return the file's digest.

    Parameters
    ----------
    registry : Registry
        The site's home.
    trial : str
        The trial for which the records return.
    path : Path
        The file to make.
    with_outputs : bool, optional
        Also carry the runs' output files and logs that the blob store holds. The listings of DICOM series are carried
        in any case.

    Raises
    ------
    WrongStateError
        This is not a site's home: nobody takes the sponsor's own log in.
    OutputPathError
        No file can be written there.
    """
    if not registry.is_site:
        raise WrongStateError(
            f"{registry.node_id} is not a site: only a site returns records",
            subject=trial,
            hint="run assay trial return at the site, then assay trial import here",
        )
    registry.trial(trial)
    records = list(registry.log.records())
    files = {
        blob: registry.blobs.verify(blob) for blob in _kept(records, registry, with_outputs=with_outputs)
    }
    index = BundleIndex(
        kind="site-records",
        trial=trial,
        lock=None,
        origin=registry.log.origin,
        checkpoint=registry.log.checkpoint(),
        entries=tuple(
            ListedEntry(
                sequence=one.sequence,
                logged_at=one.logged_at,
                payload=one.digest,
                envelope=digest(one.envelope),
            )
            for one in records
        ),
        witnessed=tuple(_witnessed(registry)),
        files=tuple(
            ListedFile(name=blob_name(blob), digest=blob, bytes=size) for blob, size in files.items()
        ),
    )
    return write_archive(path, index, {one.digest: one.envelope for one in records}, registry.blobs)


def _witnessed(registry: Registry) -> list[str]:
    """The newest checkpoints of the sponsor's log that this site keeps, so that it meets its own history again."""
    logs = [ORIGIN_PREFIX + one.id for one in registry.root.people if Role.LOG in one.roles]
    return [note for origin in logs for note in registry.log.notes(origin)][-MAX_WITNESSED:]


def _kept(records: Sequence[Record], registry: Registry, *, with_outputs: bool) -> Iterator[Digest]:
    """The files to carry: listings of series always, since they say what a digest is of and hold nothing else."""
    for record in records:
        act = read_act(record.statement)
        if isinstance(act, RunStarted) or (with_outputs and isinstance(act, RunFinished)):
            yield from (one for one in kept_digests(act) if registry.blobs.has(one))


def kept_digests(act: RunStarted | RunFinished) -> set[Digest]:
    """The files a run left behind: outputs, log, and the listings that the digests of its DICOM series are of."""
    if isinstance(act, RunStarted):
        return {file.digest for file in act.inputs if file.name.endswith(SERIES_LISTING)}
    return {file.digest for file in act.outputs} | ({act.log} if act.log else set())


def take_in(registry: Registry, path: Path, signer: Signer, *, actor: str, reason: str) -> Record:
    """At the sponsor: verify a site's return and log what is new in it, with the act of taking it in.

    Parameters
    ----------
    registry : Registry
        The sponsor's.
    path : Path
        The bundle that `export_site_records` wrote.
    signer : Signer
        The actor's key.
    actor, reason : str
        The person of the sponsor who takes the records in, and why.

    Raises
    ------
    TrustError
        The site is not enrolled, its log forks from what it returned before, a record is not its own, its
        chain of runs has a gap, or a run was not under a lock.
    RoleError
        A record claims a role that the site does not hold.
    SplitViewError, LogTruncatedError
        The site saw another history of this log, or a longer one: an older database was put back.
    DuplicateRecordError
        Nothing in it is new.
    """
    with registry.refusals_logged("records-taken-in/v1", actor), Bundle(path) as bundle:
        returned = read_site_log(bundle, registry)
        with registry.log.database.transaction():
            registry.refresh_roots()
            for note in bundle.index.witnessed:
                hear(registry, note)
            first = _check_continues(returned, registry)
            fresh = _fresh_records(returned, first, registry)
            registry.append_returned([record.envelope for record in fresh])
            with named_faults(actor):
                act = RecordsTakenIn(
                    actor=actor,
                    role=Role.SPONSOR,
                    at=registry.clock().isoformat(timespec="seconds"),
                    reason=reason,
                    trial=returned.trial,
                    site=returned.site,
                    first=first,
                    size=returned.checkpoint.size,
                    checkpoint=returned.note,
                )
            taken = registry.log_act(act, [signer], ())
            for blob in sorted(_carried(fresh, bundle)):
                registry.blobs.put_stream(bundle.parts(blob_name(blob)), expected=blob)
            return taken


def read_site_log(bundle: Bundle, registry: Registry) -> SiteLog:
    """Read a return and check that it is the whole log behind the site's checkpoint."""
    index = bundle.index
    site = index.origin.removeprefix(ORIGIN_PREFIX)
    enrolled = [one for one in registry.root.people if one.id == site and Role.SITE in one.roles]
    if index.kind != "site-records":
        raise MalformedBundleError(
            f"{bundle.path}: holds a {index.kind}, not a site's records", subject=str(bundle.path)
        )
    if not enrolled:
        raise SiteNotEnrolledError(f"{site} is not enrolled as a site", subject=site)
    checkpoint = open_enrolled(index.checkpoint, registry.root)
    entries = tuple((entry, bundle.envelope(entry.payload)) for entry in index.entries)
    leaves = tuple(
        merkle.leaf_hash(leaf_data(number, entry.logged_at, entry.payload, digest(envelope)))
        for number, (entry, envelope) in enumerate(entries)
    )
    if (
        checkpoint.origin != index.origin
        or checkpoint.size != len(leaves)
        or merkle.root(leaves) != checkpoint.root
    ):
        raise CheckpointMismatchError(f"{bundle.path}: is not the log that {site} signed", subject=site)
    if any(entry.sequence != number for number, (entry, _) in enumerate(entries)):
        raise BundleContentError(f"{bundle.path}: entries out of order", subject=site)
    return SiteLog(site, index.trial, index.checkpoint, checkpoint, leaves, entries)


def _check_continues(returned: SiteLog, registry: Registry) -> int:
    """Return how many entries were taken in before, having checked that they are the same ones."""
    last = None
    for record in registry.records(RecordsTakenIn.predicate_type):
        act = record.statement.read(RecordsTakenIn)
        last = (act, record) if act.site == returned.site else last
    if last is None:
        return 0
    before = open_enrolled(last[0].checkpoint, registry.roots.at(last[1].sequence))
    if before.size > len(returned.leaves) or merkle.root(returned.leaves[: before.size]) != before.root:
        raise CheckpointMismatchError(
            f"the log of {returned.site} does not continue what it returned before", subject=returned.site
        )
    if before.size == len(returned.leaves):
        raise DuplicateRecordError(f"nothing is new in the records of {returned.site}", subject=returned.site)
    return before.size


def _fresh_records(returned: SiteLog, first: int, registry: Registry) -> list[Record]:
    fresh: list[Record] = []
    for entry, envelope in returned.entries[first:]:
        if registry.log.has(entry.payload) and registry.log.record(entry.payload).envelope == envelope:
            continue  # the site's copy of a record that this log gave it
        fresh.append(_own_record(entry, envelope, registry.root, returned.site))
    _check_chain(fresh, returned.site, registry)
    _check_runs(fresh, registry)
    _check_conduct(returned, fresh, registry)
    return fresh


def _own_record(entry: ListedEntry, envelope: bytes, root: TrustRoot, site: str) -> Record:
    keys = {key.keyid: key for key in root.person(site).keys}
    record = read_record(entry.sequence, entry.logged_at, envelope, keys)
    act = read_act(record.statement)
    if record.digest != entry.payload:
        raise BundleContentError(
            f"entry {entry.sequence} holds another record than listed", subject=entry.payload
        )
    if type(act) not in NODE_ACTS:
        raise ActionDeniedError(
            f"entry {entry.sequence} of {site} is no record of a run", subject=entry.payload
        )
    if act.actor != site:
        raise WrongActorError(
            f"entry {entry.sequence} of {site} is in the name of {act.actor}", subject=entry.payload
        )
    # As `Registry.records` reads it: a record that could not be read again would close the log for good.
    check_authority(act, record.signers, root)
    return record


def _check_chain(fresh: Sequence[Record], site: str, registry: Registry) -> None:
    chain, previous = _last_link(site, registry)
    for record in fresh:
        act = read_act(record.statement)
        if isinstance(act, RunStarted | RunFinished):
            if (act.chain, act.previous) != (chain + 1, previous):
                raise ChainGapError(
                    f"{site}: run record {chain + 1} is due, not {act.chain}", subject=act.run
                )
            chain, previous = act.chain, record.digest


def _last_link(site: str, registry: Registry) -> tuple[int, Digest | None]:
    for record in registry.log.newest_first([RunStarted.predicate_type, RunFinished.predicate_type]):
        act: Act = read_act(record.statement)
        if act.actor == site and isinstance(act, RunStarted | RunFinished):
            return act.chain, record.digest
    return 0, None


def _check_runs(fresh: Sequence[Record], registry: Registry) -> None:
    started: dict[Digest, RunStarted] = {}
    for record in fresh:
        act = read_act(record.statement)
        if isinstance(act, RunStarted):
            check_returned_run(act, registry)
            started[record.digest] = act
        elif isinstance(act, RunFinished):
            begun = started.get(act.started) or registry.find(act.started, RunStarted)[1]
            if (begun.run, begun.actor) != (act.run, act.actor):
                raise WrongStateError(f"run {act.run} does not end the run it names", subject=act.run)


def _check_conduct(returned: SiteLog, fresh: Sequence[Record], registry: Registry) -> None:
    """Refuse runs before the site knew its activation, second results, and mixed releases, as the site should have."""
    places = {entry.payload: entry.sequence for entry, _ in returned.entries}
    earlier = [one for one in registry.records(RUN_TYPES) if read_act(one.statement).actor == returned.site]
    known: dict[str, TrialStatus] = {}
    for number, record in enumerate(fresh):
        act = read_act(record.statement)
        if not isinstance(act, RunStarted) or act.trial is None:
            continue
        status = known.setdefault(act.trial, registry.trial(act.trial))
        view = next(one for one in status.locks if one.digest == act.lock)
        if not view.lock.conduct:
            continue
        activations = registry.records(SiteActivated.predicate_type)
        told = [one.digest for one in activations if _activates(one, act.trial, returned.site)]
        if not any(places.get(one, record.sequence) < record.sequence for one in told):
            raise SiteNotActivatedError(
                f"run {act.run} of {returned.site} began before its activation", subject=act.run
            )
        slot = next(one for one in view.lock.slots if one.release == act.release)
        check_conduct(act, view, slot, trial_runs([*earlier, *fresh[:number]], status.locks))


def _activates(record: Record, trial: str, site: str) -> bool:
    act = record.statement.read(SiteActivated)
    return (act.trial, act.site) == (trial, site)


def check_returned_run(act: RunStarted, registry: Registry) -> None:
    """Refuse a run that its lock does not allow; an amended lock still covers the runs made under it."""
    locks = registry.trial(act.trial).locks if act.trial is not None else ()
    view = next((one for one in locks if one.digest == act.lock), None)
    _, release = registry.find(act.release, Release)
    if check_run_allowed(view, RunRequest.recorded(act, release.plugin)).release != act.release:
        raise LockMismatchError(f"run {act.run} used another release than its lock names", subject=act.run)


def _carried(fresh: Sequence[Record], bundle: Bundle) -> set[Digest]:
    """The blobs of the bundle that the new records name; anything else is left behind."""
    ends = [read_act(record.statement) for record in fresh]
    named = {one for act in ends if isinstance(act, RunStarted | RunFinished) for one in kept_digests(act)}
    return named & bundle.blobs
