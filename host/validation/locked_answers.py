"""What the release of an earlier report answered on a kit's cases, as its runs recorded it."""

from collections.abc import Mapping
from pathlib import Path

from host.installed import read_stored_manifest
from host.stored_outputs import StoredOutputs
from host.validation.comparing import EarlierAnswer
from host.validation.recorded_runs import RunRecords, runs_of
from plugin_spec.manifest import Manifest
from plugin_spec.ports import LabelMapPort
from registry.canonical import Digest
from registry.registry import Registry
from registry.statements import Release, ValidationReport


def locked_answers(registry: Registry, report: Digest, links: Path) -> Mapping[str, EarlierAnswer]:
    """By case, what was answered; cases without an answer are left out, and label maps that are not stored here.

    Parameters
    ----------
    report : str
        The record of the earlier report.
    links : Path
        A folder for links, which stays as long as the answers.

    Raises
    ------
    BlobMismatchError
        A stored output is not what was recorded.
    """
    logged = registry.log.record(report).statement.read(ValidationReport)
    release = registry.log.record(logged.release).statement.read(Release)
    manifest = read_stored_manifest(registry, release.manifest)
    folder = links / "locked"
    folder.mkdir()
    stored = StoredOutputs(registry.blobs, manifest, folder)
    return {
        case: EarlierAnswer(manifest, run.ended.measured, _label_maps(stored, manifest, run))
        for case, run in runs_of(registry, logged.validation).own.items()
        if run.ended.outcome == "ok"
    }


def _label_maps(stored: StoredOutputs, manifest: Manifest, run: RunRecords) -> dict[str, Path]:
    return {
        one.port: stored.verified(run.begun.run, one)
        for one in run.ended.outputs
        if isinstance(manifest.output(one.port), LabelMapPort) and stored.has(one)
    }
